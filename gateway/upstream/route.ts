/** The plan of a route: which deployments are tried, how often and how long to wait between. Pure. */
import type { Deployment } from './upstream.ts';

export interface RetryPolicy {
  /** Sends over all deployments together; a receipt reserves as many. */
  readonly maxAttempts: number;
  readonly attemptsPerDeployment: number;
  /** Upper bound of the first pause; doubles with each retry up to maxDelayMs. The pause itself is drawn below it. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A longer `retry-after` is not waited for: the next deployment is tried, or the answer is returned as it is. */
  readonly maxRetryAfterMs: number;
  /** How long a stream that has begun without content is held back to see whether an error follows. */
  readonly holdMs: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 4,
  attemptsPerDeployment: 2,
  baseDelayMs: 200,
  maxDelayMs: 2_000,
  maxRetryAfterMs: 5_000,
  holdMs: 150,
};

export interface Attempt {
  readonly deployment: Deployment;
  /** From 1, over the whole plan. */
  readonly number: number;
  /** From 1, within the deployment. */
  readonly ofDeployment: number;
}

/**
 * Attempts in order of the deployments given, which are the allowed ones. Every deployment gets one attempt before any
 * gets a second, earlier ones first; the sum stays within maxAttempts.
 */
export function planAttempts(deployments: readonly Deployment[], policy: RetryPolicy): Attempt[] {
  const used = deployments.slice(0, Math.max(0, policy.maxAttempts));
  const shares = used.map(() => 1);
  let spare = policy.maxAttempts - used.length;
  for (let round = 1; round < policy.attemptsPerDeployment; round++) {
    for (let index = 0; index < shares.length && spare > 0; index++, spare--) shares[index] = round + 1;
  }
  const attempts: Attempt[] = [];
  used.forEach((deployment, index) => {
    for (let of = 1; of <= (shares[index] ?? 1); of++) {
      attempts.push({ deployment, number: attempts.length + 1, ofDeployment: of });
    }
  });
  return attempts;
}

/** Index of the attempt after `index`: the next one, or the first of another deployment when this one is given up; -1 if none. */
export function nextAttempt(attempts: readonly Attempt[], index: number, sameAllowed: boolean): number {
  const current = attempts[index]?.deployment.id;
  for (let next = index + 1; next < attempts.length; next++) {
    if (sameAllowed || attempts[next]?.deployment.id !== current) return next;
  }
  return -1;
}

/** 408, 409, 429 and every 5xx may succeed when repeated; all other answers are the caller's to see (RFC 9110 §15). */
export function isRetryable(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** Full jitter: uniform below an exponentially growing bound, so that callers who failed together do not return together. */
export function backoffMs(failures: number, policy: RetryPolicy, random: () => number): number {
  const bound = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** Math.max(0, failures - 1));
  return Math.floor(bound * random());
}

/**
 * The wait a server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110 §10.2.3); null when
 * there is none or it cannot be read.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const exact = headers['retry-after-ms'];
  if (exact !== undefined && /^\d{1,9}(\.\d+)?$/.test(exact)) return Math.ceil(Number(exact));
  const value = headers['retry-after'];
  if (value === undefined) return null;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
