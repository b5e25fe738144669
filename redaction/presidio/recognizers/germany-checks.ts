/** Check digits of German identifiers. */
import { asciiDigits, digitsOf, mod11And10, weighted } from '../digits.ts';
import type { Verdict } from '../recognizer.ts';

/** § 139b AO: of the first ten digits none occurs more than three times. */
export function isTaxId(match: string): boolean {
  const digits = digitsOf(match);
  if (mod11And10(digits, 10) !== digits[10] || digits[0] === 0 || !/^[0-9]{11}$/.test(asciiDigits(match))) return false;
  const first = digits.slice(0, 10);
  return first.every((digit) => first.filter((other) => other === digit).length <= 3);
}

/** ICAO Doc 9303 part 3: weights 7, 3, 1; letters count from 10. */
export function isSerialNumber(match: string): boolean {
  const code = match.toUpperCase();
  if (code.length !== SERIAL_WEIGHTS.length) return false;
  let sum = 0;
  for (let at = 0; at < SERIAL_WEIGHTS.length; at++) {
    const value = base36(code.charCodeAt(at));
    if (value < 0) return false;
    sum += value * (SERIAL_WEIGHTS[at] ?? 0);
  }
  return sum % 10 === 0 && base36(code.charCodeAt(8)) < 10;
}

/** The last takes the check digit off. */
const SERIAL_WEIGHTS = [7, 3, 1, 7, 3, 1, 7, 3, -1];

/** Value of a digit or capital letter; -1: neither. */
function base36(code: number): number {
  return code >= 48 && code <= 57 ? code - 48 : code >= 65 && code <= 90 ? code - 55 : -1;
}

/** § 2 VKVV: the letter counts as two digits, products count by their digit sum. */
export function isSocialSecurityNumber(match: string): boolean {
  const code = asciiDigits(match.replaceAll(' ', '')).toUpperCase();
  if (!/^[0-9]{8}[A-Z][0-9]{3}$/.test(code)) return false;
  const day = Number(code.slice(2, 4));
  const month = Number(code.slice(4, 6));
  const isDay = (day >= 1 && day <= 31) || (day >= 51 && day <= 81);
  if (!isDay || month < 1 || month > 12) return false;
  const digits = digitsOf(code.slice(0, 8) + letterNumber(code.charAt(8)) + code.slice(9, 11));
  return digitSum(digits, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === Number(code.charAt(11));
}

/** § 290 SGB V. */
export function isHealthInsuranceNumber(match: string): boolean {
  const code = asciiDigits(match).toUpperCase();
  if (!/^[A-Z][0-9]{9}$/.test(code)) return false;
  const digits = digitsOf(code);
  const letter = code.charCodeAt(0) - 64;
  const sum = Math.floor(letter / 10) + tens(2 * (letter % 10)) + digitSum(digits, [1, 2, 1, 2, 1, 2, 1, 2]);
  return sum % 10 === digits[8];
}

/** The seventh digit completes the sum with weights 4 and 9. */
export function isLanr(match: string): boolean {
  const digits = digitsOf(match);
  if (digits.length !== 9 || !/^[0-9]{9}$/.test(asciiDigits(match))) return false;
  return (10 - (weighted(digits, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === digits[6];
}

/** There is no check digit: a number of the right form is neither proven nor excluded. */
export function checkBsnr(match: string): Verdict {
  const code = asciiDigits(match);
  return /^[0-9]{9}$/.test(code) && code !== '000000000' ? null : false;
}

/** A wrong check digit excludes a number only when `isStrict`: some were issued without. */
export function checkVatId(match: string, isStrict: boolean): Verdict {
  const code = asciiDigits(match.replace(/[\p{White_Space}.-]/gu, '')).toUpperCase();
  if (!/^DE[0-9]{9}$/.test(code)) return false;
  const digits = digitsOf(code);
  if (mod11And10(digits, 8) === digits[8]) return true;
  return isStrict ? false : null;
}

function letterNumber(letter: string): string {
  return String(letter.charCodeAt(0) - 64).padStart(2, '0');
}

function digitSum(digits: readonly number[], weights: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) sum += tens((weights[at] ?? 0) * (digits[at] ?? 0));
  return sum;
}

function tens(product: number): number {
  return Math.floor(product / 10) + (product % 10);
}
