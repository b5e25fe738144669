/**
 * Telephone numbers: ITU-T E.164 for the international form, national plans for the rest. How much the form says
 * decides the score: `+49 30 …` stands alone, ten bare digits need a word like "call" before them.
 */
import type { CountryCode } from 'libphonenumber-js/max';
import { isDigit, isWordUnit, progress, separators, ZERO } from './digits.ts';
import { planOf, planOfCode } from './phone-plan.ts';
import type { Verdict } from './recognizer.ts';

const PHONE_SEPARATORS = separators(' ().-/\u00a0\u202f\u2010\u2011\u2012\u2013');
const SEPARATORS = PHONE_SEPARATORS.members;
export const PHONE_SEPARATOR = PHONE_SEPARATORS.source;

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

const MIN_DIGITS = 7;
const MAX_DIGITS = 16;
const MIN_TRUNK_DIGITS = 9;

/** The groups of digits a candidate starts with. Made anew by each call. */
interface Written {
  units: Uint16Array;
  from: number;
  count: number;
  digits: number;
  /** Where each group begins, and just past its last digit. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1 where the parentheses up to the end of the group are in order: none, or one of each. */
  readonly balances: Uint8Array;
}

const written: Written = {
  units: new Uint16Array(0),
  from: 0,
  count: 0,
  digits: 0,
  starts: new Int32Array(8),
  ends: new Int32Array(8),
  balances: new Uint8Array(8),
};

/** The longest run of whole digit groups from `start` on that the form of the number explains; `units` are 0 behind a text. */
export function verifyPhone(units: Uint16Array, start: number): Verdict | null {
  if (!readGroups(units, start) || !isBalancedSomewhere()) return null;
  const sign = units[start];
  if (sign === PLUS || (sign === OPENING && units[start + 1] === PLUS)) return longest(scorePlus);
  const first = written.starts[0] ?? 0;
  if (units[first] !== ZERO) return northAmerican();
  return longest(sizeOf(0) > 1 && units[first + 1] === ZERO ? scoreDoubleZero : scoreTrunk);
}

const PLUS = 43;
const OPENING = 40;
const CLOSING = 41;
const ONE = 49;

/** The same for plans dialled without a prefix: any nine digits in groups look like one, so only context makes it count. */
export function verifyPlainPhone(units: Uint16Array, start: number): Verdict | null {
  return readGroups(units, start) ? longest(scorePlain) : null;
}

/** Signs in front of the first digit, and between two groups. */
const MAX_SIGNS = 2;
const MAX_SEPARATORS = 3;
const MAX_FIRST = 16;

/**
 * Reads the groups up to the first that no printed number has: one behind more than three separators, too long, or a single
 * digit anywhere but in front (`1 212 …`) or in `(0)`; the last is no part of a word. False when they are too short for any number.
 */
function readGroups(units: Uint16Array, from: number): boolean {
  const { starts, ends, balances } = written;
  let opened = 0;
  let closed = 0;
  let count = 0;
  let size = 0;
  // A long first group leaves room for little.
  let longest = MAX_FIRST;
  let most = 1;
  let code = units[from] ?? 0;
  let at = from;
  for (; count < most; count++) {
    const limit = at + (count === 0 ? MAX_SIGNS : MAX_SEPARATORS);
    const end = at;
    while (at < limit && !isDigit(code) && (count === 0 || SEPARATORS[code] === 1)) {
      if (code === OPENING) opened += closed === 0 ? 1 : 2;
      else if (code === CLOSING) closed += opened === 1 ? 1 : 2;
      code = units[++at] ?? 0;
    }
    const start = at;
    while (isDigit(code) && at - start <= longest) {
      digits[size + at - start] = code;
      code = units[++at] ?? 0;
    }
    const length = at - start;
    if (length === 0 || length > longest || isWordUnit(code)) break;
    if (count > 0 && (start === end || (length === 1 && !isTrunkHint(units, start)))) break;
    starts[count] = start;
    ends[count] = at;
    balances[count] = opened === closed && opened <= 1 ? 1 : 0;
    size += length;
    if (count === 0) {
      longest = length <= 5 ? 13 : length <= 9 ? 10 : 6;
      most = length <= 5 ? 7 : length <= 9 ? 6 : 4;
    }
  }
  progress.read = at;
  written.units = units;
  written.from = from;
  written.count = count;
  written.digits = size;
  return size >= MIN_DIGITS;
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

function isTrunkHint(units: Uint16Array, at: number): boolean {
  return units[at] === ZERO && units[at - 1] === OPENING;
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

/** Three groups of a date with one sign between, and none behind. */
function isDate(): boolean {
  const { from, count, starts, ends } = written;
  if (count < 3 || starts[0] !== from || sizeOf(0) > 4 || sizeOf(1) > 2 || sizeOf(2) > 4) return false;
  const isBetween = (group: number): boolean =>
    starts[group + 1] === (ends[group] ?? 0) + 1 && isDateSign(written.units[ends[group] ?? 0]);
  return isBetween(0) && isBetween(1) && (count === 3 || !isDateSign(written.units[ends[2] ?? 0]));
}

function isDateSign(code: number | undefined): boolean {
  return code !== undefined && code >= 45 && code <= 47;
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
  const count = northAmericanGroups(written.units[written.starts[0] ?? 0] === ONE);
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
