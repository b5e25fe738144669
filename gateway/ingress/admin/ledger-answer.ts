/** What the ledger says no to, as answers of the admin listener. */
import { LedgerError, type LedgerErrorCode } from '../../../ledger/index.ts';
import { GatewayError, type ErrorCode } from '../../errors.ts';

const CODES: Partial<Record<LedgerErrorCode, ErrorCode>> = {
  not_found: 'not_found',
  unknown_tenant: 'not_found',
  not_yet: 'conflict',
  invalid_value: 'invalid_request',
};

/**
 * Waits for a reading of the ledger.
 *
 * @throws GatewayError `not_found`, `invalid_request`, `conflict` when the next epoch has to come first
 */
export async function ledgerAnswer<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof LedgerError ? CODES[error.code] : undefined;
    if (!(error instanceof LedgerError) || code === undefined) throw error;
    throw new GatewayError(code, error.message, { cause: error, ...(code === 'conflict' ? { retryAfterS: 10 } : {}) });
  }
}
