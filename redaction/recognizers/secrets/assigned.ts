/**
 * What stands behind a name that says secret, told from words, dates and references. Values of neighbouring names reach into
 * each other (`pwd1:pwd1:…`), so what is known of one is used for the next instead of reading two hundred characters again.
 */
import type { TextCheck } from '../recognizer.ts';
import { entropyOf } from './checks.ts';

/** Least Shannon entropy, in bits a character, of what a generator makes. */
const LEAST_BITS = 3;

/** What people write where the value would stand, references to it, and things that are no secret. */
const NO_VALUE = /^(?:[$%{<@*]|https?:|[./~]|process\.env|os\.environ|env\.|getenv|null|none|true|false|undefined)/i;
/** The same, anywhere in it. */
const STAND_IN = /example|changeme|change_me|placeholder|redacted|your[_-]|x{4}|\*{3}|\.\.\./i;
const LONGEST_STAND_IN = 11;
const DATE_OR_VERSION = /^v?[0-9.:/T+-]+Z?$/;
/**
 * Dotted or hyphened names of code (`config.auth.token2`, `gpt-4o-mini`): words with a number here and there. Every text has one
 * way through it.
 */
const NAME_LIKE = /^[A-Za-z]{2,}(?:[._-](?:[A-Za-z]{2,}|[0-9]+(?![0-9])[A-Za-z]{0,2})|[0-9]+(?![0-9])[A-Za-z]?)*$/;

/** No value is longer. */
const MAX_LENGTH = 256;
/** count · log2 count in 2^-20: whole numbers, so that adding and taking away leaves no trace. */
const UNIT = 2 ** 20;
const TERMS = Float64Array.from({ length: MAX_LENGTH + 1 }, (_, n) =>
  n === 0 ? 0 : Math.round(n * Math.log2(n) * UNIT),
);
/** Further than this from the least entropy rounding decides nothing. */
const MARGIN = 1e-3;

/** How often each unit occurs in the stretch at hand. */
const counts = new Uint16Array(0x10000);

/** A stretch of text that moves on with the values looked at. */
class Stretch {
  readonly #text: string;
  #start = 0;
  #end = 0;
  #terms = 0;
  #digits = 0;
  #letters = 0;

  constructor(text: string) {
    this.#text = text;
  }

  move(start: number, end: number): void {
    if (start >= this.#end || end <= this.#start) {
      this.clear();
      this.#start = start;
      this.#end = start;
    }
    while (this.#start > start) this.#count(--this.#start, 1);
    while (this.#end < end) this.#count(this.#end++, 1);
    while (this.#start < start) this.#count(this.#start++, -1);
    while (this.#end > end) this.#count(--this.#end, -1);
  }

  clear(): void {
    while (this.#start < this.#end) this.#count(this.#start++, -1);
  }

  /** Letters and digits both, as a generator makes them, and not too few different ones. */
  get isRandom(): boolean {
    if (this.#digits === 0 || this.#letters === 0) return false;
    const size = this.#end - this.#start;
    const bits = Math.log2(size) - this.#terms / (UNIT * size);
    if (Math.abs(bits - LEAST_BITS) > MARGIN) return bits > LEAST_BITS;
    return entropyOf(this.#text.slice(this.#start, this.#end)) >= LEAST_BITS;
  }

  #count(at: number, by: 1 | -1): void {
    const unit = this.#text.charCodeAt(at);
    const before = counts[unit] ?? 0;
    counts[unit] = before + by;
    this.#terms += (TERMS[before + by] ?? 0) - (TERMS[before] ?? 0);
    if (unit >= 48 && unit <= 57) this.#digits += by;
    else if ((unit | 32) >= 97 && (unit | 32) <= 122) this.#letters += by;
  }
}

/** Up to the punctuation behind it: eight characters at least, with letters and digits and no pattern of a name. */
export function checkAssigned(text: string): TextCheck {
  const stretch = new Stretch(text);
  const standIns = new StandIns(text);
  return {
    verify(start, end) {
      let stop = end;
      while (stop > start && '.!?:&'.includes(text.charAt(stop - 1))) stop -= 1;
      const length = stop - start;
      if (length < 8) return null;
      stretch.move(start, stop);
      // What costs least and refuses most comes first.
      if (!stretch.isRandom || standIns.isIn(start, stop)) return null;
      const value = text.slice(start, stop);
      if (NO_VALUE.test(value) || DATE_OR_VERSION.test(value) || NAME_LIKE.test(value)) return null;
      return { length, score: 550 };
    },
    end: () => {
      stretch.clear();
    },
  };
}

/** Words that stand for a value: the first in [from, to), when there is one. */
class StandIns {
  readonly #text: string;
  #from = 0;
  #to = 0;
  #start = -1;
  #end = -1;

  constructor(text: string) {
    this.#text = text;
  }

  isIn(start: number, end: number): boolean {
    const isKnown = start >= this.#from && start <= this.#to;
    const isFound = this.#start >= 0;
    if (isKnown && isFound && this.#start >= start && this.#end <= end) return true;
    if (isKnown && !isFound && end <= this.#to) return false;
    // One that begins where there was none yet may end behind it.
    this.#search(start, end, isKnown && !isFound ? Math.max(start, this.#to - LONGEST_STAND_IN) : start);
    return this.#start >= 0;
  }

  #search(start: number, end: number, from: number): void {
    const match = STAND_IN.exec(this.#text.slice(from, end));
    this.#from = start;
    this.#to = end;
    this.#start = match === null ? -1 : from + match.index;
    this.#end = match === null ? -1 : this.#start + match[0].length;
  }
}
