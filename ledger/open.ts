import { unavailable } from './append/pending.ts';
import { leaseTimes } from './append/lease.ts';
import { createReceiptBook } from './append/receipts.ts';
import { ProcessLedger } from './append/process-ledger.ts';
import { registerWriter } from './append/writer.ts';
import { DEPLOYMENT } from './entry.ts';
import { LedgerError } from './error.ts';
import type { Ledger, LedgerOptions } from './ledger.ts';
import { createRandomHex } from './random.ts';

/**
 * Registers this process as a writer with a fresh Ed25519 key and lease, and tells the deployment log of it.
 *
 * @throws {LedgerError}
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const random = createRandomHex();
  const receipts = createReceiptBook();
  try {
    await options.keys.tenantKey(DEPLOYMENT);
    const writer = await registerWriter({ ...options, receipts, random, leaseMs: leaseTimes(options).leaseMs });
    const ledger = new ProcessLedger(options, writer, receipts, random);
    await ledger.start();
    return ledger;
  } catch (error) {
    throw error instanceof LedgerError ? error : unavailable('start', error);
  }
}
