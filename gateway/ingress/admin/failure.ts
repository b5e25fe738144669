/** Failures of the leaves as errors of the gateway. */
import { ApprovalError, type ApprovalErrorCode } from '../../../approvals/index.ts';
import { CostsError } from '../../../costs/index.ts';
import { LedgerError } from '../../../ledger/index.ts';
import { GatewayError, type ErrorCode } from '../../errors.ts';

const APPROVAL_CODES: Readonly<Record<ApprovalErrorCode, ErrorCode>> = {
  not_found: 'not_found',
  not_pending: 'conflict',
  expired: 'conflict',
  same_person: 'not_allowed',
  role_missing: 'not_allowed',
  other_tenant: 'not_found',
  invalid_request: 'invalid_request',
};

/** Null for a failure nobody foresaw. */
export function asGatewayError(error: unknown): GatewayError | null {
  if (error instanceof GatewayError) return error;
  if (error instanceof ApprovalError) return new GatewayError(APPROVAL_CODES[error.code], error.message);
  if (error instanceof CostsError && error.code === 'invalid_month') {
    return new GatewayError('invalid_request', 'Expected a month like 2026-11.', { param: 'month' });
  }
  if (error instanceof LedgerError && error.code === 'held') return new GatewayError('conflict', error.message);
  if (error instanceof LedgerError) {
    const message = 'The action could not be recorded or the ledger not be read, so nothing was done. Try again.';
    return new GatewayError('ledger_unavailable', message, { cause: error });
  }
  return isConnectionFailure(error)
    ? new GatewayError('ledger_unavailable', 'The database cannot be reached. Try again.', { cause: error })
    : null;
}

/** Codes of postgres.js and of sockets, and PostgreSQL's classes 08 (connection) and 57 (operator intervention). */
function isConnectionFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|08|57P)/.test(code);
}
