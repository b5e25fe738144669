import type postgres from 'postgres';
import type { JsonValue } from './canonical.ts';
import { sectionNames } from './entry.ts';
import { parseHeader } from './header.ts';
import type { KeyRing } from './keyring.ts';
import { LedgerError } from './error.ts';
import { keyMark } from './erasure/key-mark.ts';
import { leafHash, merkleRoot, ZERO_HASH } from './merkle.ts';
import { sectionLeaf } from './seal.ts';
import { openSections } from './sections.ts';
import { readCallEntries, readEntries } from './stored.ts';
import type { StoredEntry } from './stored.ts';

/** An entry whose header, links and opened sections were checked against their hashes. */
export interface RecordedEntry {
  readonly seq: number;
  readonly kind: string;
  readonly facts: JsonValue;
  /** What decisions follow from: section `input` of a decision, `outcome` of an outcome; null when absent or erased. */
  readonly inputs: JsonValue | null;
  /** The key is gone; only the facts are left. */
  readonly erased: boolean;
}

/** A decision, and what followed it. */
export interface RecordedCall {
  readonly log: string;
  readonly tenant: string;
  readonly call: string;
  readonly timeMs: number;
  readonly decision: RecordedEntry;
  /** The late outcome where there is one; null while the call is open, and when it was never forwarded. */
  readonly outcome: RecordedEntry | null;
}

/** One log's entries as far as they were read: an unbroken chain, or the first entry that is none. */
export interface RecordedRange {
  readonly log: string;
  readonly tenant: string;
  readonly from: number;
  readonly entries: number;
  /** Hash of the last good entry, for comparison with a checkpoint or a receipt. */
  readonly head: string | null;
  readonly problem: { readonly seq: number; readonly problem: string } | null;
}

export interface RecordedQuery {
  readonly tenant: string;
  /** Decisions with fromMs <= t < toMs. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Called once for each log when its range was read. */
  readonly onRange: (range: RecordedRange) => void;
}

/** Decisions that wait for their outcome while a log is read; beyond, the oldest looks its outcome up. */
const MAX_WAITING = 1000;

/**
 * A tenant's decisions of a span of time with their outcomes, each entry checked before it is given out; many short reads,
 * never one long snapshot. Reading of a log ends at the first entry that is not what was committed to.
 */
export async function* readRecorded(
  sql: postgres.Sql,
  keys: KeyRing,
  query: RecordedQuery,
): AsyncGenerator<RecordedCall> {
  const logs = await sql<{ log: string; first: string; end: string }[]>`
    select log, ledger.first_at(log, ${query.fromMs}) as first, ledger.first_at(log, ${query.toMs}) as end
    from ledger.logs where tenant = ${query.tenant} order by inc`;
  for (const [index, { log, first, end }] of logs.entries()) {
    const later = logs.slice(index + 1).map((each) => each.log);
    const reader = new RangeReader(sql, keys, query.tenant, [log, ...later]);
    yield* reader.read(Number(first), Number(end));
    query.onRange(reader.report());
  }
}

/** One call with its outcome, checked the same way but for its place in the chain; null when there is none. */
export async function readRecordedCall(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  call: string,
): Promise<RecordedCall | null> {
  const rows = await sql<{ log: string }[]>`select log from ledger.logs where tenant = ${tenant} order by inc`;
  const logs = rows.map(({ log }) => log);
  for (const index of logs.keys()) {
    const found = await new RangeReader(sql, keys, tenant, logs.slice(index)).readCall(call);
    if (found !== null) return found;
  }
  return null;
}

interface Waiting {
  readonly entry: StoredEntry;
  readonly decision: RecordedEntry;
}

class RangeReader {
  readonly #sql: postgres.Sql;
  readonly #keys: KeyRing;
  readonly #tenant: string;
  readonly #log: string;
  /** Of later incarnations, where calls are closed that were open when this one was ended. */
  readonly #later: readonly string[];
  readonly #waiting = new Map<string, Waiting>();
  #from = 0;
  #entries = 0;
  #head: string | null = null;
  #problem: RecordedRange['problem'] = null;

  constructor(sql: postgres.Sql, keys: KeyRing, tenant: string, [log = '', ...later]: readonly string[]) {
    this.#sql = sql;
    this.#keys = keys;
    this.#tenant = tenant;
    this.#log = log;
    this.#later = later;
  }

  report(): RecordedRange {
    return {
      log: this.#log,
      tenant: this.#tenant,
      from: this.#from,
      entries: this.#entries,
      head: this.#entries === 0 ? null : this.#head,
      problem: this.#problem,
    };
  }

