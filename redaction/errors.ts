/**
 * The leaf's failure vocabulary. Messages say what was expected, what was found and what to do; they never hold a
 * payload, because they end up in answers and logs.
 */
export type RedactionErrorCode =
  | 'invalid_json'
  | 'duplicate_key'
  | 'too_deep'
  | 'too_many_texts'
  | 'unknown_operator'
  | 'unknown_pointer'
  | 'invalid_pattern';

/** The one error this leaf throws; `code` says what to do about it. */
export class RedactionError extends Error {
  readonly code: RedactionErrorCode;

  constructor(code: RedactionErrorCode, message: string) {
    super(message);
    this.name = 'RedactionError';
    this.code = code;
  }
}
