import type postgres from 'postgres';
import type { SealedKind } from '../stored-keys.ts';
import { eraseKeys, MAX_KEYS } from './erase.ts';
import { lockErasures, readHolds } from './holds.ts';
import type { ErasureDesk } from './holds.ts';

/** What the retention job needs. */
export interface RetentionOptions extends ErasureDesk {
  readonly sql: postgres.Sql;
  /** Unix ms. */
  readonly now: () => number;
}

/** How long contents of a tenant's calls are kept, in days; null: for ever. */
export interface Retention {
  readonly tenant: string;
  readonly decisionDays: number | null;
  /** Of outcomes and late outcomes. */
  readonly outcomeDays: number | null;
}

/** Keys that are kept equally long. */
interface KeyClass {
  readonly seals: SealedKind;
  readonly kept_days: number;
}

const DAY_MS = 86_400_000;

/**
 * The UTC month before which months ended at least so many days ago, and its beginning in unix ms; null when that is before all time.
 * A clock that is ahead, of this process or of the database, ends nothing early: the earlier of the two counts.
 */
export async function retentionEnd(
  sql: postgres.Sql,
  now: () => number,
  days: number,
): Promise<{ readonly month: string; readonly ms: number } | null> {
  const [row] = await sql<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  const cutoffMs = Math.min(now(), row?.ms ?? 0) - days * DAY_MS;
  if (cutoffMs <= 0) return null;
  const month = new Date(cutoffMs).toISOString().slice(0, 7);
  return { month, ms: Date.parse(`${month}-01T00:00:00Z`) };
}

/**
 * Destroys the subject keys of months that ended so long ago that neither the tenant nor a policy wants what they seal to be kept, except
 * those under a legal hold, and records it. Answers how many keys were destroyed.
 */
export async function enforceRetention(options: RetentionOptions, retention: Retention): Promise<number> {
  const { sql, now } = options;
  const { tenant } = retention;
  const classes = await sql<KeyClass[]>`
    select distinct seals, kept_days from keystore.subject_keys where tenant = ${tenant} order by seals, kept_days`;
  let destroyed = 0;
  for (const each of classes) {
    const days = daysOf(retention, each);
    const end = days === null ? null : await retentionEnd(sql, now, days);
    if (days === null || end === null) continue;
    for (let count = MAX_KEYS; count === MAX_KEYS; destroyed += count)
      count = await sql.begin((tx) => destroyBatch(tx, options, { tenant, ...each, days, month: end.month }));
  }
  return destroyed;
}

/** A key of both kinds is needed until neither is. */
function daysOf({ decisionDays, outcomeDays }: Retention, { seals, kept_days: keptDays }: KeyClass): number | null {
  const wanted = { decision: [decisionDays], outcome: [outcomeDays], call: [decisionDays, outcomeDays] }[seals];
  return wanted.reduce((most, days) => (most === null || days === null ? null : Math.max(most, days)), keptDays);
}

async function destroyBatch(
  tx: postgres.TransactionSql,
  desk: ErasureDesk,
  due: KeyClass & { readonly tenant: string; readonly days: number; readonly month: string },
): Promise<number> {
  const { tenant, seals, kept_days: keptDays, days, month } = due;
  await lockErasures(tx, tenant);
  const holds = await readHolds(tx, desk.keys, tenant);
  if (holds.some(({ mac }) => mac === null)) return 0;
  const held = holds.map(({ mac }) => mac).join(',');
  const rows = await tx<{ id: string }[]>`
    select id::text as id from keystore.subject_keys
    where tenant = ${tenant} and seals = ${seals} and kept_days = ${keptDays} and month < ${month}
      and subject <> all (string_to_array(${held}, ','))
    order by month, id limit ${MAX_KEYS}`;
  if (rows.length === 0) return 0;
  const { keys } = await eraseKeys(tx, desk, {
    tenant,
    scope: 'retention',
    basis: 'retention',
    keys: rows.map(({ id }) => id),
    facts: { before_month: month, content_days: days, kept_days: keptDays, seals },
    detail: {},
  });
  return keys.length;
}
