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

/** Raises the scores of candidates with a context word of their recognizer near them, or among `given`. */
export function raiseByContext(text: string, candidates: readonly Candidate[], given: readonly string[]): void {
  const fixed = given.map((word) => word.toLowerCase());
  const words = createWords(text);
  for (const candidate of candidates) {
    const { context } = candidate.recognizer;
    if (context.length === 0) continue;
    const near = [...words.before(candidate.start), ...fixed];
    const supportive = context.find((word) => near.some((one) => one.includes(word.toLowerCase())));
    if (supportive === undefined) continue;
    candidate.supportiveWord = supportive;
    candidate.score = Math.min(Math.max(candidate.score + SIMILARITY, LEAST_SCORE), 1);
  }
}

interface Words {
  /** Lower-case words that count, from the one at `offset` backwards. */
  before(offset: number): string[];
}

/** Characters between white space; its words that count, the last first. */
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

  function before(offset: number): string[] {
    const near: string[] = [];
    // In steps, so that the matches of one long run share what was read for the first.
    const most = Math.min(text.length, (Math.floor(offset / RUN_REACH) + 2) * RUN_REACH);
    const least = Math.max(0, offset - REACH);
    let end = offset;
    while (end < most && isSpace(text.charCodeAt(end))) end += 1;
    while (end < most && !isSpace(text.charCodeAt(end))) end += 1;
    while (end > least && near.length < MOST_WORDS) {
      for (const { start, text: word } of runEndingAt(end).words)
        if (start <= Math.max(offset, runEndingAt(end).start) && near.length < MOST_WORDS)
          near.push(word.toLowerCase());
      end = previousWithWords(end, least);
    }
    return near;
  }

  return { before };
}

function counts(word: string): boolean {
  const lower = word.toLowerCase();
  return !word.includes(':') && !STOP_WORDS.has(lower) && lower !== '-pron-' && !PUNCTUATION.test(word);
}

function isSpace(code: number): boolean {
  return code <= 32 || code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028;
}
