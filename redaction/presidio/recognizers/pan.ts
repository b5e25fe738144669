/** Indian permanent account numbers. The weakest form depends on what stands anywhere behind its start. */
import { compileMatcher } from '../expression.ts';
import { pattern } from '../recognizer.ts';
import type { PatternMatch } from '../recognizer.ts';

const raw = String.raw;

export const PAN_PATTERNS = [
  pattern('PAN (High)', raw`\<[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]\>`, 0.5),
  pattern('PAN (Medium)', raw`\<[A-Z]{5}[0-9]{4}[A-Z]\>`, 0.1),
  pattern('PAN (Low)', raw`\b[\w@#$%^?~-]{10}\b`, 0.01),
] as const;

const [HIGH, MEDIUM, LOW] = PAN_PATTERNS.map(({ expression }) => compileMatcher(expression));
const LETTER = /[A-Z]/iu;
const FOUR_DIGITS = /[0-9]{4}/g;

/** Any ten characters count as the weakest form where a letter and four digits follow its start. */
export function* findPans(text: string): Generator<PatternMatch> {
  let lastDigits = -1;
  for (const { index } of text.matchAll(FOUR_DIGITS)) lastDigits = index;
  if (lastDigits < 0 || HIGH === undefined || MEDIUM === undefined || LOW === undefined) return;
  yield* matchesOf(HIGH, 0, text, text.length);
  yield* matchesOf(MEDIUM, 1, text, text.length);
  // Of overlapping groups of four the last begins up to three further.
  const digits = lastDigits + (/^[0-9]+/.exec(text.slice(lastDigits))?.[0].length ?? 4) - 4;
  yield* matchesOf(LOW, 2, text, Math.min(digits, lastLetter(text)));
}

function* matchesOf(matcher: RegExp, index: number, text: string, lastStart: number): Generator<PatternMatch> {
  matcher.lastIndex = 0;
  for (let match = matcher.exec(text); match !== null && match.index <= lastStart; match = matcher.exec(text))
    yield { pattern: index, start: match.index, end: matcher.lastIndex };
}

function lastLetter(text: string): number {
  for (let at = text.length - 1; at >= 0; at--) if (LETTER.test(text.charAt(at))) return at;
  return -1;
}
