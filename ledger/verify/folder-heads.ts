import { join } from 'node:path';
import { openedHead, signedHead } from '../epoch/check.ts';
import type { BoundHead } from '../epoch/check.ts';
import { CHECKPOINTS_FILE, EPOCHS_FILE, MAX_HEAD_CHARS, readCheckpoint, readOpening } from '../export/heads.ts';
import type { ExportedLog } from '../export/manifest.ts';
import type { VerifierKey } from '../note/key.ts';
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

  constructor(
    dir: string,
    log: ExportedLog,
    walk: TreeWalk,
    keys: readonly VerifierKey[] | null,
    anchors: FolderAnchors,
  ) {
    this.path = join(dir, 'logs', log.log, log.role === 'deployment' ? CHECKPOINTS_FILE : EPOCHS_FILE);
    this.#log = log;
    this.#walk = walk;
    this.#keys = keys;
    this.#anchors = anchors;
  }

  async *read(): AsyncGenerator<BoundHead> {
    for await (const line of readLines(this.path, MAX_HEAD_CHARS)) {
      yield this.#log.role === 'deployment' ? await this.#checkpoint(line) : this.#opening(line);
    }
  }

  /** After the last entry: leaving out the newest epoch is how the end of a log would be hidden. */
  missing(): string | null {
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

function noHead(says: string): BoundHead {
  return { size: 0, root: '', says, problem: `${says} has another form, or is not in order`, covered: false };
}
