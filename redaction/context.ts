/** Words before a match that make a weak form certain ("SSN 536221234"). */
import type { Recognizer } from './recognizers/recognizer.ts';

/** Code units looked at; fixed, so that a stream needs to keep no more than this of what it has already released. */
export const CONTEXT_LENGTH = 128;

export const MAX_WORDS = 5;
const BOOST = 350;
const FLOOR = 400;

const NO_WORDS: readonly string[] = [];

/** The words before the matches of one text. Asked from left to right it reads each unit once. */
export class ContextWords {
  readonly text: string;
  readonly #list: WordList;
  #start = -1;
  #found: readonly string[] = NO_WORDS;
  /** Words are known up to here; one that is not over began at `#open`, -1: none. */
  #at = 0;
  #open = -1;
  /** The last words, number n at n modulo their count. */
  #count = 0;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #words: (string | null)[] = [];

  constructor(text: string, list: WordList) {
    this.text = text;
    this.#list = list;
  }

  /** Words of the list among the five before `start`, in lower case. A word is a run of letters and digits. */
  before(start: number): readonly string[] {
    if (start === this.#start) return this.#found;
    if (start < this.#at || start > this.#at + 2 * CONTEXT_LENGTH) this.#begin(Math.max(0, start - CONTEXT_LENGTH - 2));
    this.#advance(start);
    this.#start = start;
    this.#found = this.#collect(start);
    return this.#found;
  }

  /** Whether one of `context`, lower-case words of the list, is among them. */
  isOneBefore(start: number, context: readonly string[]): boolean {
    return this.before(start).some((word) => context.includes(word));
  }

  /** Score of a match at `start`: +350, at least 400, when a context word is before it. */
  score(start: number, { context }: Recognizer, score: number): number {
    if (context.length === 0 || score >= 1000) return score;
    return this.isOneBefore(start, context) ? Math.min(1000, Math.max(FLOOR, score + BOOST)) : score;
  }

  #begin(at: number): void {
    this.#at = at;
    this.#open = -1;
    this.#count = 0;
  }

  #advance(start: number): void {
    const { text } = this;
    for (let at = this.#at; at < start; at++) {
      const isWord = isWordUnit(text, at, 0);
      if (isWord && this.#open < 0) this.#open = at;
      if (isWord || this.#open < 0) continue;
      const slot = this.#count++ % MAX_WORDS;
      this.#starts[slot] = this.#open;
      this.#ends[slot] = at;
      this.#words[slot] = wordAt(text, this.#open, at, this.#list);
      this.#open = -1;
    }
    this.#at = start;
  }

  #collect(start: number): readonly string[] {
    const limit = Math.max(0, start - CONTEXT_LENGTH);
    const isOpen = this.#open >= 0;
    const open = isOpen ? wordAt(this.text, this.#open, start, this.#list) : null;
    if (isOpen && this.#open < limit) return wordsBefore(this.text, start, this.#list);
    let found = open === null ? NO_WORDS : [open];
    const last = this.#count - 1;
    for (let word = last; word >= 0 && last - word < MAX_WORDS - (isOpen ? 1 : 0); word--) {
      const slot = word % MAX_WORDS;
      if ((this.#ends[slot] ?? 0) <= limit) break;
      // What is left of a word at the edge is not that word.
      if ((this.#starts[slot] ?? 0) < limit) return wordsBefore(this.text, start, this.#list);
      const known = this.#words[slot] ?? null;
      if (known !== null) found = [...found, known];
    }
    return found;
  }
}

/** The same from the match back, for words at the edge of what is looked at. */
function wordsBefore(text: string, start: number, list: WordList): readonly string[] {
  const limit = Math.max(0, start - CONTEXT_LENGTH);
  let found = NO_WORDS;
  let end = start;
  for (let words = 0; words < MAX_WORDS; words++) {
    while (end > limit && !isWordUnit(text, end - 1, limit)) end -= 1;
    if (end === limit) return found;
    let from = end - 1;
    while (from > limit && isWordUnit(text, from - 1, limit)) from -= 1;
    // What is left of a word at the edge is not that word.
    if (from === limit && limit > 0 && isWordUnit(text, limit - 1, limit - 1)) return found;
    const word = wordAt(text, from, end, list);
    if (word !== null) found = [...found, word];
    end = from;
  }
  return found;
}

/** The word [from, end) in lower case; null: the list has not got it. */
function wordAt(text: string, from: number, end: number, { words, shapes }: WordList): string | null {
  const first = text.charCodeAt(from);
  const length = end - from;
  // Most words before a number are numbers.
  if (isDigit(first) || length > MAX_WORD_LENGTH || shapes[shapeOf(first, length)] === 0) return null;
  const word = text.slice(from, end).toLowerCase();
  return words.has(word) ? word : null;
}

/** Where `count` words that begin behind `from` have ended, at most `limit`. */
export function wordsEnd(text: string, from: number, count: number, limit: number): number {
  const stop = Math.min(limit, text.length);
  let at = from;
  const pass = (isWord: boolean): void => {
    while (at < stop && isWordUnit(text, at, from) === isWord) at += 1;
  };
  pass(true);
  for (let words = 0; words < count; words++) {
    pass(false);
    pass(true);
  }
  return at;
}

/** Lower-case ASCII words that texts are asked for. */
export interface WordList {
  readonly words: ReadonlySet<string>;
  /** 1 at (first letter, length) of each: most words of a text have neither. */
  readonly shapes: Uint8Array;
}

export function createWordList(words: readonly string[]): WordList {
  const shapes = new Uint8Array(SHAPES);
  for (const word of words) shapes[shapeOf(word.charCodeAt(0), word.length)] = 1;
  return { words: new Set(words), shapes };
}

const SHAPES = 128 * 32;
/** The one sign outside ASCII whose lower case is in it. */
const KELVIN = 0x212a;
const LOWER_K = 0x6b;

function shapeOf(first: number, length: number): number {
  const lower = first === KELVIN ? LOWER_K : first | 0x20;
  return (lower & 0x7f) * 32 + length;
}

/** Whether one of the words is anywhere in [from, end); words cut at an edge count as what is left of them. */
export function hasWord(text: string, from: number, end: number, list: WordList): boolean {
  const stop = Math.min(end, text.length);
  for (let at = from; at < stop; at++) {
    const first = text.charCodeAt(at);
    if (first < 0x80 ? !isLetter(first | 0x20) : !isWordUnit(text, at, from)) continue;
    const start = at;
    for (at += 1; at < stop; at++) {
      const unit = text.charCodeAt(at);
      if (unit < 0x80 ? !isLetter(unit | 0x20) && !isDigit(unit) : !isWordUnit(text, at, from)) break;
    }
    if (wordAt(text, start, at, list) !== null) return true;
  }
  return false;
}

/** An ASCII letter, given in lower case. */
function isLetter(unit: number): boolean {
  return unit >= 97 && unit <= 122;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

/** No context word is longer. */
const MAX_WORD_LENGTH = 31;
const WORD = /^[\p{L}\p{N}]$/u;

/** What is known of a code unit: 0 nothing yet, 1 it belongs to words, 2 it does not. */
const known = new Uint8Array(0x10000);

function isWordUnit(text: string, at: number, limit: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && unit <= 0xdfff) return isWordPair(text, at, unit, limit);
  if (known[unit] === 0) known[unit] = WORD.test(String.fromCharCode(unit)) ? 1 : 2;
  return known[unit] === 1;
}

/** Half a pair belongs to a word as the pair does; alone it does not. */
function isWordPair(text: string, at: number, unit: number, limit: number): boolean {
  const start = unit >= 0xdc00 ? at - 1 : at;
  const codePoint = start < limit ? 0 : (text.codePointAt(start) ?? 0);
  return codePoint > 0xffff && WORD.test(String.fromCodePoint(codePoint));
}
