/**
 * Telephone numbers: ITU-T E.164 for the international form, national plans for the rest. How much the form says
 * decides the score: `+49 30 …` stands alone, ten bare digits need a word like "call" before them.
 */
import type { CountryCode } from 'libphonenumber-js/max';
import { planOf, planOfCode } from './phone-plan.ts';
import type { Verdict } from './recognizer.ts';

const INTERNATIONAL = 750;
const FORMATTED = 400;
/** Below the reporting threshold: needs a context word. */
const BARE = 250;

/** Plans whose national form starts with the trunk prefix 0. */
const TRUNK_PLANS = planOf(...('GB DE FR NL CH AT BE SE AU IL IN'.split(' ') as CountryCode[]));
const ITALY = planOf('IT');
const NORTH_AMERICA = planOf('US', 'CA');
/** Plans dialled without any prefix. */
const PLAIN_PLANS = planOf(...('ES IN PT PL NO DK BR CZ'.split(' ') as CountryCode[]));

const MAX_GROUPS = 7;
const MIN_DIGITS = 7;
const MAX_DIGITS = 16;
const MIN_TRUNK_DIGITS = 9;
const DATE = /^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?:$|[^0-9./-])/;

/** The groups of digits a candidate starts with. Made anew by each call. */
interface Written {
  text: string;
  /** The candidate. */
  from: number;
  to: number;
  count: number;
  digits: number;
  /** Where each group begins, and just past its last digit. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1 where the parentheses up to the end of the group are in order: none, or one of each. */
  readonly balances: Uint8Array;
}

const written: Written = {
  text: '',
  from: 0,
  to: 0,
  count: 0,
  digits: 0,
  starts: new Int32Array(8),
  ends: new Int32Array(8),
  balances: new Uint8Array(8),
};

/** The longest run of whole digit groups, from the start of the candidate [start, end) of a text, that the form of the number explains. */
export function verifyPhone(text: string, start: number, end: number): Verdict | null {
  if (!readGroups(text, start, end) || !isBalancedSomewhere()) return null;
  const sign = text.charCodeAt(start);
  if (sign === PLUS || (sign === OPENING && text.charCodeAt(start + 1) === PLUS)) return longest(scorePlus);
  const first = written.starts[0] ?? 0;
  if (text.charCodeAt(first) !== ZERO) return northAmerican();
  return longest(sizeOf(0) > 1 && text.charCodeAt(first + 1) === ZERO ? scoreDoubleZero : scoreTrunk);
}

const PLUS = 43;
const OPENING = 40;
const CLOSING = 41;
const ZERO = 48;
const ONE = 49;

/** The same for plans dialled without a prefix: any nine digits in groups look like one, so only context makes it count. */
export function verifyPlainPhone(text: string, start: number, end: number): Verdict | null {
  return readGroups(text, start, end) ? longest(scorePlain) : null;
}

/**
 * Reads the groups up to the first that no printed number has: a single digit anywhere but in front (`1 212 …`) or in
 * `(0)`. False when they are too short for any number.
 */
function readGroups(text: string, from: number, to: number): boolean {
  written.text = text;
  written.from = from;
  written.to = to;
  written.count = 0;
  written.digits = 0;
  let opened = 0;
  let closed = 0;
  let start = from;
  let size = 0;
  for (let at = from; at <= to && written.count < MAX_GROUPS; at++) {
    const sign = at < to ? text.charCodeAt(at) : 0;
    if (isDigit(sign)) {
      digits[written.digits + size++] = sign;
      continue;
    }
    if (size === 1 && written.count > 0 && !isTrunkHint(text, start)) break;
    if (size > 0) addGroup(start, at, opened === closed && opened <= 1);
    if (sign === OPENING) opened += closed === 0 ? 1 : 2;
    else if (sign === CLOSING) closed += opened === 1 ? 1 : 2;
    start = at + 1;
    size = 0;
  }
  return written.digits >= MIN_DIGITS;
}

function addGroup(start: number, end: number, isBalanced: boolean): void {
  written.starts[written.count] = start;
  written.ends[written.count] = end;
  written.balances[written.count] = isBalanced ? 1 : 0;
  written.count += 1;
  written.digits += end - start;
}