  async *read(first: number, end: number): AsyncGenerator<RecordedCall> {
    this.#from = first;
    this.#head = first === 0 ? ZERO_HASH : null;
    for await (const entry of readEntries(this.#sql, this.#log, first, end - 1, false)) {
      const recorded = await this.#next(entry);
      if (recorded === null) break;
      yield* this.#follow(entry, recorded);
    }
    for (const { entry } of this.#waiting.values()) yield* this.#lookUp(entry);
  }

  async readCall(call: string): Promise<RecordedCall | null> {
    const entries = await readCallEntries(this.#sql, this.#log, call);
    const first = entries.find((entry) => entry.kind === 'decision');
    if (first === undefined) return null;
    let last = entries.findLast(isClosing);
    for (const log of this.#later) last ??= (await readCallEntries(this.#sql, log, call)).findLast(isClosing);
    const decision = await this.#check(first);
    return this.#toCall(first, decision, last === undefined ? null : await this.#check(last));
  }

  async #next(entry: StoredEntry): Promise<RecordedEntry | null> {
    const expected = this.#from + this.#entries;
    return this.#unlessDamaged(async () => {
      if (entry.seq !== expected) throw damage(expected, 'it is missing');
      const recorded = await this.#check(entry, this.#head);
      this.#entries += 1;
      this.#head = entry.hash;
      return recorded;
    }, expected);
  }

  async #unlessDamaged<T>(read: () => Promise<T>, seq: number): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof LedgerError && error.code === 'invalid_entry')) throw error;
      this.#problem ??= { seq, problem: error.message };
      return null;
    }
  }

  async *#follow(entry: StoredEntry, recorded: RecordedEntry): AsyncGenerator<RecordedCall> {
    if (entry.kind === 'decision') {
      if (!isForwarded(recorded.facts)) yield this.#toCall(entry, recorded, null);
      else this.#waiting.set(entry.call, { entry, decision: recorded });
      const [oldest] = this.#waiting.values();
      if (oldest !== undefined && this.#waiting.size > MAX_WAITING) yield* this.#lookUp(oldest.entry);
      return;
    }
    const waiting = this.#waiting.get(entry.call);
    if (waiting === undefined || (entry.kind !== 'outcome' && entry.kind !== 'late_outcome')) return;
    // A call that was given up may still get a late outcome, which then tells more.
    if (entry.kind === 'outcome' && statusOf(recorded.facts) === 'unknown') return;
    this.#waiting.delete(entry.call);
    yield this.#toCall(waiting.entry, waiting.decision, recorded);
  }

  /** The outcome may lie beyond the range. */
  async *#lookUp({ call, seq }: StoredEntry): AsyncGenerator<RecordedCall> {
    this.#waiting.delete(call);
    const found = await this.#unlessDamaged(() => this.readCall(call), seq);
    if (found !== null) yield found;
  }

  #toCall({ call, timeMs }: StoredEntry, decision: RecordedEntry, outcome: RecordedEntry | null): RecordedCall {
    return { log: this.#log, tenant: this.#tenant, call, timeMs, decision, outcome };
  }

  /** @param previous hash of the entry before; null: nothing is known of it */
  async #check(entry: StoredEntry, previous: string | null = null): Promise<RecordedEntry> {
    const header = parseHeader(entry.header);
    if (header === null || leafHash(entry.header) !== entry.hash) throw damage(entry.seq, 'the header was changed');
    const { log, seq, kind, call } = header;
    if (log !== entry.log || seq !== entry.seq || kind !== entry.kind || call !== entry.call)
      throw damage(entry.seq, 'the header is about another entry');
    if (previous !== null && header.prev !== previous)
      throw damage(entry.seq, 'it does not link to the entry before it');
    const opened = await openSections({ ...entry, content: null }, this.#tenant, this.#keys);
    const leaves = entry.leaves.match(/.{64}/g) ?? [];
    if (merkleRoot(leaves) !== header.body) throw damage(entry.seq, 'its section hashes do not add up to its body');
    if (opened.damaged.length > 0) throw damage(entry.seq, 'its encrypted sections were changed');
    for (const [index, name] of sectionNames(kind).entries()) {
      // Contents may be large, have a blob of their own and decide nothing: they are not read.
      const section = name === 'content' ? undefined : opened.sections.get(name);
      if (section !== undefined && sectionLeaf(section.salt, section.text) !== leaves[index])
        throw damage(entry.seq, `section ${name} is not what was committed to`);
    }
    const read = (name: string): JsonValue => JSON.parse(opened.sections.get(name)?.text ?? 'null') as JsonValue;
    const facts = read('facts');
    // Which key seals it stands outside the header: pointing an entry at a destroyed key would make it look erased.
    const mark = entry.keyRef === null ? null : keyMark(entry.keyRef, call);
    if (member(member(facts, 'ledger'), 'key') !== mark) throw damage(seq, 'its key is not the one its facts name');
    const inputs = read(kind === 'decision' ? 'input' : 'outcome');
    return { seq, kind, facts, inputs, erased: opened.erased };
  }
}

function damage(seq: number, found: string): LedgerError {
  return new LedgerError(
    'invalid_entry',
    `expected entry ${String(seq)} as it was committed to, found that ${found}; run "countersign ledger verify"`,
  );
}

function member(facts: JsonValue, name: string): JsonValue {
  return typeof facts === 'object' && facts !== null && !Array.isArray(facts) ? (facts[name] ?? null) : null;
}

function isClosing({ kind }: StoredEntry): boolean {
  return kind === 'outcome' || kind === 'late_outcome';
}

function isForwarded(facts: JsonValue): boolean {
  // What was applied: a denial that was only observed went on, an answer to another enforcement point did not.
  return (member(facts, 'applied') ?? member(facts, 'effect')) === 'allow';
}

function statusOf(facts: JsonValue): JsonValue {
  return member(facts, 'status');
}
