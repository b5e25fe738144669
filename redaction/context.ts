/** Words before a match that make a weak form certain ("SSN 536221234"). */
import type { Recognizer } from './recognizers/recognizer.ts';

/** Code units looked at; fixed, so that a stream needs to keep no more than this of what it has already released. */
export const CONTEXT_LENGTH = 128;

const MAX_WORDS = 5;
const BOOST = 350;
const FLOOR = 400;
const WORDS = /[\p{L}\p{N}]+/gu;

/** Score of a match at `start`: +350, at least 400, when a context word is among the five words before it. */
export function contextScore(text: string, start: number, recognizer: Recognizer, score: number): number {
  if (recognizer.context.length === 0 || score >= 1000) return score;
  const before = text.slice(Math.max(0, start - CONTEXT_LENGTH), start).toLowerCase();
  const words = before.match(WORDS)?.slice(-MAX_WORDS) ?? [];
  return words.some((word) => recognizer.context.includes(word))
    ? Math.min(1000, Math.max(FLOOR, score + BOOST))
    : score;
}
