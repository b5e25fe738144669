/**
 * Words before a match that raise its score. Presidio compares lemmas where a language model is loaded; without one, and
 * here, it compares the words as they stand.
 */
import type { Candidate } from './recognize.ts';
import { STOP_WORDS } from './stop-words.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

const SIMILARITY = 0.35;
const LEAST_SCORE = 0.4;
/** The match itself and five words before it. */
const MOST_WORDS = 6;
/** Code units looked at for them. */
const REACH = 4096;
/** Of text without white space only so much to either side of a match is read as words. */
const RUN_REACH = 256;
const PUNCTUATION = /^\p{P}+$/u;
const WIDE_SPACE = /[\p{Z}\u0085]/u;

/** Raises the scores of candidates with a context word of their recognizer near them, or among `given`. */
export function raiseByContext(text: string, candidates: readonly Candidate[], given: readonly string[]): void {
  const fixed = given.map((word) => word.toLowerCase());
  const words = createWords(text);
  for (const candidate of candidates) {
    const { context } = candidate.recognizer;
    if (context.length === 0) continue;
    const near = [...words.around(candidate.start), ...fixed];
    const supportive = context.find((word) => near.some((one) => one.includes(word.toLowerCase())));
    if (supportive === undefined) continue;
    candidate.supportiveWord = supportive;
    candidate.score = Math.min(Math.max(candidate.score + SIMILARITY, LEAST_SCORE), 1);
  }
}

interface Words {
  /** Lower-case words that count: from the one at `offset` backwards, and the first that does not end before it. */
  around(offset: number): string[];
}

/** Characters between white space; its words that count, the last first. More than one space before it is a word too. */
interface Run {
  readonly start: number;
  readonly words: readonly Token[];
  /** Where the run before ends; runs without words are skipped once that is known. */
  previous: number;
}

function createWords(text: string): Words {
  const runs = new Map<number, Run>();

  function runEndingAt(end: number): Run {
    const known = runs.get(end);
    if (known !== undefined) return known;
    let start = end;
    const least = Math.max(0, end - 2 * RUN_REACH);
    while (start > least && !isSpace(text.charCodeAt(start - 1))) start -= 1;
    let previous = start;
    while (previous > 0 && isSpace(text.charCodeAt(previous - 1))) previous -= 1;
    const words = tokensOf(text.slice(start, end), start)
      .filter((token) => counts(token.text))
      .toReversed();
    if (isWord(text, previous, start)) words.push({ text: ' ', start: previous });
    const run = { start, words, previous };
    runs.set(end, run);
    return run;
  }

  /** End of the nearest run with words before the one that ends at `end`. */
  function previousWithWords(end: number, least: number): number {
    const run = runEndingAt(end);
    let previous = run.previous;
    while (previous > least && runEndingAt(previous).words.length === 0) previous = runEndingAt(previous).previous;
    run.previous = previous;
    return previous;
  }

  function around(offset: number): string[] {
    const near: string[] = [];
    // In steps, so that the matches of one long run share what was read for the first.
    const most = Math.min(text.length, (Math.floor(offset / RUN_REACH) + 2) * RUN_REACH);
    const least = Math.max(0, offset - REACH);
    let end = runEnd(text, spaceEnd(text, offset, most), most);
    const next = nextWord(offset, end, most);
    if (next !== null) near.push(next);
    const limit = near.length + MOST_WORDS;
    while (end > least && near.length < limit) {
      for (const { start, text: word } of runEndingAt(end).words)
        if (start <= Math.max(offset, runEndingAt(end).start) && near.length < limit) near.push(word.toLowerCase());
      end = previousWithWords(end, least);
    }
    return near;
  }

  /** A match that is no word itself, an address with colons say, is also judged by the word behind it. */
  function nextWord(offset: number, firstEnd: number, most: number): string | null {
    for (let end = firstEnd; end > offset;) {
      const word = runEndingAt(end).words.findLast((one) => one.start + one.text.length > offset);
      if (word !== undefined) return word.text.toLowerCase();
      const start = spaceEnd(text, end, most);
      if (start >= most || isWord(text, end, start)) return null;
      end = runEnd(text, start, most);
    }
    return null;
  }

  return { around };
}

/** A single space only separates; other white space, and any at the start of the text, is a token of its own. */
function isWord(text: string, from: number, to: number): boolean {
  return to > from && (from === 0 || to - from > 1 || text[from] !== ' ');
}

function runEnd(text: string, from: number, most: number): number {
  let end = from;
  while (end < most && !isSpace(text.charCodeAt(end))) end += 1;
  return end;
}

function spaceEnd(text: string, from: number, most: number): number {
  let end = from;
  while (end < most && isSpace(text.charCodeAt(end))) end += 1;
  return end;
}

function counts(word: string): boolean {
  const lower = word.toLowerCase();
  return !word.includes(':') && !STOP_WORDS.has(lower) && lower !== '-pron-' && !PUNCTUATION.test(word);
}

/** Python's `str.isspace`. */
function isSpace(code: number): boolean {
  return code < 128
    ? (code >= 9 && code <= 13) || (code >= 28 && code <= 32)
    : WIDE_SPACE.test(String.fromCharCode(code));
}
