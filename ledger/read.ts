import type postgres from 'postgres';
import { formatReceipt } from './append/receipts.ts';
import type { JsonValue } from './canonical.ts';
import type { EntryKind } from './entry.ts';
import type { KeyRing } from './keyring.ts';
import { openSections } from './sections.ts';
import { readCallEntries } from './stored.ts';
import type { StoredEntry } from './stored.ts';

/** One entry with its sections opened. A section whose key is gone is missing. */
export interface EntryRecord {
  readonly kind: string;
  readonly class: string;
  readonly seq: number;
  readonly hash: string;
  readonly timeMs: number;
  readonly wid: string;
  readonly sections: Readonly<Record<string, JsonValue>>;
  /** As sent in x-countersign-receipt; null when none is stored (yet). */
  readonly receipt: string | null;
}

/** All entries of one call. */
export interface CallRecord {
  readonly call: string;
  readonly log: string;
  readonly inc: number;
  /** Forwarded and not closed yet. */
  readonly open: boolean;
  readonly decision: EntryRecord | null;
  readonly outcome: EntryRecord | null;
  readonly lateOutcome: EntryRecord | null;
  readonly attempts: readonly EntryRecord[];
}

/** Everything the ledger holds of one call of one tenant; null when it holds nothing. */
export async function readCall(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  call: string,
): Promise<CallRecord | null> {
  const logs = await sql<{ log: string; inc: number }[]>`
    select log, inc from ledger.logs where tenant = ${tenant} order by inc`;
  // Asked first: a call that is closed by now has its outcome in what is read next.
  const open = await sql`
    select 1 from ledger.open_calls where call = ${call} and log = any (${logs.map(({ log }) => log)})`;
  const records: EntryRecord[] = [];
  let first: { readonly log: string; readonly inc: number } | null = null;
  for (const place of logs) {
    const entries = await readCallEntries(sql, place.log, call);
    // A call that was open when its log was ended has its outcome in a later one.
    if (entries.length > 0) first ??= place;
    for (const entry of entries) records.push(await toRecord(entry, place.inc, tenant, keys));
  }
  if (first === null) return null;
  const find = (kind: string): EntryRecord | null => records.find((record) => record.kind === kind) ?? null;
  return {
    call,
    ...first,
    open: open.length > 0 && find('outcome') === null,
    decision: find('decision'),
    outcome: find('outcome'),
    lateOutcome: find('late_outcome'),
    attempts: records.filter((record) => record.kind === 'attempt'),
  };
}

async function toRecord(entry: StoredEntry, inc: number, tenant: string, keys: KeyRing): Promise<EntryRecord> {
  const { sections } = await openSections(entry, tenant, keys);
  const values = [...sections].map(([name, { text }]) => [name, JSON.parse(text) as JsonValue] as const);
  const { kind, class: entryClass, seq, hash, timeMs, wid, receipt } = entry;
  return {
    kind,
    class: entryClass,
    seq,
    hash,
    timeMs,
    wid,
    sections: Object.fromEntries(values),
    receipt:
      receipt === null ? null : formatReceipt({ log: entry.log, inc, seq, hash }, receipt.wid, receipt.signature),
  };
}

/** One call as a cost report needs it. */
export interface CallOutcome {
  readonly call: string;
  readonly decisionSeq: number;
  /** The decision's time. */
  readonly timeMs: number;
  readonly decisionFacts: JsonValue;
  /** Facts of the outcome (of the late outcome when there is one); null while the call is open or when it was never forwarded. */
  readonly facts: JsonValue | null;
  /** Forwarded and not closed yet. */
  readonly open: boolean;
  /** Held while open, nano-USD. */
  readonly reservedNusd: bigint;
}

interface OutcomeRow {
  readonly seq: string;
  readonly call: string;
  readonly t: string;
  readonly facts: string;
  readonly outcome: string | null;
  readonly reserved: string | null;
}

const SPAN = 1000;

/**
 * Calls decided in [fromMs, toMs), in order; many short reads, never one long snapshot. A range of sequences is found by
 * bisection, because `t` never falls along a log.
 */
