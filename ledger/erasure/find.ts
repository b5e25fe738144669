import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { LedgerError } from '../error.ts';
import { subjectMac } from '../keyring.ts';
import type { KeyRing } from '../keyring.ts';
import { openSections } from '../sections.ts';
import type { SealedKind } from '../stored-keys.ts';
import { blindValue, searchIndex } from './blind-index.ts';
import type { NamedValue } from './blind-index.ts';

/** Whom an erasure is about: the one who called, or somebody a content names. */
export type Person = { readonly subject: string } | { readonly named: NamedValue };

/** An entry about the person. */
export interface FoundEntry {
  readonly log: string;
  readonly seq: number;
  readonly kind: string;
  readonly call: string;
  readonly timeMs: number;
  /** The key that seals it. */
  readonly key: string;
}

/** A key that would have to be destroyed: that of one caller's decisions or outcomes in one month. */
export interface FoundKey {
  readonly key: string;
  readonly month: string;
  readonly seals: SealedKind;
  /** Entries about the person. */
  readonly matches: number;
  /** All entries that lose their sealed sections with it, those about others too. */
  readonly entries: number;
}

/** What would be erased, and what cannot be told. */
export interface Found {
  readonly tenant: string;
  readonly scope: 'subject' | 'finding';
  /** Stands for the person in approvals and entries; says nothing without the tenant's key. */
  readonly mac: string;
  /** By month, and in it by what they seal. */
  readonly keys: readonly FoundKey[];
  /** In order, at most MAX_LISTED. */
  readonly entries: readonly FoundEntry[];
  readonly matches: number;
  /** Entries with findings whose index is missing or not complete: they may name the person too. */
  readonly unknown: number;
}

/** Entries that are listed; all are counted. */
const MAX_LISTED = 10_000;
const SPAN = 2000;

interface Tally {
  readonly entries: FoundEntry[];
  readonly matches: Map<string, number>;
  unknown: number;
}

/**
 * Finds the entries about a person and the keys that seal them, in short reads over the whole log: sealed findings are opened and
 * compared. Entries that were erased before are not among them.
 */
export async function findPerson(sql: postgres.Sql, keys: KeyRing, tenant: string, person: Person): Promise<Found> {
  await keys.tenantKey(tenant);
  const logs = await sql<{ log: string; tail: string }[]>`
    select l.log, coalesce(e.seq, -1) as tail from ledger.logs l
    left join lateral (select seq from ledger.entries x where x.log = l.log order by x.seq desc limit 1) e on true
    where l.tenant = ${tenant} order by l.inc`;
  const spans = logs.map(({ log, tail }) => ({ log, tail: Number(tail) }));
  const tally: Tally = { entries: [], matches: new Map(), unknown: 0 };
  if ('subject' in person) {
    const mac = subjectMac(keys, tenant, person.subject);
    const rows = await sql<{ id: string }[]>`
      select id::text as id from keystore.subject_keys where tenant = ${tenant} and subject = ${mac}`;
    const refs = rows.map(({ id }) => id);
    for (const ref of refs) tally.matches.set(ref, 0);
    for (const span of spans) await collectSealed(sql, span, refs, tally);
    return describe(sql, { tenant, scope: 'subject', mac }, tally, tally.matches);
  }
  const mac = blindValue(keys, tenant, person.named);
  for (const span of spans) await collectNamed(sql, keys, tenant, span, mac, tally);
  const refs = await keysOfCalls(sql, tenant, [...tally.matches.keys()]);
  const counts = new Map(refs.map((ref) => [ref, 0]));
  for (const span of spans) await countSealed(sql, span, counts);
  return describe(sql, { tenant, scope: 'finding', mac }, tally, counts);
}

