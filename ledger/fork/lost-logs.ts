import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import type { KeptHeads } from './kept-heads.ts';

/** A log that began after the copy was made: the restored database does not know it. */
export interface LostLog {
  readonly log: string;
  readonly inc: number;
  /** Null: not known. */
  readonly slot: number | null;
  /** The sequence after the last one that was acknowledged. */
  readonly to: number;
}

/** Logs that processes of this host wrote to and that are not in the database. */
export async function readLostLogs(sql: postgres.Sql, acknowledged: KeptHeads): Promise<LostLog[]> {
  const names = [...acknowledged.keys()];
  const known = await sql<{ log: string }[]>`select log from ledger.logs where log = any (${names})`;
  const logs = new Set(known.map(({ log }) => log));
  return [...acknowledged].flatMap(([log, { inc, slot, seq }]) =>
    logs.has(log) ? [] : [{ log, inc, slot, to: seq + 1 }],
  );
}

/** Logs whose loss was declared with an incarnation: nobody waits for them any more. */
export async function readForgottenLogs(sql: postgres.Sql): Promise<ReadonlySet<string>> {
  const rows = await sql<{ log: string }[]>`
    select x ->> 'log' as log from ledger.logs l join ledger.entries e on e.log = l.log and e.seq = 0 and e.kind = 'recovery'
    cross join lateral jsonb_array_elements(coalesce(e.facts::jsonb -> 'lost_logs', '[]')) x
    where l.tenant = ${DEPLOYMENT}`;
  return new Set(rows.map(({ log }) => log));
}
