import { unavailable } from './append/pending.ts';
import { leaseTimes } from './append/lease.ts';
import { createReceiptBook } from './append/receipts.ts';
import { ProcessLedger } from './append/process-ledger.ts';
import { registerWriter } from './append/writer.ts';
import { DEPLOYMENT } from './entry.ts';
import { LedgerError } from './error.ts';
import { forkedError, forkedLedger } from './fork/forked-ledger.ts';
import { findFork } from './fork/guard.ts';
import type { ForkFinding } from './fork/guard.ts';
import type { Ledger, LedgerOptions } from './ledger.ts';
import { createRandomHex } from './random.ts';

function look({ sql, heads, origin, outside }: LedgerOptions): Promise<ForkFinding> {
  return findFork(sql, heads ?? null, origin, outside);
}

function forked(options: LedgerOptions, problem: string): Ledger {
  const { onForked, onFenced } = options;
  onForked?.(forkedError(problem));
  const isOver = async (): Promise<boolean> => {
    const finding = await look(options);
    // Who said so and does not answer now has not taken it back.
    return finding.problem === null && finding.outside.every(({ said }) => said === 'agrees');
  };
  return forkedLedger(problem, { isOver, onOver: () => onFenced?.() });
}

/**
 * A database from which something is missing gives a ledger in state `forked`, which refuses everything. Else it registers
 * this process as a writer with a fresh Ed25519 key and lease, and tells the deployment log of it.
 *
 * @throws {LedgerError}
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const random = createRandomHex();
  const receipts = createReceiptBook();
  try {
    const problem = options.isRecovery === true ? null : (await look(options)).problem;
    if (problem !== null) return forked(options, problem);
    await options.keys.tenantKey(DEPLOYMENT);
    const writer = await registerWriter({ ...options, receipts, random, leaseMs: leaseTimes(options).leaseMs });
    const ledger = new ProcessLedger(options, writer, receipts, random);
    await ledger.start();
    return ledger;
  } catch (error) {
    throw error instanceof LedgerError ? error : unavailable('start', error);
  }
}
