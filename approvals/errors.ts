/** Why an approval could not be asked for, decided or used. */
export type ApprovalErrorCode =
  'not_found' | 'not_pending' | 'expired' | 'same_person' | 'role_missing' | 'other_tenant' | 'invalid_request';

/** The leaf's only error; the message is safe to show to whoever asked. */
export class ApprovalError extends Error {
  override readonly name = 'ApprovalError';
  readonly code: ApprovalErrorCode;

  constructor(code: ApprovalErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
