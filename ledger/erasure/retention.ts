import type postgres from 'postgres';
import { eraseKeys, MAX_KEYS } from './erase.ts';
import { lockErasures, readHolds } from './holds.ts';
import type { ErasureDesk } from './holds.ts';

/** What the retention job needs. */
export interface RetentionOptions extends ErasureDesk {
  readonly sql: postgres.Sql;
  /** Unix ms. */
  readonly now: () => number;
}

/** How long contents of a tenant are kept. */
export interface Retention {
  readonly tenant: string;
  readonly contentDays: number;
}

const DAY_MS = 86_400_000;

/**
 * The UTC month before which months ended at least so many days ago, and its beginning in unix ms; null when that is before all time.
 * A clock that is ahead, of this process or of the database, ends nothing early: the earlier of the two counts.
 */
export async function retentionEnd(
  sql: postgres.Sql,
  now: () => number,
  contentDays: number,
): Promise<{ readonly month: string; readonly ms: number } | null> {
  const [row] = await sql<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  const cutoffMs = Math.min(now(), row?.ms ?? 0) - contentDays * DAY_MS;
  if (cutoffMs <= 0) return null;
  const month = new Date(cutoffMs).toISOString().slice(0, 7);
  return { month, ms: Date.parse(`${month}-01T00:00:00Z`) };
}

/**
 * Destroys the subject keys of months that ended at least `contentDays` ago, except those under a legal hold, and records it. Answers
 * how many keys were destroyed.
 */
export async function enforceRetention(options: RetentionOptions, { tenant, contentDays }: Retention): Promise<number> {
  const { sql, now } = options;
  const end = await retentionEnd(sql, now, contentDays);
  if (end === null) return 0;
  let destroyed = 0;
  for (;;) {
    const count = await sql.begin((tx) => destroyBatch(tx, options, { tenant, contentDays, month: end.month }));
    destroyed += count;
    if (count < MAX_KEYS) return destroyed;
  }
}

async function destroyBatch(
  tx: postgres.TransactionSql,
  desk: ErasureDesk,
  { tenant, contentDays, month }: Retention & { readonly month: string },
): Promise<number> {
  await lockErasures(tx, tenant);
  const holds = await readHolds(tx, desk.keys, tenant);
  if (holds.some(({ mac }) => mac === null)) return 0;
  const held = holds.map(({ mac }) => mac).join(',');
  const rows = await tx<{ id: string }[]>`
    select id::text as id from keystore.subject_keys
    where tenant = ${tenant} and month < ${month} and subject <> all (string_to_array(${held}, ','))
    order by month, id limit ${MAX_KEYS}`;
  if (rows.length === 0) return 0;
  const { keys } = await eraseKeys(tx, desk, {
    tenant,
    scope: 'retention',
    basis: 'retention',
    keys: rows.map(({ id }) => id),
    facts: { before_month: month, content_days: contentDays },
    detail: {},
  });
  return keys.length;
}
