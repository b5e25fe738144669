import { join } from 'node:path';
import { openedHead, signedHead } from '../epoch/check.ts';
import type { BoundHead } from '../epoch/check.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, MAX_HEAD_CHARS, readCheckpoint, readOpening } from '../export/heads.ts';
import type { ExportedLog } from '../export/manifest.ts';
import type { RangeEvidence } from '../export/range.ts';
import type { VerifierKey } from '../note/key.ts';
import { verifyConsistency } from '../tree/proof.ts';
import { readLines } from './files.ts';
import type { FolderAnchors } from './folder-anchors.ts';
import type { TreeWalk } from './tree-walk.ts';

/** The heads an export holds of one log, checked as they are read. */
export class FolderHeads {
  readonly path: string;
  readonly #log: ExportedLog;
  readonly #walk: TreeWalk;
  readonly #keys: readonly VerifierKey[] | null;
  readonly #anchors: FolderAnchors;
  /** Entries that an outside anchor covers. */
  anchored = 0;
  #epoch = -1;
  readonly #part: RangeEvidence | null;
  /** Of a part of a log: the epoch that bound all of it and more. */
  cover: BoundHead | null = null;

  constructor(
    dir: string,
    log: ExportedLog,
    walk: TreeWalk,
    keys: readonly VerifierKey[] | null,
    anchors: FolderAnchors,
    part: RangeEvidence | null = null,
  ) {
    this.#part = part;
    this.path = join(dir, 'logs', log.log, log.role === 'deployment' ? CHECKPOINTS_FILE : EPOCHS_FILE);
    this.#log = log;
    this.#walk = walk;
    this.#keys = keys;
    this.#anchors = anchors;
  }

  async *read(): AsyncGenerator<BoundHead> {
    for await (const line of readLines(this.path, MAX_HEAD_CHARS)) {
      const head = this.#log.role === 'deployment' ? await this.#checkpoint(line) : this.#opening(line);
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
    if (this.#part !== null) return null;
    const owed = this.#walk.book.owes(this.#log.log);
    if (this.#log.role === 'deployment' || owed === null || this.#epoch === owed) return null;
    return `epoch ${String(owed)} bound this log, and its record is missing: the end of the log may be too`;
  }

  async #checkpoint(line: string): Promise<BoundHead> {
    const checkpoint = readCheckpoint(line);
    if (checkpoint === null) return noHead('a checkpoint');
    const head = signedHead(checkpoint, this.#log, this.#keys);
    const evidence = head.problem === null ? await this.#anchors.weigh(head.size, checkpoint.note) : null;
    if (evidence !== null) this.anchored = head.size;
    return head;
  }

  #opening(line: string): BoundHead {
    const opening = readOpening(line);
    if (opening === null || opening.epoch <= this.#epoch) return noHead('the record of an epoch');
    this.#epoch = opening.epoch;
    const { book, coveredPlaces } = this.#walk;
    const head = openedHead(opening, this.#log, book, coveredPlaces);
    const place = head.problem === null ? book.find(opening.epoch)?.place : undefined;
    if (place !== undefined && this.#anchors.covers(place)) this.anchored = head.size;
    return head;
  }
}

const NOTHING_BINDS = 'no epoch in the folder binds this part of the log: where it stands in the log is not shown';

function noHead(says: string): BoundHead {
  return { size: 0, root: '', says, problem: `${says} has another form, or is not in order`, covered: false };
}
