import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { sectionNames } from '../entry.ts';
import type { EntryHeader } from '../entry.ts';
import { ErasureCheck } from '../erasure/check.ts';
import { parseHeader } from '../header.ts';
import { leafHash, merkleRoot, sha256, ZERO_HASH } from '../merkle.ts';
import { sectionLeaf } from '../seal.ts';
import { asObject, CallCheck } from './call-check.ts';
import type { EvidenceEntry, EvidenceLog } from './evidence.ts';
import type { BadVerdict, Finding, LogReport, Problem } from './report.ts';
import { checkStatement } from './statement-check.ts';
import { bodyOf, checkKey, checkRow } from './row-check.ts';
import type { WriterCheck } from './writer-check.ts';

/** An entry as far as it was read; facts null when they are withheld. */
interface Looked {
  readonly header: EntryHeader;
  readonly facts: JsonValue;
}

/** A finding of whatever kind, without its place. */
interface Unplaced {
  readonly problem: string;
  readonly section?: string | null | undefined;
  readonly shows?: BadVerdict | undefined;
}

/** Walks one log from its first entry on; stops at the first problem. */
export class LogCheck {
  readonly #log: EvidenceLog;
  readonly #writers: WriterCheck;
  readonly #first: number;
  readonly calls: CallCheck;
  /** Keys that seal the entries, and keys that were destroyed by order. */
  readonly erasures: ErasureCheck;
  /** Logs a deployment log tells of, as canonical [inc, log, nonce, origin, slot]. */
  readonly announced = new Set<string>();
  /** Entries that a checkpoint covers; whoever walks the trees says so. */
  covered = 0;
  /** Entries that an outside anchor covers; whoever knows whom the reader believes says so. */
  anchored = 0;
  #next: number;
  #head: string;
  #timeMs = 0;
  #receipts = 0;
  #unread = 0;
  #last: Looked | null = null;
  #problem: Problem | null = null;
  readonly #until: number;
  /** Given to logs, in this and the incarnations before. */
  readonly #slots: Set<number>;
  /** What was found when the state that was asked for had been read. */
  #past: LogReport | null = null;
  #isOver = false;

