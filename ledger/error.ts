/** Why the ledger refused. `unavailable` may pass; every other code is a definite answer. */
export type LedgerErrorCode =
  | 'unavailable'
  | 'budget_exceeded'
  | 'unknown_scope'
  | 'call_closed'
  | 'duplicate'
  | 'fenced'
  | 'closed'
  | 'invalid_entry'
  | 'invalid_value'
  | 'unknown_tenant'
  | 'isolation'
  | 'root_key'
  | 'key_missing'
  | 'exists'
  | 'invalid_note'
  | 'invalid_proof'
  | 'not_found'
  | 'not_yet'
  | 'checkpoint_key'
  | 'forked'
  | 'not_forked'
  | 'held'
  | 'trust_policy'
  | 'witness'
  | 'timestamp'
  | 'archive';

/** The ledger's only error. The message says what was expected, what was found and what to do; never a payload or a key. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  /** The budget scope that had no room, for `budget_exceeded` and `unknown_scope`. */
  readonly scope: string | null;

  constructor(code: LedgerErrorCode, message: string, options: { scope?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.scope = options.scope ?? null;
  }
}