/** Up to the end of some group that makes the number long enough. */
function isBalancedSomewhere(): boolean {
  let size = written.digits;
  for (let i = written.count - 1; i >= 0 && size >= MIN_DIGITS; i--) {
    if (written.balances[i] === 1) return true;
    size -= sizeOf(i);
  }
  return false;
}

function isTrunkHint(text: string, at: number): boolean {
  return text.charCodeAt(at) === ZERO && text.charCodeAt(at - 1) === OPENING;
}

function sizeOf(index: number): number {
  return index < written.count ? (written.ends[index] ?? 0) - (written.starts[index] ?? 0) : 0;
}

/** Character codes of the digits of the groups, without what stands between. */
const digits = new Uint8Array(128);

function longest(scoreOf: (size: number, count: number) => number): Verdict | null {
  let size = written.digits;
  for (let count = written.count; count > 0 && size >= MIN_DIGITS; count--) {
    if (size <= MAX_DIGITS && written.balances[count - 1] === 1) {
      const score = scoreOf(size, count);
      if (score > 0) return isDate() ? null : verdictFor(count, score);
    }
    size -= sizeOf(count - 1);
  }
  return null;
}

function isDate(): boolean {
  return DATE.test(written.text.slice(written.from, written.to));
}

function verdictFor(count: number, score: number): Verdict {
  return { length: (written.ends[count - 1] ?? 0) - written.from, score };
}

function scorePlus(size: number, count: number): number {
  return isInternational(0, size, count) ? INTERNATIONAL : 0;
}

function scoreDoubleZero(size: number, count: number): number {
  return isInternational(2, size, count) ? INTERNATIONAL : 0;
}

const withoutHint = new Uint8Array(digits.length);

/** The digits [from, size) with calling code; `+44 (0)20 …` writes the trunk prefix that must not be dialled from abroad. */
function isInternational(from: number, size: number, count: number): boolean {
  const first = sizeOf(0);
  if (count < 2 || sizeOf(1) !== 1 || digits[first] !== ZERO) return fitsPlan(digits, from, size);
  withoutHint.set(digits.subarray(0, first));
  withoutHint.set(digits.subarray(first + 1, size), first);
  return fitsPlan(withoutHint, from, size - 1);
}

function fitsPlan(codes: Uint8Array, from: number, to: number): boolean {
  // No calling code begins with a zero.
  if (codes[from] === ZERO) return false;
  let callingCode = 0;
  for (let at = from; at < Math.min(from + 3, to); at++) {
    callingCode = callingCode * 10 + (codes[at] ?? 0) - ZERO;
    if (planOfCode(callingCode)?.acceptsCodes(codes, at + 1, to) === true) return true;
  }
  return false;
}

function scoreTrunk(size: number, count: number): number {
  if (size < MIN_TRUNK_DIGITS) return 0;
  // Italy dials the zero as a part of the number.
  if (!TRUNK_PLANS.acceptsCodes(digits, 1, size) && !ITALY.acceptsCodes(digits, 0, size)) return 0;
  return count > 1 ? FORMATTED : BARE;
}

function scorePlain(size: number, count: number): number {
  if (size < 8 || count > 5) return 0;
  return PLAIN_PLANS.acceptsCodes(digits, 0, size) ? BARE : 0;
}

/** North American plan: 3-3-4 with or without the leading 1, 3-7, or ten bare digits. The form leaves one length only. */
function northAmerican(): Verdict | null {
  const count = northAmericanGroups(written.text.charCodeAt(written.starts[0] ?? 0) === ONE);
  if (count === 0 || written.balances[count - 1] !== 1) return null;
  let size = 0;
  for (let i = 0; i < count; i++) size += sizeOf(i);
  if (!NORTH_AMERICA.acceptsCodes(digits, size - 10, size)) return null;
  return verdictFor(count, count === 1 ? BARE : FORMATTED);
}

/** How many groups make up the number; 0 when the sizes fit none of the forms. */
function northAmericanGroups(startsWithOne: boolean): number {
  const at = sizeOf(0) === 1 && startsWithOne ? 1 : 0;
  if (sizeOf(at) === 3) {
    if (sizeOf(at + 1) === 3 && sizeOf(at + 2) === 4) return at + 3;
    return at === 0 && sizeOf(1) === 7 ? 2 : 0;
  }
  if (at === 1) return 0;
  return sizeOf(0) === 10 || (sizeOf(0) === 11 && startsWithOne) ? 1 : 0;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
