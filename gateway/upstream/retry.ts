/**
 * Ordered fallback with retries, all before the first byte: once an answer has begun to flow there is no second try.
 * The loop knows nothing of the ledger; the `send` it is given checks the receipt and uses one attempt of it per call.
 */
import { GatewayError } from '../errors.ts';
import { UpstreamFailure } from './failure.ts';
import { peekFirstEvent } from './peek.ts';
import type { Attempt, RetryPolicy } from './route.ts';
import { backoffMs, isRetryable, nextAttempt, retryAfterMs } from './route.ts';
import type { Deployment, UpstreamResponse } from './upstream.ts';

/** One attempt as the outcome entry records it. */
export interface AttemptRecord {
  readonly deployment: string;
  /** The upstream's status, null when there was no answer. */
  readonly status: number | null;
  /** Reason of a failure without an answer: a FailureReason or an error code. */
  readonly error: string | null;
  /** Whether the provider may have seen the call, and so may bill it. */
  readonly sent: boolean;
  readonly ms: number;
}

export type Forwarded =
  | {
      readonly ok: true;
      readonly response: UpstreamResponse;
      readonly deployment: Deployment;
      readonly attempts: readonly AttemptRecord[];
    }
  | { readonly ok: false; readonly error: GatewayError; readonly attempts: readonly AttemptRecord[] };

export interface ForwardOptions {
  /** From planAttempts: in order, attempts of one deployment side by side. */
  readonly attempts: readonly Attempt[];
  readonly policy: RetryPolicy;
  /** Whether a stream was asked for: its first content is awaited before the answer counts as begun. */
  readonly stream: boolean;
  send(attempt: Attempt): Promise<UpstreamResponse>;
  onAttempt?(record: AttemptRecord): void;
  readonly signal: AbortSignal;
  /** Unix or monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

type Result = { readonly response: UpstreamResponse } | { readonly error: GatewayError };

/**
 * The first answer that is not worth repeating, or the last one there was. A failure of the call itself (refused by the
 * ledger, gone caller) ends the loop; anything thrown that is not a GatewayError is a bug and is thrown on.
 */
export async function forwardWithFallback(options: ForwardOptions): Promise<Forwarded> {
  const records: AttemptRecord[] = [];
  let untranslatable: GatewayError | null = null;
  let last: GatewayError | null = null;
  let index = 0;
  while (index < options.attempts.length && !options.signal.aborted) {
    const attempt = options.attempts[index];
    if (attempt === undefined) break;
    const startMs = options.now();
    const result = await sendOnce(options, attempt);
    const record = recordOf(attempt, result, Math.max(0, Math.round(options.now() - startMs)));
    records.push(record);
    options.onAttempt?.(record);
    if ('response' in result && !isRetryable(result.response.status)) return answered(result, attempt, records);
    const pause = pauseAfter(result, attempt, options);
    const next = nextAttempt(options.attempts, index, pause !== null);
    if ('response' in result) {
      if (next === -1) return answered(result, attempt, records);
      result.response.discard();
    } else if (!tryElsewhere(result.error)) {
      return { ok: false, error: result.error, attempts: records };
    } else if (result.error.code === 'invalid_request') {
      untranslatable ??= result.error;
    } else {
      last = result.error;
    }
    if (next === index + 1 && pause !== null && pause > 0 && sameDeployment(options.attempts, index, next)) {
      await options.sleep(pause, options.signal);
    }
    index = next === -1 ? options.attempts.length : next;
  }
  if (options.signal.aborted) return { ok: false, error: new UpstreamFailure('aborted', false), attempts: records };
  const error = last ?? untranslatable ?? new GatewayError('upstream_error', 'No deployment is left to try.');
  return { ok: false, error, attempts: records };
}

function answered(result: { response: UpstreamResponse }, attempt: Attempt, attempts: AttemptRecord[]): Forwarded {
  return { ok: true, response: result.response, deployment: attempt.deployment, attempts };
}

async function sendOnce(options: ForwardOptions, attempt: Attempt): Promise<Result> {
  try {
    const response = await options.send(attempt);
    return { response: options.stream ? await peekFirstEvent(response, options.policy.holdMs) : response };
  } catch (error) {
    if (error instanceof GatewayError) return { error };
    throw error;
  }
}

function sameDeployment(attempts: readonly Attempt[], a: number, b: number): boolean {
  return attempts[a]?.deployment.id === attempts[b]?.deployment.id;
}

/** Milliseconds before the same deployment may be asked again; null when it should not be. */
function pauseAfter(result: Result, attempt: Attempt, options: ForwardOptions): number | null {
  if ('error' in result) {
    return result.error.code === 'invalid_request'
      ? null
      : backoffMs(attempt.ofDeployment, options.policy, options.random);
  }
  const asked = retryAfterMs(result.response.headers, options.now());
  if (asked === null) return backoffMs(attempt.ofDeployment, options.policy, options.random);
  return asked <= options.policy.maxRetryAfterMs ? asked : null;
}

/** Failures of a deployment, as opposed to failures of the call. */
function tryElsewhere(error: GatewayError): boolean {
  return error.code === 'upstream_error' || error.code === 'upstream_timeout' || error.code === 'invalid_request';
}

function recordOf(attempt: Attempt, result: Result, ms: number): AttemptRecord {
  const deployment = attempt.deployment.id;
  if ('response' in result) return { deployment, status: result.response.status, error: null, sent: true, ms };
  const { error } = result;
  if (error instanceof UpstreamFailure) return { deployment, status: null, error: error.reason, sent: error.sent, ms };
  return { deployment, status: null, error: error.code, sent: false, ms };
}
