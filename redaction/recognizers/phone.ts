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
const DATE = /^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?:$|[^0-9./-])/;

/** The groups of digits a candidate starts with; offsets are just past each group's last digit. */
interface Written {
  readonly candidate: string;
  readonly groups: readonly string[];
  readonly ends: readonly number[];
}

/** The longest run of whole digit groups, from the start of the candidate, that the form of the number explains. */
export function verifyPhone(candidate: string): Verdict | null {
  const written = digitGroups(candidate);
  const first = written.groups[0] ?? '';
  if (candidate.startsWith('+') || candidate.startsWith('(+')) return longest(written, scorePlus);
  // Behind the prefix stands a calling code, and none begins with a zero.
  if (/^000|^00$/.test(first) && /^0[0 ().-]*0[ ().-]*0/.test(candidate)) return null;
  if (first.startsWith('00')) return longest(written, scoreDoubleZero);
  return first.startsWith('0') ? longest(written, scoreTrunk) : northAmerican(written);
}

/** The same for plans dialled without a prefix: any nine digits in groups look like one, so only context makes it count. */
export function verifyPlainPhone(candidate: string): Verdict | null {
  return longest(digitGroups(candidate), scorePlain);
}

/** Groups up to the first that no printed number has: a single digit anywhere but in front (`1 212 …`) or in `(0)`. */
function digitGroups(candidate: string): Written {
  const groups: string[] = [];
  const ends: number[] = [];
  let at = 0;
  while (at < candidate.length && groups.length < MAX_GROUPS) {
    const start = at;
    while (isDigit(candidate.charCodeAt(at))) at += 1;
    const group = candidate.slice(start, at);
    if (group.length === 1 && groups.length > 0 && !(group === '0' && candidate.charAt(start - 1) === '(')) break;
    if (group !== '') {
      groups.push(group);
      ends.push(at);
    }
    at += 1;
  }
  return { candidate, groups, ends };
}

function longest(written: Written, scoreOf: (digits: string, groups: readonly string[]) => number): Verdict | null {
  const { candidate, groups, ends } = written;
  const all = groups.join('');
  const hasParentheses = candidate.includes('(') || candidate.includes(')');
  let size = all.length;
  for (let count = groups.length; count > 0; count--) {
    if (size < MIN_DIGITS) return null;
    const digits = all.slice(0, size);
    const length = ends[count - 1] ?? 0;
    size -= groups[count - 1]?.length ?? 0;
    if (digits.length > MAX_DIGITS || (hasParentheses && !parenthesesBalance(candidate, length))) continue;
    const score = scoreOf(digits, groups.slice(0, count));
    if (score > 0) return DATE.test(candidate) ? null : { length, score };
  }
  return null;
}

function scorePlus(digits: string, groups: readonly string[]): number {
  return isInternational(withoutTrunkHint(groups, digits)) ? INTERNATIONAL : 0;
}

function scoreDoubleZero(digits: string, groups: readonly string[]): number {
  return isInternational(withoutTrunkHint(groups, digits).slice(2)) ? INTERNATIONAL : 0;
}

/** `+44 (0)20 …` writes the trunk prefix that must not be dialled from abroad. */
function withoutTrunkHint(groups: readonly string[], digits: string): string {
  return groups[1] !== '0' ? digits : groups.toSpliced(1, 1).join('');
}

function isInternational(digits: string): boolean {
  // No calling code begins with a zero.
  if (digits.startsWith('0')) return false;
  for (let codeLength = 1; codeLength <= 3; codeLength++) {
    const national = digits.slice(codeLength);
    if (planOfCode(digits.slice(0, codeLength))?.accepts(national) === true) return true;
  }
  return false;
}

function scoreTrunk(digits: string, groups: readonly string[]): number {
  if (digits.length < 9) return 0;
  // Italy dials the zero as a part of the number.
  if (!TRUNK_PLANS.accepts(digits.slice(1)) && !ITALY.accepts(digits)) return 0;
  return groups.length > 1 ? FORMATTED : BARE;
}

function scorePlain(digits: string, groups: readonly string[]): number {
  if (digits.length < 8 || groups.length > 5) return 0;
  return PLAIN_PLANS.accepts(digits) ? BARE : 0;
}

/** North American plan: 3-3-4 with or without the leading 1, 3-7, or ten bare digits. The form leaves one length only. */
function northAmerican({ candidate, groups, ends }: Written): Verdict | null {
  const count = northAmericanGroups(groups);
  const length = ends[count - 1];
  if (length === undefined || !parenthesesBalance(candidate, length)) return null;
  const national = groups.slice(0, count).join('').slice(-10);
  if (!NORTH_AMERICA.accepts(national)) return null;
  return { length, score: count === 1 ? BARE : FORMATTED };
}

/** How many groups make up the number; 0 when the sizes fit none of the forms. */
function northAmericanGroups(groups: readonly string[]): number {
  const first = groups[0] ?? '';
  const at = first === '1' ? 1 : 0;
  if (groups[at]?.length === 3) {
    if (groups[at + 1]?.length === 3 && groups[at + 2]?.length === 4) return at + 3;
    return at === 0 && groups[1]?.length === 7 ? 2 : 0;
  }
  if (at === 1) return 0;
  return first.length === 10 || (first.length === 11 && first.startsWith('1')) ? 1 : 0;
}

/** In the first `length` units: none, or one of each in their order. */
function parenthesesBalance(candidate: string, length: number): boolean {
  const written = candidate.slice(0, length);
  const opened = written.indexOf('(');
  const closed = written.indexOf(')');
  if (opened === -1 || closed === -1) return opened === closed;
  return opened < closed && opened === written.lastIndexOf('(') && closed === written.lastIndexOf(')');
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
