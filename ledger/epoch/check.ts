import type { JsonValue } from '../canonical.ts';
import type { EntryHeader } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { ZERO_HASH } from '../merkle.ts';
import { originLine, parseCheckpoint } from '../note/checkpoint.ts';
import { parseVerifierKey } from '../note/key.ts';
import type { VerifierKey } from '../note/key.ts';
import { openNote, parseNote } from '../note/note.ts';
import { verifyInclusion } from '../tree/proof.ts';
import { CompactRange } from '../tree/range.ts';
import { asObject } from '../verify/call-check.ts';
import type { EvidenceLog } from '../verify/evidence.ts';
import type { BadVerdict, Finding } from '../verify/report.ts';
import { readEpochFacts } from './record.ts';
import { slotLeaf } from './slots.ts';

/** A head of a log that somebody committed to beside the entries. */
export interface BoundHead {
  readonly size: number;
  /** RFC 6962 tree head, lower hex. */
  readonly root: string;
  /** Who says so, for a sentence: `epoch 5`. */
  readonly says: string;
  /** Why it says nothing; null when it does. */
  readonly problem: string | null;
  /** A checkpoint covers it. */
  readonly covered: boolean;
  /** Somebody whom the reader believes has seen it. */
  readonly anchored?: boolean;
  /** What a `problem` shows; default TAMPERED. */
  readonly shows?: BadVerdict;
  /** What it shows when the log has another root; default TAMPERED. */
  readonly differs?: BadVerdict;
}

/** A finding and the first entry it may be about. */
export interface TreeFinding extends Finding {
  readonly seq: number;
}

/** One log's tree along the heads it was bound with: rewriting an entry shows at the next head. */
export class TreeCheck {
  readonly #range: CompactRange;
  readonly #heads: AsyncIterator<BoundHead>;
  #next: BoundHead | null = null;
  #good: number;
  #covered = 0;
  #anchored = 0;

  /**
   * @param heads by rising size
   * @param before the tree of the entries before the first that is checked; it is right when a later head is
   */
  constructor(heads: AsyncIterable<BoundHead>, before: CompactRange = CompactRange.empty()) {
    this.#heads = heads[Symbol.asyncIterator]();
    this.#range = before;
    this.#good = before.size;
  }

  /** Entries that a checkpoint covers. */
  get covered(): number {
    return this.#covered;
  }

  /** Entries that somebody whom the reader believes has seen. */
  get anchored(): number {
    return this.#anchored;
  }

  /** Entries that heads have confirmed so far. */
  get good(): number {
    return this.#good;
  }

  /** RFC 6962 tree head over the entries so far, lower hex. */
  root(): string {
    return this.#range.root();
  }

  /** Before the first entry. */
  async begin(): Promise<TreeFinding | null> {
    await this.#pull();
    return this.#compare();
  }

  /** @param leaf leaf hash of the next entry; null at once when no head ends with it */
  add(leaf: string): Promise<TreeFinding | null> | null {
    this.#range.append(leaf);
    return this.#next !== null && this.#next.size <= this.#range.size ? this.#compare() : null;
  }

  /** After the last entry: no head may lie beyond. */
  end(): TreeFinding | null {
    if (this.#next === null) return null;
    const { says, size } = this.#next;
    return {
      seq: this.#range.size,
      problem: `the end of the log is missing: ${says} bound it with ${String(size)} entries`,
      shows: 'INCOMPLETE',
    };
  }

  /** Whatever of the heads was not read is let go. */
  async close(): Promise<void> {
    await this.#heads.return?.();
  }

  async #compare(): Promise<TreeFinding | null> {
    const { size } = this.#range;
    const root = this.#range.root();
    while (this.#next !== null && this.#next.size <= size) {
      const { says, problem, covered, anchored, shows = 'TAMPERED', differs = 'TAMPERED' } = this.#next;
      if (problem !== null) return { seq: this.#good, problem, shows };
      if (this.#next.size < size) return { seq: this.#good, problem: `${says} is not in the order of its size` };
      if (this.#next.root !== root) {
        const first = size === 0 ? 'the empty log is' : `entries ${String(this.#good)} to ${String(size - 1)} are`;
        // Another head of this size was right: then somebody bound two histories.
        const isSecond = size > 0 && this.#good === size;
        return {
          seq: this.#good,
          problem: isSecond
            ? `${says} bound another history of the same ${String(size)} entries`
            : `${first} not what ${says} bound: at least one was rewritten`,
          shows: isSecond ? 'FORKED' : differs,
        };
      }
      this.#good = size;
      if (covered) this.#covered = size;
      if (anchored === true) this.#anchored = size;
      await this.#pull();
    }
    return null;
  }

  async #pull(): Promise<void> {
    const { done, value } = await this.#heads.next();
    this.#next = done === true ? null : value;
  }
}

/** An epoch as the deployment's log tells of it. */
export interface KnownEpoch {
  readonly root: string;
  readonly slots: number;
  /** Place of its entry among all entries of the deployment, for what came before what. */
  readonly place: number;
}

/** The epochs of the deployment's log, and when it told of other logs. 50 bytes an epoch. */
export class EpochBook {
  #roots = Buffer.alloc(32 * 64);
  readonly #slots: number[] = [];
  readonly #places: number[] = [];
  readonly #logs = new Map<string, number>();
  #head = ZERO_HASH;
  #place = 0;

