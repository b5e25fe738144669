/** US social security numbers: ranges never assigned (SSA, "Social Security Number Randomization"). */
import type { Verdict } from './recognizer.ts';

/** Numbers the SSA has published as void: printed on wallet cards and leaflets, so they are often quoted as examples. */
const VOID_NUMBERS: ReadonlySet<string> = new Set(['078051120', '219099999']);

/**
 * Written with dashes it is evidence by itself; nine bare digits and the void specimens need a context word.
 * Scores stay below 1000 because there is no check digit.
 */
export function verifySsn(candidate: string): Verdict | null {
  const digits = candidate.replace(/[^0-9]/g, '');
  const separators = candidate.replace(/[0-9]/g, '');
  if (separators.length === 1 || (separators.length === 2 && separators.charAt(0) !== separators.charAt(1)))
    return null;
  if (!isAssignable(digits)) return null;
  const length = candidate.length;
  if (separators.length === 0) return { length, score: 50 };
  if (VOID_NUMBERS.has(digits)) return { length, score: 50 };
  return { length, score: separators === '--' ? 500 : 400 };
}

function isAssignable(digits: string): boolean {
  const area = digits.slice(0, 3);
  if (area === '000' || area === '666' || area >= '900') return false;
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000';
}
