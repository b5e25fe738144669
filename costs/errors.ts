/** What can be wrong with what this leaf is given. Prices that are merely not known are `null`, never an error. */
export type CostsErrorCode = 'invalid_price' | 'invalid_month' | 'invalid_usage' | 'invalid_record';

/** The leaf's only error. The message says what was expected, what was found and what to do. */
export class CostsError extends Error {
  readonly code: CostsErrorCode;

  constructor(code: CostsErrorCode, message: string) {
    super(message);
    this.name = 'CostsError';
    this.code = code;
  }
}
