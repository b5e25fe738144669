/**
 * How a send can fail, as a closed vocabulary for attempts, metrics and the decision whether to try elsewhere. The
 * public text never names addresses, keys or payloads; the network's own error code is the only outside word in it.
 */
import { GatewayError } from '../errors.ts';

const FAILURES = {
  connect_failed: { code: 'upstream_error', text: 'The model provider could not be reached' },
  connect_timeout: { code: 'upstream_timeout', text: 'The model provider could not be reached in time' },
  first_byte_timeout: { code: 'upstream_timeout', text: 'The model provider did not begin to answer in time' },
  idle_timeout: { code: 'upstream_timeout', text: 'The model provider stopped in the middle of its answer' },
  closed_early: { code: 'upstream_error', text: 'The model provider closed the connection before answering' },
  broken_answer: {
    code: 'upstream_error',
    text: 'The connection to the model provider broke in the middle of its answer',
  },
  bad_answer: { code: 'upstream_error', text: 'The model provider sent an answer that does not follow its protocol' },
  too_large: { code: 'upstream_error', text: "The model provider's answer is larger than allowed" },
  aborted: { code: 'client_closed', text: 'The caller closed the connection' },
} as const;

export type FailureReason = keyof typeof FAILURES;

/** A GatewayError that also says in which phase the send failed and whether the provider may have seen the request. */
export class UpstreamFailure extends GatewayError {
  readonly reason: FailureReason;
  /** False only when not a single byte was written: the provider cannot have seen the call. */
  readonly sent: boolean;

  constructor(reason: FailureReason, sent: boolean, hint: string | null = null) {
    const row = FAILURES[reason];
    super(row.code, hint === null ? `${row.text}.` : `${row.text} (${hint}).`);
    this.name = 'UpstreamFailure';
    this.reason = reason;
    this.sent = sent;
  }
}

/** The system's or the client's error code (`ECONNREFUSED`), when it looks like one. */
export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : null;
}