  /** Number of epochs so far. */
  get count(): number {
    return this.#slots.length;
  }

  /** Every entry of the deployment's log, in order; facts null when they are withheld. */
  add({ kind }: EntryHeader, facts: JsonValue, hash: string): Finding | null {
    const place = this.#place;
    this.#place += 1;
    if (kind === 'log') {
      const { log } = asObject(facts);
      if (typeof log === 'string') this.#logs.set(log, place);
    }
    if (kind !== 'epoch') return null;
    const record = readEpochFacts(facts);
    if (record === null) return { section: 'facts', problem: 'the facts of an epoch are missing or have another form' };
    if (record.epoch !== this.count || record.prev !== this.#head)
      return { section: 'facts', problem: `epoch ${String(record.epoch)} does not follow the one before it` };
    if (this.count * 32 === this.#roots.length)
      this.#roots = Buffer.concat([this.#roots, Buffer.alloc(this.#roots.length)]);
    this.#roots.write(record.root, this.count * 32, 'hex');
    this.#slots.push(record.slots);
    this.#places.push(place);
    this.#head = hash;
    return null;
  }

  find(epoch: number): KnownEpoch | null {
    const [slots, place] = [this.#slots[epoch], this.#places[epoch]];
    if (slots === undefined || place === undefined) return null;
    return { root: this.#roots.toString('hex', epoch * 32, epoch * 32 + 32), slots, place };
  }

  /**
   * The newest epoch that must bind a log: heads are read after the entry of the epoch before, so a log told of before that
   * entry is in. Null when none has to.
   */
  owes(log: string): number | null {
    const told = this.#logs.get(log);
    const before = this.#places[this.count - 2];
    return told !== undefined && before !== undefined && told < before ? this.count - 1 : null;
  }
}

/** What an epoch says of one log, opened. */
export interface OpenedHead {
  readonly epoch: number;
  readonly size: number;
  readonly root: string;
  /** Lower hex. */
  readonly nonce: string;
  readonly path: readonly string[];
}

/** The head of an opening, checked against the epoch. @param coveredPlaces entries of the deployment a checkpoint covers */
export function openedHead(
  { epoch, size, root, nonce, path }: OpenedHead,
  { log, slot }: Pick<EvidenceLog, 'log' | 'slot'>,
  book: EpochBook,
  coveredPlaces: number,
): BoundHead {
  const says = `epoch ${String(epoch)}`;
  const known = book.find(epoch);
  const head = { size, root, says, covered: known !== null && known.place < coveredPlaces };
  if (known === null) return { ...head, problem: `the deployment log does not tell of ${says}`, shows: 'INCOMPLETE' };
  const leaf = slotLeaf({ log, nonce, root, size, slot });
  const isIn = verifyInclusion({ leaf, index: slot, size: known.slots, proof: path, root: known.root });
  return { ...head, problem: isIn ? null : `${says} does not bind this head of the log: its record was changed` };
}

/** A checkpoint's head, and what its signature is worth to this reader. */
export interface SignedHead {
  readonly head: BoundHead;
  /** A key the reader trusts for this log signed it. */
  readonly isTrusted: boolean;
  /** Verifier key of whom it says it is from. */
  readonly signer: string;
}

/**
 * The head a checkpoint signs. When no key the reader trusts has a line in it, the key given with it is used, which shows no more than
 * that it was not damaged.
 */
export function signedHead(
  { note, vkey }: { readonly note: string; readonly vkey: string },
  { origin, inc }: Pick<EvidenceLog, 'origin' | 'inc'>,
  keys: readonly VerifierKey[],
): SignedHead {
  try {
    const { signatures } = parseNote(note);
    const named = keys.filter(({ name, id }) => signatures.some((line) => line.name === name && line.id === id));
    const { text, verified } = openNote(note, named.length > 0 ? named : [parseVerifierKey(vkey)]);
    const { size, root, origin: line } = parseCheckpoint(text);
    const isOurs = line === originLine(origin, inc) && verified.every(({ key }) => key.name === line);
    const problem = isOurs ? null : 'a checkpoint of another log was put here';
    const head = { size, root, says: `the checkpoint of size ${String(size)}`, problem, covered: true };
    return { head, isTrusted: isOurs && named.length > 0, signer: vkey };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const problem = `a checkpoint was changed, or is not signed by the key it should be: ${error.message}`;
    return {
      head: { size: 0, root: '', says: 'a checkpoint', problem, covered: false },
      isTrusted: false,
      signer: vkey,
    };
  }
}
