/** What the adapters that speak HTTP have in common. */
import type { Egress } from '../egress.ts';
import { UpstreamFailure } from './failure.ts';
import { headerValue } from './headers.ts';
import type { HttpAnswer } from './http-exchange.ts';

export interface AdapterOptions {
  readonly egress: Egress;
  /** Longest whole answer, in bytes. */
  readonly maxBodyBytes?: number;
}

export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Refuses answers that no caller could read: a redirect (never followed), a coding we did not ask for, JSON where a
 * stream was asked for. They count as failures before the first byte, so another deployment may be tried.
 */
export function checkAnswer(answer: HttpAnswer, stream: boolean): void {
  const problem = problemOf(answer, stream);
  if (problem === null) return;
  answer.discard();
  throw new UpstreamFailure('bad_answer', true, problem);
}

function problemOf(answer: HttpAnswer, stream: boolean): string | null {
  if (answer.status >= 300 && answer.status < 400) return `status ${answer.status}, redirects are not followed`;
  const coding = headerValue(answer.headers, 'content-encoding');
  if (coding !== null && coding !== '' && coding.toLowerCase() !== 'identity') return 'a content coding not asked for';
  const type = headerValue(answer.headers, 'content-type') ?? '';
  if (stream && answer.status === 200 && /^application\/json\b/i.test(type)) return 'JSON instead of a stream';
  return null;
}
