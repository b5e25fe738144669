import { join } from 'node:path';
import { weighAnchors } from '../anchor/evidence.ts';
import type { AnchorEvidence, AnchorTrust } from '../anchor/evidence.ts';
import type { StoredAnchors } from '../anchor/stored.ts';
import { LedgerError } from '../error.ts';
import { ANCHORS_FILE, MAX_ANCHOR_CHARS, readAnchorLine } from '../export/anchors.ts';
import { parseNote } from '../note/note.ts';
import { isFile, readLines } from './files.ts';

/** Places of the deployment's entries, as EpochBook counts them. */
export interface PlaceRange {
  readonly from: number;
  readonly to: number;
}

/** What outside anchors in a folder show to this reader. Without trust nothing is read, because nothing would count. */
export class FolderAnchors {
  readonly #trust: AnchorTrust | null;
  /** Entries of the deployment's logs under an anchored checkpoint. */
  readonly ranges: PlaceRange[] = [];
  /** The newest anchored checkpoint. */
  newest: AnchorEvidence | null = null;
  #lines: AsyncIterator<string> | null = null;
  #next: StoredAnchors | null = null;

  constructor(trust: AnchorTrust | null) {
    this.#trust = trust;
  }

  /** Before the checkpoints of a deployment's log. */
  async begin(dir: string, log: string): Promise<void> {
    const path = join(dir, 'logs', log, ANCHORS_FILE);
    const isThere = this.#trust !== null && (await isFile(path));
    this.#lines = isThere ? readLines(path, MAX_ANCHOR_CHARS) : null;
    await this.#pull();
  }

  /** A checkpoint that is sound in itself, by rising size; null unless it is anchored. */
  async weigh(size: number, note: string): Promise<AnchorEvidence | null> {
    while (this.#next !== null && this.#next.size < size) await this.#pull();
    if (this.#trust === null || this.#next?.size !== size) return null;
    const found = weighAnchors(this.#next, { note, text: textOf(note) }, this.#trust);
    if (found !== null) this.newest = found;
    return found;
  }

  /** Is an entry of the deployment under an anchored checkpoint? */
  covers(place: number): boolean {
    return this.ranges.some(({ from, to }) => place >= from && place < to);
  }

  /** A line of another form ends the reading: what follows it anchors nothing. */
  async #pull(): Promise<void> {
    const { done, value } = (await this.#lines?.next()) ?? { done: true, value: '' };
    this.#next = done === true ? null : readAnchorLine(value);
  }
}

function textOf(note: string): string {
  try {
    return parseNote(note).text;
  } catch (error) {
    if (error instanceof LedgerError) return '';
    throw error;
  }
}
