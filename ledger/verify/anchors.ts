import { weighAnchors } from '../anchor/evidence.ts';
import type { AnchorEvidence, AnchorTrust } from '../anchor/evidence.ts';
import type { StoredAnchors } from '../anchor/stored.ts';
import { LedgerError } from '../error.ts';
import { parseNote } from '../note/note.ts';

/** Places of the deployment's entries, as EpochBook counts them. */
export interface PlaceRange {
  readonly from: number;
  readonly to: number;
}

/** What outside anchors of the deployment's checkpoints show to this reader. */
export class AnchorCheck {
  readonly #trust: AnchorTrust;
  /** Entries of the deployment's logs under an anchored checkpoint. */
  readonly ranges: PlaceRange[] = [];
  /** The newest anchored checkpoint. */
  newest: AnchorEvidence | null = null;
  #lines: AsyncIterator<StoredAnchors | null> | null = null;
  #next: StoredAnchors | null = null;

  constructor(trust: AnchorTrust) {
    this.#trust = trust;
  }

  /** Before the checkpoints of a deployment's log. @param lines by rising size; null ends the reading: what follows anchors nothing */
  async begin(lines: AsyncIterable<StoredAnchors | null>): Promise<void> {
    this.#lines = lines[Symbol.asyncIterator]();
    await this.#pull();
  }

  /** A checkpoint that is sound in itself and signed by a key the reader trusts, by rising size; null unless it is anchored. */
  async weigh(size: number, note: string): Promise<AnchorEvidence | null> {
    while (this.#next !== null && this.#next.size < size) await this.#pull();
    if (this.#next?.size !== size) return null;
    const found = weighAnchors(this.#next, { note, text: textOf(note) }, this.#trust);
    if (found !== null) this.newest = found;
    return found;
  }

  /** A checkpoint of a trusted key that the reader has kept: it cannot have been changed since. */
  keep(size: number): void {
    if (size > (this.newest?.size ?? 0)) this.newest = { size, witnesses: [], timestamps: 0, timeMs: null };
  }

  /** Is an entry of the deployment under an anchored checkpoint? */
  covers(place: number): boolean {
    return this.ranges.some(({ from, to }) => place >= from && place < to);
  }

  async #pull(): Promise<void> {
    const { done, value } = (await this.#lines?.next()) ?? { done: true, value: null };
    this.#next = done === true ? null : value;
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
