/**
 * Telephone numbers: ITU-T E.164 for the international form, national plans for the rest. How much the form says
 * decides the score: `+49 30 …` stands alone, ten bare digits need a word like "call" before them.
 */
import type { CountryCode } from 'libphonenumber-js/max';
import { countriesOf, planOf } from './phone-plan.ts';
import type { Verdict } from './recognizer.ts';

const INTERNATIONAL = 750;
const FORMATTED = 400;
/** Below the reporting threshold: needs a context word. */
const BARE = 250;

/** Plans whose national form starts with the trunk prefix 0. */
const TRUNK_COUNTRIES: readonly CountryCode[] = 'GB DE FR IT NL CH AT BE SE AU IL IN'.split(' ') as CountryCode[];
/** Plans dialled without any prefix. */
const PLAIN_COUNTRIES: readonly CountryCode[] = 'ES IN PT PL NO DK BR CZ'.split(' ') as CountryCode[];

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
  for (let count = groups.length; count > 0; count--) {
    const used = groups.slice(0, count);
    const digits = used.join('');
    const length = ends[count - 1] ?? 0;
    if (digits.length < MIN_DIGITS) return null;
    if (digits.length > MAX_DIGITS || !parenthesesBalance(candidate.slice(0, length))) continue;
    const score = scoreOf(digits, used);
    if (score > 0) return DATE.test(candidate) ? null : { length, score };
  }
  return null;
}

function scorePlus(_digits: string, groups: readonly string[]): number {
  return isInternational(withoutTrunkHint(groups)) ? INTERNATIONAL : 0;
}

function scoreDoubleZero(_digits: string, groups: readonly string[]): number {
  return isInternational(withoutTrunkHint(groups).slice(2)) ? INTERNATIONAL : 0;
}

/** `+44 (0)20 …` writes the trunk prefix that must not be dialled from abroad. */
function withoutTrunkHint(groups: readonly string[]): string {
  return groups[1] === '0' ? groups.toSpliced(1, 1).join('') : groups.join('');
}

function isInternational(digits: string): boolean {
  for (let codeLength = 1; codeLength <= 3; codeLength++) {
    const national = digits.slice(codeLength);
    if (countriesOf(digits.slice(0, codeLength)).some((country) => planOf(country).accepts(national))) return true;
  }
  return false;
}

function scoreTrunk(digits: string, groups: readonly string[]): number {
  if (digits.length < 9) return 0;
  const national = digits.slice(1);
  const accepted = TRUNK_COUNTRIES.some((country) => planOf(country).accepts(country === 'IT' ? digits : national));
  if (!accepted) return 0;
  return groups.length > 1 ? FORMATTED : BARE;
}

function scorePlain(digits: string, groups: readonly string[]): number {
  if (digits.length < 8 || groups.length > 5) return 0;
  return PLAIN_COUNTRIES.some((country) => planOf(country).accepts(digits)) ? BARE : 0;
}

/** North American plan: 3-3-4 with or without the leading 1, 3-7, or ten bare digits. The form leaves one length only. */
function northAmerican({ candidate, groups, ends }: Written): Verdict | null {
  const count = northAmericanGroups(groups);
  const length = ends[count - 1];
  if (length === undefined || !parenthesesBalance(candidate.slice(0, length))) return null;
  const national = groups.slice(0, count).join('').slice(-10);
  if (!planOf('US').accepts(national) && !planOf('CA').accepts(national)) return null;
  return { length, score: count === 1 ? BARE : FORMATTED };
}

/** How many groups make up the number; 0 when the sizes fit none of the forms. */
function northAmericanGroups(groups: readonly string[]): number {
  const hasPrefix = groups[0] === '1';
  const sizes = (hasPrefix ? groups.slice(1, 4) : groups.slice(0, 3)).map((group) => group.length).join('-');
  if (sizes === '3-3-4') return hasPrefix ? 4 : 3;
  if (hasPrefix) return 0;
  if (sizes.startsWith('3-7')) return 2;
  const first = groups[0] ?? '';
  return first.length === 10 || (first.length === 11 && first.startsWith('1')) ? 1 : 0;
}

function parenthesesBalance(written: string): boolean {
  const opened = written.indexOf('(');
  const closed = written.indexOf(')');
  if (opened === -1 || closed === -1) return opened === closed;
  return opened < closed && opened === written.lastIndexOf('(') && closed === written.lastIndexOf(')');
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
