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
  | 'invalid_pattern'
  /** The regular-expression engine that is installed cannot be loaded. */
  | 'engine_failed'
  /** A request in Presidio's form that Presidio refuses; the message is Presidio's. */
  | 'invalid_request'
  /** The same for a member that is missing, does not exist, or has a type it cannot use. */
  | 'malformed_request'
  /** A caller's own expressions are too long, too many, or took more than their share of work. */
  | 'limit_exceeded'
  /** A recognizer cannot judge what it matched, where Presidio's fails too. */
  | 'recognizer_failed'
  /** A recorded case of Presidio that needs what is not here. */
  | 'unknown_case'
  /** An operator meets values it cannot work on, where Presidio's ends with an unexpected exception. */
  | 'not_operable';

/** The one error this leaf throws; `code` says what to do about it. */
export class RedactionError extends Error {
  readonly code: RedactionErrorCode;

  constructor(code: RedactionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedactionError';
    this.code = code;
  }
}