  /**
   * @param part where a part of the log begins, and the hash of the entry before
   * @param until entries a state of the past had: what is wrong behind them is not its problem
   * @param previous the log of the incarnation before, when it was looked at
   */
  constructor(
    log: EvidenceLog,
    writers: WriterCheck,
    part: { first: number; prev: string } | null = null,
    until = Infinity,
    previous: LogCheck | null = null,
  ) {
    this.#until = until;
    this.#log = log;
    this.#writers = writers;
    this.erasures = new ErasureCheck(log.log);
    this.#first = this.#next = part?.first ?? 0;
    this.#head = part?.prev ?? ZERO_HASH;
    const isKnown = log.inc === 0 || previous?.problem === null;
    this.calls = new CallCheck(this.#first > 0 || !isKnown);
    if (previous !== null) this.calls.carry(previous.calls);
    this.#slots = previous === null ? new Set() : previous.#slots;
    const id = logId(log);
    if (id !== log.log) this.fail(null, { problem: 'the log id is not the hash of its origin, slot and nonce' });
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  /** The next sequence expected: the number of good entries, unless the log is checked in part. */
  get length(): number {
    return this.#next;
  }

  /** The state that was asked for was read. */
  get isPast(): boolean {
    return this.#past !== null;
  }

  /** False when the log is bad: the rest of it shows nothing more. */
  add(entry: EvidenceEntry): boolean {
    if (this.#problem !== null || this.#isOver) return false;
    this.#last = null;
    const finding = this.#check(entry);
    if (finding !== null) this.fail(this.#next, finding, this.writer);
    else this.#next += 1;
    if (this.#next === this.#until) this.#past ??= this.report();
    return finding === null;
  }

  /** The last entry that was looked at, when it has a header. */
  get last(): Looked | null {
    return this.#last;
  }

  /** Who wrote it, as the header says. */
  get writer(): string | null {
    return this.#last?.header.wid ?? null;
  }

  /** @param writer who wrote the entry with that sequence, when that is known */
  fail(
    seq: number | null,
    { problem, section = null, shows = 'TAMPERED' }: Unplaced,
    writer: string | null = null,
  ): void {
    const { log, tenant } = this.#log;
    if (this.#past !== null && seq !== null && seq >= this.#until) this.#isOver = true;
    else this.#problem ??= { log, tenant, seq, section, writer, file: null, problem, shows };
  }

  report(): LogReport {
    const { erased, pruned } = this.erasures;
    if (this.#past !== null)
      return { ...this.#past, erased, pruned, ...this.#shown(this.#until), problem: this.#problem };
    return {
      log: this.#log.log,
      tenant: this.#log.tenant,
      first: this.#first,
      entries: this.#next - this.#first,
      head: this.#next === this.#first ? null : this.#head,
      openCalls: this.calls.open.size,
      receipts: this.#receipts,
      unread: this.#unread,
      erased,
      pruned,
      ...this.#shown(this.#next),
      problem: this.#problem,
    };
  }

  /** Of the entries before `end`: how many a checkpoint covers, and how many an outside anchor. */
  #shown(end: number): Pick<LogReport, 'covered' | 'anchored'> {
    const within = (count: number): number => Math.max(0, Math.min(count, end) - this.#first);
    return { covered: within(this.covered), anchored: within(this.anchored) };
  }

  #check(entry: EvidenceEntry): Finding | null {
    const seq = String(this.#next);
    const { row } = entry;
    if (row !== undefined && row.seq !== this.#next) {
      return { problem: `entry ${seq} is missing: the next one there is ${String(row.seq)}` };
    }
    const header = parseHeader(entry.header);
    if (header === null) return { problem: 'the header is not a canonical header of this version' };
    this.#last = { header, facts: null };
    const hash = leafHash(entry.header);
    return (
      this.#checkPlace(header) ??
      (hash === entry.hash ? null : { problem: 'the header was changed: its hash is not the one stored beside it' }) ??
      this.#checkLink(header) ??
      checkRow(header, entry) ??
      this.#checkBody(header, entry) ??
      this.#checkStory(header, entry, hash)
    );
  }

  #checkPlace(header: EntryHeader): Finding | null {
    const { log, inc } = this.#log;
    if (header.log !== log)
      return { problem: `the header belongs to log ${header.log}: an entry of another log was put here` };
    if (header.seq !== this.#next) {
      return {
        problem: `the header says sequence ${String(header.seq)}: entries were removed, moved or put in another order`,
      };
    }
    if (header.inc !== inc)
      return { problem: `the header says incarnation ${String(header.inc)}, expected ${String(inc)}` };
    return null;
  }

  #checkLink(header: EntryHeader): Finding | null {
    if (header.prev !== this.#head) {
      return { problem: 'it does not link to the entry before it: that one or this one was rewritten' };
    }
    if (header.t < this.#timeMs) return { problem: 'its time is before that of the entry before it' };
    return null;
  }

  #checkBody(header: EntryHeader, { leaves, sections, row, areCanonical }: EvidenceEntry): Finding | null {
    const names = sectionNames(header.kind);
    for (const name of sections.keys())
      if (!names.includes(name)) return { problem: 'it discloses a section that nothing commits to' };
    if (leaves.length !== names.length) {
      return {
        problem: `expected ${String(names.length)} section hashes for kind ${header.kind}, found ${String(leaves.length)}`,
      };
    }
    for (const [index, name] of names.entries()) {
      const opened = sections.get(name);
      if (opened === undefined) this.#unread += 1;
      else if (
        sectionLeaf(opened.salt, opened.text) !== leaves[index] ||
        (areCanonical !== true && !isCanonical(opened.text))
      ) {
        return {
          section: name,
          problem: `section ${name} is not what was committed to: its text, salt or hash was changed`,
        };
      }
    }
    if (merkleRoot(leaves) !== header.body)
      return { problem: 'its section hashes do not add up to the body in the header' };
    const [part] = row?.damaged ?? [];
    if (part !== undefined)
      return { section: part, problem: `the encrypted ${part} were changed: their authentication tag does not fit` };
    // What the tenant's own key seals is never pruned.
    if (row?.body === 'missing' && row.keyRef === null) return { problem: 'its encrypted sections are missing' };
    return null;
  }

  /** A slot belongs to one log, for ever: two logs in one place would be two heads for whoever is shown one of them. */
  #announce(facts: Readonly<Record<string, JsonValue>>): Finding | null {
    const { slot } = facts;
    this.announced.add(announcement(facts));
    if (typeof slot !== 'number') return null;
    if (this.#slots.has(slot)) return { problem: `slot ${String(slot)} was given to a log before` };
    this.#slots.add(slot);
    return null;
  }

  /** What the entry means for calls, writers and receipts. */
  #checkStory(header: EntryHeader, entry: EvidenceEntry, hash: string): Finding | null {
    const facts = parseFacts(entry);
    this.#last = { header, facts };
    const finding =
      checkKey(header, facts, entry) ??
      this.calls.add(header, facts, entry) ??
      this.#writers.add(header, facts) ??
      (header.kind === 'policy' ? checkStatement(facts, entry, this.#writers) : null);
    const reused = header.kind === 'log' ? this.#announce(asObject(facts)) : null;
    if (reused !== null) return reused;
    // Behind a state of the past only orders count.
    const key = this.#past === null ? (entry.row?.keyRef ?? entry.erasedKey ?? null) : null;
    this.erasures.add(header.seq, header.kind, facts, key, bodyOf(entry));
    if (finding !== null) return finding;
    if (entry.receipt !== null) {
      const fits = this.#writers.isSigned(
        this.#log.origin,
        { log: header.log, inc: header.inc, seq: header.seq, hash },
        entry.receipt,
      );
      if (fits === false) return { problem: `the receipt is not signed by writer ${entry.receipt.wid} for this entry` };
      if (fits) this.#receipts += 1;
    }
    this.#head = hash;
    this.#timeMs = header.t;
    return null;
  }
}

/** What the deployment log says of a log, in one comparable text. */
export function announcement({ inc, log, nonce, origin, slot }: Readonly<Record<string, JsonValue>>): string {
  return canonicalJson([inc ?? null, log ?? null, nonce ?? null, origin ?? null, slot ?? null]);
}

/** SHA-256 of canonical [origin, slot, nonce]. */
export function logId({ origin, slot, nonce }: EvidenceLog): string {
  return sha256(canonicalJson([origin, slot, nonce]));
}

function isCanonical(text: string): boolean {
  try {
    parseCanonical(text);
    return true;
  } catch {
    return false;
  }
}

function parseFacts({ sections }: EvidenceEntry): JsonValue {
  const facts = sections.get('facts');
  return facts === undefined ? null : parseCanonical(facts.text);
}