/** A call that names somebody is erased whole, its answer too: with the key of the other kind that was made together with this one. */
async function keysOfCalls(sql: postgres.Sql, tenant: string, refs: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select distinct o.id::text as id from keystore.subject_keys k
    join keystore.subject_keys o using (tenant, subject, month, kept_days)
    where k.tenant = ${tenant} and k.id = any (string_to_array(${refs.join(',')}, ',')::bigint[])
      and (o.id = k.id or 'call' not in (o.seals, k.seals))`;
  return rows.map(({ id }) => id);
}

interface Span {
  readonly log: string;
  readonly tail: number;
}

interface Row {
  readonly seq: string;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly t: string;
  readonly key: string;
  readonly sealed: Buffer | null;
}

/** Every entry that one of the keys seals. */
async function collectSealed(
  sql: postgres.Sql,
  { log, tail }: Span,
  refs: readonly string[],
  tally: Tally,
): Promise<void> {
  if (refs.length === 0) return;
  for (let from = 0; from <= tail; from += SPAN) {
    const rows = await sql<Row[]>`
      select seq, kind, class, call, t, key::text as key from ledger.entries
      where log = ${log} and seq >= ${from} and seq < ${from + SPAN}
        and key = any (string_to_array(${refs.join(',')}, ',')::bigint[]) order by seq`;
    for (const row of rows) add(tally, log, row);
  }
}

/** Every entry whose sealed index names the value. */
async function collectNamed(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  { log, tail }: Span,
  mac: string,
  tally: Tally,
): Promise<void> {
  for (let from = 0; from <= tail; from += SPAN / 4) {
    const rows = await sql<Row[]>`
      select seq, kind, class, call, t, key::text as key, sealed from ledger.entries
      where log = ${log} and seq >= ${from} and seq < ${from + SPAN / 4} and key is not null and sealed is not null order by seq`;
    for (const row of rows) {
      const { sections } = await openSections(
        { ...row, keyRef: row.key, facts: '', factsSalt: '', content: null },
        tenant,
        keys,
      );
      const found = searchIndex(parse(sections.get('findings')?.text), mac);
      if (found === 'named') add(tally, log, row);
      if (found === 'unknown') tally.unknown += 1;
    }
  }
}

function add(tally: Tally, log: string, { seq, kind, call, t, key }: Row): void {
  tally.matches.set(key, (tally.matches.get(key) ?? 0) + 1);
  if (tally.entries.length < MAX_LISTED)
    tally.entries.push({ log, seq: Number(seq), kind, call, timeMs: Number(t), key });
}

async function countSealed(sql: postgres.Sql, { log, tail }: Span, counts: Map<string, number>): Promise<void> {
  if (counts.size === 0) return;
  const refs = [...counts.keys()].join(',');
  for (let from = 0; from <= tail; from += SPAN) {
    const rows = await sql<{ key: string; count: number }[]>`
      select key::text as key, count(*)::integer as count from ledger.entries
      where log = ${log} and seq >= ${from} and seq < ${from + SPAN}
        and key = any (string_to_array(${refs}, ',')::bigint[]) group by key`;
    for (const { key, count } of rows) counts.set(key, (counts.get(key) ?? 0) + count);
  }
}

async function describe(
  sql: postgres.Sql,
  about: Pick<Found, 'tenant' | 'scope' | 'mac'>,
  tally: Tally,
  counts: ReadonlyMap<string, number>,
): Promise<Found> {
  const rows = await sql<{ id: string; month: string; seals: SealedKind }[]>`
    select id::text as id, month, seals from keystore.subject_keys
    where tenant = ${about.tenant} and id = any (string_to_array(${[...counts.keys()].join(',')}, ',')::bigint[])
    order by month, seals, id`;
  const keys = rows.map(({ id, month, seals }) => ({
    key: id,
    month,
    seals,
    matches: tally.matches.get(id) ?? 0,
    entries: counts.get(id) ?? 0,
  }));
  const matches = [...tally.matches.values()].reduce((sum, count) => sum + count, 0);
  return { ...about, keys, entries: tally.entries, matches, unknown: tally.unknown };
}

/** A damaged section is the verifier's work; here it names nobody. */
function parse(text: string | undefined): JsonValue {
  try {
    return JSON.parse(text ?? 'null') as JsonValue;
  } catch {
    throw new LedgerError(
      'invalid_value',
      'expected findings that can be read, found a damaged entry; run "countersign ledger verify"',
    );
  }
}
