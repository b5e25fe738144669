/** Check digits of German identifiers. */
import { asciiDigits, digitsOf, mod11And10, weighted } from '../digits.ts';
import type { Verdict } from '../recognizer.ts';

/** § 139b AO: of the first ten digits none occurs more than three times. */
export function isTaxId(match: string): boolean {
  if (!/^[0-9]{11}$/.test(asciiDigits(match))) return false;
  const digits = digitsOf(match);
  const first = digits.slice(0, 10);
  const most = Math.max(...first.map((digit) => first.filter((other) => other === digit).length));
  return digits[0] !== 0 && most <= 3 && mod11And10(first) === digits[10];
}

/** ICAO Doc 9303 part 3: weights 7, 3, 1; letters count from 10. */
export function isSerialNumber(match: string): boolean {
  const code = match.toUpperCase();
  if (!/^[0-9A-Z]{8}[0-9]$/.test(code)) return false;
  const values = Array.from(code, (character) => parseInt(character, 36));
  return weighted(values, [7, 3, 1, 7, 3, 1, 7, 3]) % 10 === values[8];
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
  const digits = digitsOf(letterNumber(code.charAt(0)) + code.slice(1, 9));
  return digitSum(digits, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === Number(code.charAt(9));
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
  if (mod11And10(digits.slice(0, 8)) === digits[8]) return true;
  return isStrict ? false : null;
}

function letterNumber(letter: string): string {
  return String(letter.charCodeAt(0) - 64).padStart(2, '0');
}

function digitSum(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + tens(weight * (digits[at] ?? 0)), 0);
}

function tens(product: number): number {
  return Math.floor(product / 10) + (product % 10);
}
