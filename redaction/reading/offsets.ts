/**
 * Where each code unit of a derived text comes from. Units that came one for one need one row for a whole stretch; only
 * units that were decoded, or that stand behind something dropped, get a row of their own.
 */

/** End of the source of a row whose unit k is source unit start + k. */
const COPIED = -1;

/** The places of derived text in its source, both counted from the beginning of a stream. */
export class Offsets {
  /** First derived unit of each row, ascending. */
  #at = new Float64Array(16);
  #start = new Float64Array(16);
  /** End of the source of all the row's units, or `COPIED`. */
  #end = new Float64Array(16);
  #rows = 0;
  #length = 0;

  /** Derived units so far. */
  get length(): number {
    return this.#length;
  }

  /** `count` units that came one for one from `start` on. */
  copy(start: number, count: number): void {
    if (count === 0) return;
    const last = this.#rows - 1;
    const continues =
      last >= 0 &&
      this.#end[last] === COPIED &&
      (this.#start[last] ?? 0) + this.#length - (this.#at[last] ?? 0) === start;
    if (!continues) this.#row(start, COPIED);
    this.#length += count;
  }

  /** `count` units that all stand for the source from `start` to `end`. */
  replace(start: number, end: number, count: number): void {
    if (count === 0) return;
    // One for one: it needs no row of its own.
    if (count === 1 && end === start + 1) return this.copy(start, 1);
    this.#row(start, end);
    this.#length += count;
  }

  /** Source offset of the derived unit at `offset`; it exists. */
  startOf(offset: number): number {
    const row = this.#find(offset);
    const start = this.#start[row] ?? 0;
    return this.#end[row] === COPIED ? start + offset - (this.#at[row] ?? 0) : start;
  }

  /** Source offset past the derived unit before `offset`. */
  endOf(offset: number): number {
    const row = this.#find(offset - 1);
    const end = this.#end[row] ?? COPIED;
    return end === COPIED ? (this.#start[row] ?? 0) + offset - (this.#at[row] ?? 0) : end;
  }

  /** Forgets what lies before `offset`: a stream never asks for it again. */
  drop(offset: number): void {
    const row = this.#find(offset);
    if (row < 64) return;
    for (const column of [this.#at, this.#start, this.#end]) column.copyWithin(0, row, this.#rows);
    this.#rows -= row;
  }

  /** Goes through the rows: derived units [at, until) stand for the source from `start` on; `isCopied`: one for one. */
  forEachRow(visit: (at: number, until: number, start: number, end: number, isCopied: boolean) => void): void {
    for (let row = 0; row < this.#rows; row++) {
      const at = this.#at[row] ?? 0;
      const until = row + 1 < this.#rows ? (this.#at[row + 1] ?? 0) : this.#length;
      const start = this.#start[row] ?? 0;
      const isCopied = this.#end[row] === COPIED;
      visit(at, until, start, isCopied ? start + until - at : (this.#end[row] ?? 0), isCopied);
    }
  }

  #row(start: number, end: number): void {
    const row = this.#rows++;
    if (row === this.#at.length) this.#grow();
    this.#at[row] = this.#length;
    this.#start[row] = start;
    this.#end[row] = end;
  }

  #grow(): void {
    this.#at = larger(this.#at);
    this.#start = larger(this.#start);
    this.#end = larger(this.#end);
  }

  /** The last row that begins at or before `offset`. */
  #find(offset: number): number {
    let low = 0;
    let high = this.#rows - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#at[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function larger(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(2 * column.length);
  copy.set(column);
  return copy;
}
