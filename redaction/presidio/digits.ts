/** Check digits, each by the rule of its standard. Digits of every script count, as Python's `int` reads them. */

const DIGIT = /\p{Nd}/u;
const DIGITS = /\p{Nd}/gu;
const NOT_ASCII = /[^\0-\x7f]/;
const ASCII_DIGIT_0 = 48;
const ASCII_DIGIT_9 = 57;

/** Value 0..9 of a decimal digit of any script: their code points come in runs of ten. */
export function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  if (code >= ASCII_DIGIT_0 && code <= ASCII_DIGIT_9) return code - ASCII_DIGIT_0;
  let first = code;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return (code - first) % 10;
}

/** All decimal digits of a text, in order. */
export function digitsOf(text: string): number[] {
  const digits: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= ASCII_DIGIT_0 && code <= ASCII_DIGIT_9) digits.push(code - ASCII_DIGIT_0);
    else if (code > 0x7f) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      if (DIGIT.test(character)) digits.push(digitValue(character));
      at += character.length - 1;
    }
  }
  return digits;
}

/** The text with its digits as ASCII. */
export function asciiDigits(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  return text.replace(DIGITS, (digit) => String(digitValue(digit)));
}

/** Sum of products, position by position; digits beyond the weights do not count. */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) sum += (weights[at] ?? 0) * (digits[at] ?? 0);
  return sum;
}

/** ISO/IEC 7812-1 annex B, check digit included. */
export function isLuhn(digits: readonly number[]): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isDoubled = false; at >= 0; at--, isDoubled = !isDoubled) {
    const digit = digits[at] ?? 0;
    sum += !isDoubled ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** ISO 7064 MOD 11,10: the check digit of the first `count` digits. */
export function mod11And10(digits: readonly number[], count: number): number {
  let product = 10;
  for (let at = 0; at < count; at++) {
    const sum = ((digits[at] ?? 0) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10;
}

/** J. Verhoeff, "Error detecting decimal codes" (1969), check digit included. */
export function isVerhoeff(digits: ArrayLike<number>): boolean {
  let state = 0;
  for (let i = digits.length - 1, at = 0; i >= 0; i--, at++)
    state = DIHEDRAL[state * 10 + (PERMUTED[(at % 8) * 10 + (digits[i] ?? 0)] ?? 0)] ?? 0;
  return state === 0;
}

/** Products in the dihedral group D5. */
const DIHEDRAL = Uint8Array.from({ length: 100 }, (_, pair) => dihedral(Math.floor(pair / 10), pair % 10));

function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5);
  return b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5;
}

const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
/** Each digit after none to seven permutations. */
const PERMUTED = Uint8Array.from({ length: 80 }, (_, at) => permuted(at % 10, Math.floor(at / 10)));

function permuted(digit: number, times: number): number {
  let value = digit;
  for (let n = 0; n < times; n++) value = PERMUTATION[value] ?? 0;
  return value;
}

/** True for a day of the Gregorian calendar. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
}

/** The digits read as one number; at most 15 of them. */
export function numberOf(digits: readonly number[]): number {
  return digits.reduce((value, digit) => value * 10 + digit, 0);
}
