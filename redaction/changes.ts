/**
 * Where a reading differs from the text it was made of. What both find alike need be looked for only once: in a reading the
 * scan looks at what some change can reach, whatever the rest of the text holds.
 */
import { CONTEXT_LENGTH, MAX_WORDS, wordsEnd } from './context.ts';
import type { ContextWords } from './context.ts';

/** Boundaries are looked at two code units beside a match. */
const EDGE = 2;

/** How far a scan read from each place of a text where a form may begin, at most 255 code units; 0: nobody tried. */
export type Reads = Uint8Array;

/** The text the changes were made to. */
export interface ChangedFrom {
  readonly words: ContextWords;
  /** What its scan read. */
  readonly reads: Reads;
  /** The place there of a unit that did not change. */
  placeOf(unit: number): number;
}

export class Changes {
  /** Ascending: units that are not their own source, and such with something left out before them; the length counts. */
  readonly #places: Int32Array;
  /** Of the changed text. */
  readonly words: ContextWords;
  readonly #source: ChangedFrom;
  /** Index of the first place that matters to the last start asked for. */
  #at = 0;
  #start = 0;
  /** Of the units between two places: what to add for their place in the source, and up to where words reach back to the first. */
  #shift = 0;
  #wordsEnd = 0;
  #known = -1;

  constructor(places: Int32Array, words: ContextWords, source: ChangedFrom) {
    this.#places = places;
    this.words = words;
    this.#source = source;
  }

  /** Whether some change lies in [from, to]. */
  isIn(from: number, to: number): boolean {
    return (this.#places[this.#search(from)] ?? Infinity) <= to;
  }

  /**
   * How far was read from a start from which nothing else can be found here than in the source; 0 where something can, because
   * a change is within `reach`, or among the words before it. Asked from left to right it costs next to nothing.
   */
  readOf(start: number, reach: number, hasContext: boolean): number {
    const places = this.#places;
    const from = start - EDGE;
    if (from < this.#start) this.#at = this.#search(from);
    this.#start = from;
    while ((places[this.#at] ?? Infinity) < from) this.#at += 1;
    const next = places[this.#at] ?? Infinity;
    if (next <= start) return 0;
    if (this.#known !== this.#at) this.#learn();
    const read = this.#source.reads[start + this.#shift] ?? 0;
    if (next < start + (read === 0 ? reach : read)) return 0;
    return hasContext && !this.#hasSameWords(start) ? 0 : read === 0 ? reach : read;
  }

  #hasSameWords(start: number): boolean {
    if (start > this.#endOfWords()) return true;
    const [own, others] = [this.words.before(start), this.#source.words.before(start + this.#shift)];
    return own.length === others.length && own.every((word, i) => word === others[i]);
  }

  #learn(): void {
    this.#known = this.#at;
    this.#wordsEnd = -1;
    const first = (this.#places[this.#at - 1] ?? -1) + 1;
    this.#shift = this.#source.placeOf(first) - first;
  }

  #endOfWords(): number {
    const last = this.#places[this.#at - 1];
    if (this.#wordsEnd >= 0 || last === undefined) return this.#wordsEnd;
    // One word more, because the change may have cut one in two.
    this.#wordsEnd = wordsEnd(this.words.text, last, MAX_WORDS + 1, last + CONTEXT_LENGTH + EDGE);
    return this.#wordsEnd;
  }

  #search(from: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle] ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
