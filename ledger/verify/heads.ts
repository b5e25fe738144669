import { DEPLOYMENT } from '../entry.ts';
import { openedHead, signedHead } from '../epoch/check.ts';
import type { BoundHead, OpenedHead } from '../epoch/check.ts';
import type { RangeEvidence } from '../export/range-file.ts';
import { originLine } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { verifyConsistency } from '../tree/proof.ts';
import type { AnchorCheck } from './anchors.ts';
import type { EvidenceLog } from './evidence.ts';
import type { TreeWalk } from './tree-walk.ts';
import { logKeys } from './trust.ts';
import type { ReaderTrust } from './trust.ts';

/** A checkpoint as it is kept beside its log. */
export interface KeptNote {
  readonly note: string;
  readonly vkey: string;
}

/** The heads one log was bound with, checked as they are read: a deployment's checkpoints, a tenant's epochs. */
export class HeadCheck {
  readonly #log: EvidenceLog;
  readonly #walk: TreeWalk;
  readonly #trust: ReaderTrust;
  readonly #anchors: AnchorCheck;
  readonly #part: RangeEvidence | null;
  /** Of a part of a log: the epoch that bound all of it and more. */
  cover: BoundHead | null = null;
  /** Names of keys that signed checkpoints and that the reader does not trust. */
  readonly strangers = new Set<string>();
  #epoch = -1;

  constructor(
    log: EvidenceLog,
    walk: TreeWalk,
    trust: ReaderTrust,
    anchors: AnchorCheck,
    part: RangeEvidence | null = null,
  ) {
    this.#log = log;
    this.#walk = walk;
    this.#trust = trust;
    this.#anchors = anchors;
    this.#part = part;
  }

  /** The log's checkpoints, and between them those that the reader has kept. @param notes null for one of another form */
  async *checkpoints(notes: AsyncIterable<KeptNote | null>): AsyncGenerator<BoundHead> {
    const origin = originLine(this.#log.origin, this.#log.inc);
    const kept = this.#trust.checkpoints.filter((checkpoint) => checkpoint.origin === origin);
    for await (const note of notes) {
      const head = await this.#checkpoint(note);
      while ((kept[0]?.size ?? Infinity) < head.size) yield this.#kept(kept.shift());
      yield head;
    }
    for (const checkpoint of kept) yield this.#kept(checkpoint);
  }

  /** What epochs say of the log. @param openings by rising epoch; null for one of another form */
  async *epochs(openings: AsyncIterable<OpenedHead | null>): AsyncGenerator<BoundHead> {
    for await (const opening of openings) {
      const head = this.#opening(opening);
      if (this.#part !== null && this.#epoch === this.#part.cover?.epoch) this.cover = head;
      // What binds more than the part is compared by its own proof, behind the last entry.
      if (this.#part === null || head.size <= this.#part.end || this.cover === null) yield head;
    }
  }

  /** Of a part of a log, behind its last entry: does the covering epoch continue the tree that ends here? */
  uncovered(root: string): string | null {
    const part = this.#part;
    if (part === null || part.cover === null) return this.#epoch >= 0 || part === null ? null : NOTHING_BINDS;
    if (this.cover === null) return NOTHING_BINDS;
    const { size, root: bound, problem, says } = this.cover;
    if (problem !== null) return problem;
    const fits = verifyConsistency({ oldSize: part.end, oldRoot: root, size, root: bound, proof: part.cover.path });
    return fits ? null : `the entries are not what ${says} bound: at least one was rewritten`;
  }

  /** After the last entry: leaving out the newest epoch is how the end of a log would be hidden. */
  missing(): string | null {
    const isWhole = this.#log.tenant !== DEPLOYMENT && this.#part === null;
    const owed = isWhole ? this.#walk.book.owes(this.#log.log) : null;
    if (owed === null || this.#epoch === owed) return null;
    return `epoch ${String(owed)} bound this log, and its record is missing: the end of the log may be too`;
  }

  async #checkpoint(kept: KeptNote | null): Promise<BoundHead> {
    if (kept === null) return noHead('a checkpoint');
    const keys = logKeys(this.#trust);
    const { head, isTrusted, signer } = signedHead(kept, this.#log, keys);
    if (head.problem !== null) return head;
    if (!isTrusted && keys.length > 0) this.strangers.add(signer);
    const anchored = isTrusted && (await this.#anchors.weigh(head.size, kept.note)) !== null;
    return { ...head, anchored };
  }

  /** When the log does not have a checkpoint that a trusted key signed, there are two histories; when it has, it is as it was then. */
  #kept(checkpoint: Checkpoint | undefined): BoundHead {
    const { size = 0, root = '' } = checkpoint ?? {};
    this.#anchors.keep(size);
    const says = `the checkpoint of size ${String(size)} that you kept`;
    return { size, root, says, problem: null, covered: true, anchored: true, differs: 'FORKED' };
  }

  #opening(opening: OpenedHead | null): BoundHead {
    if (opening === null || opening.epoch <= this.#epoch) return noHead('the record of an epoch');
    this.#epoch = opening.epoch;
    const { book, coveredPlaces } = this.#walk;
    const head = openedHead(opening, this.#log, book, coveredPlaces);
    const place = head.problem === null ? book.find(opening.epoch)?.place : undefined;
    return { ...head, anchored: place !== undefined && this.#anchors.covers(place) };
  }
}

const NOTHING_BINDS = 'no epoch in the folder binds this part of the log: where it stands in the log is not shown';

function noHead(says: string): BoundHead {
  return { size: 0, root: '', says, problem: `${says} has another form, or is not in order`, covered: false };
}