export async function* readOutcomes(
  sql: postgres.Sql,
  tenant: string,
  fromMs: number,
  toMs: number,
): AsyncGenerator<CallOutcome> {
  const logs = await sql<{ log: string; first: string; end: string }[]>`
    select log, ledger.first_at(log, ${fromMs}) as first, ledger.first_at(log, ${toMs}) as end
    from ledger.logs where tenant = ${tenant} order by inc`;
  for (const [index, { log, first, end }] of logs.entries()) {
    const later = logs.slice(index + 1).map((each) => each.log);
    for (let from = Number(first); from < Number(end); from += SPAN) {
      const rows = await sql<OutcomeRow[]>`
        select d.seq, d.call, d.t, d.facts, coalesce(l.facts, o.facts) as outcome, c.reserved from ledger.entries d
        left join ledger.entries o on o.log = d.log and o.call = d.call and o.class = 'outcome'
        left join ledger.entries l on l.log = d.log and l.call = d.call and l.class = 'late_outcome'
        left join ledger.open_calls c on c.log = d.log and c.call = d.call
        where d.log = ${log} and d.seq >= ${from} and d.seq < ${Math.min(from + SPAN, Number(end))} and d.class = 'decision'
        order by d.seq`;
      for (const row of rows)
        yield toOutcome(
          row.outcome === null && later.length > 0 && row.facts.includes('"open":true')
            ? { ...row, ...(await readLater(sql, later, row.call)) }
            : row,
        );
    }
  }
}

/** Facts of the entries of a kind in [fromMs, toMs), in order; short reads like those of `readOutcomes`. */
export async function* readFacts(
  sql: postgres.Sql,
  tenant: string,
  kind: EntryKind,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): AsyncGenerator<JsonValue> {
  const logs = await sql<{ log: string; first: string; end: string }[]>`
    select log, ledger.first_at(log, ${fromMs}) as first, ledger.first_at(log, ${toMs}) as end
    from ledger.logs where tenant = ${tenant} order by inc`;
  for (const { log, first, end } of logs) {
    for (let from = Number(first); from < Number(end); from += SPAN) {
      const rows = await sql<{ facts: string }[]>`
        select facts from ledger.entries
        where log = ${log} and seq >= ${from} and seq < ${Math.min(from + SPAN, Number(end))} and kind = ${kind}
        order by seq`;
      for (const { facts } of rows) yield JSON.parse(facts) as JsonValue;
    }
  }
}

/** What became of a call in the logs of later incarnations. */
async function readLater(
  sql: postgres.Sql,
  logs: readonly string[],
  call: string,
): Promise<Pick<OutcomeRow, 'outcome' | 'reserved'>> {
  const [closed] = await sql<{ facts: string }[]>`
    select facts from ledger.entries where log = any (${logs}) and call = ${call} and class in ('outcome', 'late_outcome')
    order by class limit 1`;
  const [open] = await sql<{ reserved: string }[]>`
    select reserved from ledger.open_calls where log = any (${logs}) and call = ${call}`;
  return { outcome: closed?.facts ?? null, reserved: open?.reserved ?? null };
}

function toOutcome(row: OutcomeRow): CallOutcome {
  return {
    call: row.call,
    decisionSeq: Number(row.seq),
    timeMs: Number(row.t),
    decisionFacts: JSON.parse(row.facts) as JsonValue,
    facts: row.outcome === null ? null : (JSON.parse(row.outcome) as JsonValue),
    open: row.reserved !== null,
    reservedNusd: BigInt(row.reserved ?? 0),
  };
}

/** The whole ledger in numbers. */
export interface LedgerOverview {
  readonly logs: readonly {
    readonly log: string;
    readonly tenant: string;
    readonly inc: number;
    readonly entries: number;
    readonly hash: string | null;
    readonly timeMs: number | null;
  }[];
  readonly openCalls: number;
  readonly writers: readonly {
    readonly wid: string;
    readonly generation: number;
    readonly fenced: boolean;
    readonly leaseUntilMs: number;
  }[];
}

/** Sizes and heads of all logs, open calls, and the newest 100 writers. */
export async function ledgerStatus(sql: postgres.Sql): Promise<LedgerOverview> {
  const logs = await sql<
    { log: string; tenant: string; inc: number; seq: string | null; hash: string | null; t: string | null }[]
  >`
    select l.log, l.tenant, l.inc, e.seq, encode(e.hash, 'hex') as hash, e.t from ledger.logs l
    left join lateral (select seq, hash, t from ledger.entries x where x.log = l.log order by x.seq desc limit 1) e on true
    order by l.slot`;
  const [open] = await sql<{ count: string }[]>`select count(*) as count from ledger.open_calls`;
  const writers = await sql<{ wid: string; generation: string; fenced: boolean; until: Date }[]>`
    select wid, generation, fenced, lease_until as until from ledger.writers order by lease_until desc limit 100`;
  return {
    logs: logs.map(({ log, tenant, inc, seq, hash, t }) => ({
      log,
      tenant,
      inc,
      entries: seq === null ? 0 : Number(seq) + 1,
      hash,
      timeMs: t === null ? null : Number(t),
    })),
    openCalls: Number(open?.count ?? 0),
    writers: writers.map(({ wid, generation, fenced, until }) => ({
      wid,
      generation: Number(generation),
      fenced,
      leaseUntilMs: until.getTime(),
    })),
  };
}
