import type postgres from 'postgres';

/** Calls that policies were asked about. */
export interface DecidedCounts {
  readonly decisions: number;
  /** Denied, or not decided. */
  readonly denied: number;
}

/** As many decisions are looked at: enough to tell rates apart, and a few milliseconds for the database. */
const MOST = 5000;

/**
 * Counts a tenant's decisions in [fromMs, toMs), of all processes that write: the newest 5,000 of them, or the oldest.
 * What was refused before a policy was asked does not count.
 */
export async function countDecided(
  sql: postgres.Sql,
  tenant: string,
  { fromMs, toMs, newest }: { readonly fromMs: number; readonly toMs: number; readonly newest: boolean },
): Promise<DecidedCounts> {
  const logs = await sql<{ log: string; first: string; end: string }[]>`
    select log, ledger.first_at(log, ${fromMs}) as first, ledger.first_at(log, ${toMs}) as end
    from ledger.logs where tenant = ${tenant} order by inc desc limit 1`;
  const [current] = logs;
  if (current === undefined) return { decisions: 0, denied: 0 };
  const { log, first, end } = current;
  const [row] = await sql<{ decisions: number; denied: number }[]>`
    select count(*)::int as decisions, (count(*) filter (where effect in ('deny', 'undecided')))::int as denied from (
      select facts::jsonb ->> 'effect' as effect from ledger.entries
      where log = ${log} and seq >= ${first} and seq < ${end} and class = 'decision'
      order by ${newest ? sql`seq desc` : sql`seq`} limit ${MOST}) looked
    where effect in ('allow', 'deny', 'require_approval', 'undecided')`;
  return { decisions: row?.decisions ?? 0, denied: row?.denied ?? 0 };
}
