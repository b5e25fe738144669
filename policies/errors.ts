/**
 * Why a bundle, a compiler or a parameter was refused. `message` says what was expected, what was found and what to do;
 * it holds no policy input.
 */
export type PolicyErrorCode =
  | 'compiler_missing'
  | 'compiler_version'
  | 'compiler_failed'
  | 'rules_refused'
  | 'invalid_bundle'
  | 'invalid_signature'
  | 'bundle_too_large'
  | 'unsupported_module'
  | 'unsupported_builtin'
  | 'unknown_entrypoint'
  | 'data_too_large'
  | 'invalid_parameters'
  | 'invalid_metadata'
  | 'duplicate_bundle';

/** The one error of this leaf. */
export class PolicyError extends Error {
  readonly code: PolicyErrorCode;

  constructor(code: PolicyErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PolicyError';
    this.code = code;
  }
}
