/** US social security numbers: ranges never assigned (SSA, "Social Security Number Randomization"). */
import type { Verdict } from './recognizer.ts';

/** Numbers the SSA has published as void: printed on wallet cards and leaflets, so they are often quoted as examples. */
const VOID_NUMBERS: ReadonlySet<number> = new Set([78_051_120, 219_099_999]);

const ZERO = 48;
const HYPHEN = 45;

/**
 * Written with dashes it is evidence by itself; nine bare digits and the void specimens need a context word.
 * Scores stay below 1000 because there is no check digit.
 */
export function verifySsn(text: string, start: number, end: number): Verdict | null {
  // Nine digits with up to two separators.
  let value = 0;
  let count = 0;
  let isHyphened = true;
  let first = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= ZERO + 9) value = value * 10 + code - ZERO;
    else {
      if (count === 0) first = code;
      else if (code !== first) return null;
      count += 1;
      isHyphened &&= code === HYPHEN;
    }
  }
  if (count === 1 || !isAssignable(value)) return null;
  const length = end - start;
  if (count === 0 || VOID_NUMBERS.has(value)) return { length, score: 50 };
  return { length, score: isHyphened ? 500 : 400 };
}

function isAssignable(number: number): boolean {
  const area = Math.floor(number / 1_000_000);
  if (area === 0 || area === 666 || area >= 900) return false;
  return Math.floor(number / 10_000) % 100 !== 0 && number % 10_000 !== 0;
}
