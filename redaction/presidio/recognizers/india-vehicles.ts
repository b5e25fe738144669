/**
 * Registering authorities of the states of India, as Presidio's list of them is seen to answer: which numbers of districts
 * it knows. Many of its lists leave out 21; Delhi and Gujarat may write their first nine with one digit.
 */
import { asciiDigits } from '../digits.ts';
import type { Verdict } from '../recognizer.ts';

/** Known districts of each state, both ends included. */
const DISTRICTS: Readonly<Record<string, string>> = {
  AN: '1-1',
  AP: '39-40',
  AR: '1-17 19-20 22-22',
  AS: '1-20 22-34',
  BR: '1-11 19-19 21-22 24-34 37-39 43-46 50-53 55-56',
  CG: '1-30',
  CH: '1-4',
  DD: '1-3',
  DL: '1-13',
  DN: '9-9',
  GA: '1-12',
  GJ: '1-39',
  HP: '1-20 22-99',
  HR: '1-20 22-99',
  JH: '1-20 22-24',
  JK: '1-20 22-22',
  KA: '1-20 22-71',
  KL: '1-20 22-99',
  LA: '1-2',
  LD: '1-9',
  MH: '1-20 22-51',
  ML: '1-10',
  MN: '1-7',
  MP: '1-20 22-71',
  MZ: '1-8',
  NL: '1-10',
  OD: '1-20 22-35',
  OR: '1-20 22-31',
  PB: '1-20 22-99',
  PY: '1-5',
  RJ: '1-20 22-58',
  SK: '1-8',
  TN: '1-20 22-99',
  TR: '1-8',
  TS: '1-20 22-38',
  UK: '1-20',
  UP: '11-20 22-96',
  WB: '1-20 22-98',
};
const ONE_DIGIT: ReadonlySet<string> = new Set(['DL', 'GJ']);

/** A number of a district that is known is right; any other proves nothing. */
export function checkRegistration(match: string): Verdict {
  const code = asciiDigits(match).toUpperCase();
  const [, state = '', district = ''] = /^([A-Z]{2})([0-9]{1,2})[A-Z]{1,3}(?!0000)[0-9]{4}$/.exec(code) ?? [];
  const known = DISTRICTS[state];
  if (known === undefined || (district.length === 1 && !ONE_DIGIT.has(state))) return null;
  return known.split(' ').some((range) => isWithin(Number(district), range)) ? true : null;
}

function isWithin(district: number, range: string): boolean {
  const [first = 0, last = 0] = range.split('-').map(Number);
  return district >= first && district <= last;
}
