import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { applyErasures } from './apply.ts';
import { lockErasures } from './holds.ts';
import { retentionEnd } from './retention.ts';
import type { Retention, RetentionOptions } from './retention.ts';

/** What of one log nobody can read any more and nothing holds: encrypted sections of entries before a sequence. */
export interface Prunable {
  readonly log: string;
  readonly before: number;
  readonly bodies: number;
  readonly bytes: number;
}

const SPAN = 20_000;
/** Entries looked at in one transaction of the database. */
const STEP = 5000;

/** The shorter retention of a tenant, whose prune entries are about all kinds: what its destroyed keys sealed is noise. Null: kept for ever. */
export function pruneDays({ decisionDays, outcomeDays }: Retention): number | null {
  if (decisionDays === null || outcomeDays === null) return decisionDays ?? outcomeDays;
  return Math.min(decisionDays, outcomeDays);
}

/**
 * Counts what may be pruned of a tenant: bodies of entries older than its shorter retention whose keys erasures destroyed, in short
 * reads over the logs.
 *
 * @param looked logs that were looked at with nothing to find, and have not changed since; they are not read again
 */
export async function findPrunable(
  { sql, now }: Pick<RetentionOptions, 'sql' | 'now'>,
  retention: Retention,
  looked: Set<string> = new Set(),
): Promise<Prunable[]> {
  const { tenant } = retention;
  const days = pruneDays(retention);
  const end = days === null ? null : await retentionEnd(sql, now, days);
  if (end === null) return [];
  const keys = await sql<{ key: string }[]>`
    select k::text as key from ledger.prunable_keys(${tenant}, ${2 ** 31 - 1}, 0) k`;
  if (keys.length === 0) return [];
  const refs = keys.map(({ key }) => key).join(',');
  const logs = await sql<{ log: string; before: string; state: string }[]>`
    select l.log, ledger.first_at(l.log, ${end.ms}) as before, (
      select count(*) from ledger.logs o join ledger.entries e on e.log = o.log
      where o.tenant = l.tenant and e.kind in ('erasure', 'hold')) as state
    from ledger.logs l where l.tenant = ${tenant} order by l.inc`;
  const found: Prunable[] = [];
  for (const { log, before, state } of logs) {
    const mark = `${log} ${before} ${state}`;
    if (looked.has(mark)) continue;
    const each = await count(sql, { log, before: Number(before) }, refs);
    if (each.bodies === 0) looked.add(mark);
    else found.push(each);
  }
  return found;
}

async function count(
  sql: postgres.Sql,
  { log, before }: Pick<Prunable, 'log' | 'before'>,
  refs: string,
): Promise<Prunable> {
  let [bodies, bytes] = [0, 0];
  for (let from = 0; from < before; from += SPAN) {
    const [row] = await sql<{ bodies: number; bytes: number }[]>`
      select count(*)::integer as bodies, coalesce(sum(coalesce(octet_length(e.sealed), 0) + coalesce(octet_length(e.content), 0)), 0)::float8 as bytes
      from ledger.entries e join unnest(string_to_array(${refs}, ',')::bigint[]) k(key) on k.key = e.key
      where e.log = ${log} and e.seq >= ${from} and e.seq < ${Math.min(before, from + SPAN)}
        and (e.sealed is not null or e.content is not null)`;
    bodies += row?.bodies ?? 0;
    bytes += row?.bytes ?? 0;
  }
  return { log, before, bodies, bytes };
}

/**
 * Orders the pruning of what `findPrunable` found, one entry for each log, durable before the first body is removed, and carries it
 * out. Whoever dies in between leaves an entry that the next run carries out.
 *
 * @returns bodies removed
 * @throws {LedgerError} `unavailable` when it is not certain that the entry is durable
 */
export async function pruneBodies(
  { sql, ledger }: RetentionOptions,
  retention: Retention,
  found: readonly Prunable[],
): Promise<number> {
  const { tenant } = retention;
  for (const { log, before, bodies, bytes } of found) {
    // No hold is placed and no key destroyed between what was found and the entry; the database looks at both again.
    await sql.begin(async (tx) => {
      await lockErasures(tx, tenant);
      await applyErasures(tx, 'new');
      await ledger.append({
        tenant,
        kind: 'prune',
        class: 'event',
        call: `pr-${randomBytes(16).toString('hex')}`,
        subject: null,
        sections: { facts: { log, before, bodies, bytes, basis: 'retention', content_days: pruneDays(retention) } },
      });
    });
  }
  return carryOutPrunes(sql);
}

/** Carries out what prune entries order and is not done yet, of all tenants, in short transactions. Answers how many bodies went. */
export async function carryOutPrunes(sql: postgres.Sql): Promise<number> {
  let removed = 0;
  for (;;) {
    const [row] = await sql<{ looked: string; removed: string }[]>`
      select looked, removed from ledger.carry_out_prunes(${STEP})`;
    if (row === undefined || row.looked === '0') return removed;
    removed += Number(row.removed);
  }
}
