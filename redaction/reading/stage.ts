import { Offsets } from './offsets.ts';

/**
 * One step of reading a text without its disguise: takes text in chunks and gives the derived text, the same for every way
 * of cutting. What depends on text that has not come is kept back.
 */
export interface Stage {
  /** Derived text that is decided now. `isFinal`: no more text will come; `isIdle`: it is known to stay as it is. */
  push(chunk: string, isFinal: boolean, isIdle?: boolean): string;
  readonly offsets: Offsets;
  /** Input offset from which on nothing is derived yet. */
  readonly consumed: number;
  /** Places where something was derived that is not its own source. */
  readonly replacements: number;
}

export interface StageRule {
  /**
   * Goes through the text and says what it replaces, from left to right; what it says nothing of is taken over. Returns
   * where it stopped because it depends on text that has not come, else the length. `base`: the text's place in the input.
   */
  apply(text: string, base: number, isFinal: boolean, out: StageOutput): number;
  /** Units before the current place that what comes next may still belong to. */
  open?(): number;
}

/** What a rule makes of a text. Code units are collected in a table: strings put together one by one cost ten times as much. */
export class StageOutput {
  readonly offsets = new Offsets();
  replacements = 0;
  #text = '';
  #base = 0;
  /** Everything before is written. */
  #mark = 0;
  #isSame = true;
  #units = new Uint16Array(256);
  #count = 0;

  begin(text: string, base: number): void {
    this.#text = text;
    this.#base = base;
    this.#mark = 0;
    this.#isSame = true;
    this.#count = 0;
  }

  /** The units [start, end) become the first `count` of `units`; `behind` units before them, already replaced, belong to them too. */
  replace(start: number, end: number, units: ArrayLike<number>, count: number, behind = 0): void {
    this.#copy(start);
    this.#mark = end;
    this.#isSame = false;
    this.replacements += 1;
    this.offsets.replace(this.#base + start - behind, this.#base + end, count);
    this.#reserve(count);
    for (let i = 0; i < count; i++) this.#units[this.#count++] = units[i] ?? 0;
  }

  /** The derived text, with everything up to `end` taken over that was not replaced. */
  finish(end: number): string {
    if (this.#isSame) {
      this.offsets.copy(this.#base, end);
      return this.#text.slice(0, end);
    }
    this.#copy(end);
    return Buffer.from(this.#units.buffer, 0, 2 * this.#count).toString('utf16le');
  }

  #copy(end: number): void {
    const text = this.#text;
    this.#reserve(end - this.#mark);
    this.offsets.copy(this.#base + this.#mark, end - this.#mark);
    for (let i = this.#mark; i < end; i++) this.#units[this.#count++] = text.charCodeAt(i);
    this.#mark = end;
  }

  #reserve(count: number): void {
    const needed = this.#count + count;
    if (needed <= this.#units.length) return;
    const larger = new Uint16Array(2 * needed);
    larger.set(this.#units);
    this.#units = larger;
  }
}

/** A stage that applies one rule from left to right. */
export function createStage(rule: StageRule): Stage {
  const out = new StageOutput();
  let pending = '';
  let consumed = 0;
  return {
    push(chunk, isFinal, isIdle = false) {
      const text = pending + chunk;
      out.begin(text, consumed);
      const end = isIdle ? text.length : rule.apply(text, consumed, isFinal, out);
      pending = text.slice(end);
      consumed += end;
      return out.finish(end);
    },
    offsets: out.offsets,
    get consumed() {
      return consumed - (rule.open?.() ?? 0);
    },
    get replacements() {
      return out.replacements;
    },
  };
}
