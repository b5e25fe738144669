import type postgres from 'postgres';
import { LedgerError } from './error.ts';
import type { Ledger } from './ledger.ts';

/** What one run of recoverExpired did. */
export interface RecoverResult {
  /** Writers whose lease had expired. */
  readonly fenced: readonly string[];
  /** Calls closed as `unknown`; their reservation is booked in full. */
  readonly closed: number;
}

interface OrphanRow {
  readonly tenant: string;
  readonly log: string;
  readonly call: string;
  readonly wid: string;
  readonly reserved: string;
}

const PAGE = 200;

/**
 * Fences writers whose lease expired and closes their open calls as `unknown`. Every process runs it every few seconds; two that
 * do so at once close each call once.
 */
export async function recoverExpired(options: { sql: postgres.Sql; ledger: Ledger }): Promise<RecoverResult> {
  const { sql, ledger } = options;
  const rows = await sql<{ wid: string }[]>`select wid from ledger.fence_expired(${ledger.wid}) as wid`;
  let closed = 0;
  let after = { log: '', call: '' };
  for (;;) {
    // Calls of writers fenced earlier are found too: the process that fenced them may have died before closing them.
    const page = await sql<OrphanRow[]>`
      select l.tenant, o.log, o.call, o.wid, o.reserved from ledger.open_calls o
      join ledger.writers w on w.wid = o.wid and w.fenced join ledger.logs l on l.log = o.log
      where (o.log, o.call) > (${after.log}, ${after.call}) order by o.log, o.call limit ${PAGE}`;
    const results = await Promise.all(page.map((row) => closeAsUnknown(ledger, row)));
    closed += results.filter(Boolean).length;
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return { fenced: rows.map((row) => row.wid), closed };
    after = { log: last.log, call: last.call };
  }
}

/** False when another survivor was faster. */
async function closeAsUnknown(ledger: Ledger, row: OrphanRow): Promise<boolean> {
  try {
    await ledger.append({
      tenant: row.tenant,
      kind: 'outcome',
      class: 'outcome',
      call: row.call,
      subject: null,
      sections: { facts: { status: 'unknown', cost_nusd: null, closed_for: row.wid } },
      settle: { nusd: BigInt(row.reserved) },
    });
    return true;
  } catch (error) {
    if (error instanceof LedgerError && (error.code === 'call_closed' || error.code === 'duplicate')) return false;
    throw error;
  }
}
