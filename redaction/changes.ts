/**
 * Where a reading differs from the text it was made of. What both find alike need be looked for only once: in a reading the
 * scan looks at what some change can reach, whatever the rest of the text holds.
 */
import { CONTEXT_LENGTH, MAX_WORDS, wordsEnd } from './context.ts';

/** Boundaries are looked at two code units beside a match. */
const EDGE = 2;

export class Changes {
  /** Ascending: units that are not their own source, and such with something left out before them; the length counts. */
  readonly #places: Int32Array;
  /** Index of the first place from the last asked start on. */
  #at = 0;
  #start = 0;
  /** Up to here the words before a match reach back to the last change; of the place at #wordsAt. */
  #wordsEnd = 0;
  #wordsAt = -1;

  constructor(places: Int32Array) {
    this.#places = places;
  }

  /** Whether some change lies in [from, to]. */
  isIn(from: number, to: number): boolean {
    return (this.#places[this.#search(from)] ?? Infinity) <= to;
  }

  /**
   * Whether a form that begins at `start` can be another one here: what was read of it up to `end` holds a change, or, for
   * one with context, the words before it do. Asked from left to right it costs next to nothing.
   */
  reach(text: string, start: number, end: number, hasContext: boolean): boolean {
    const places = this.#places;
    const from = start - EDGE;
    if (from < this.#start) this.#at = this.#search(from);
    this.#start = from;
    while ((places[this.#at] ?? Infinity) < from) this.#at += 1;
    if ((places[this.#at] ?? Infinity) <= end + EDGE) return true;
    if (!hasContext || this.#at === 0) return false;
    if (this.#wordsAt !== this.#at) {
      this.#wordsAt = this.#at;
      const last = places[this.#at - 1] ?? 0;
      // One word more, because the change may have cut one in two.
      this.#wordsEnd = wordsEnd(text, last, MAX_WORDS + 1, last + CONTEXT_LENGTH + EDGE);
    }
    return start <= this.#wordsEnd;
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
