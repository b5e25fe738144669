/** Registering authorities of the states of India: how many districts each has numbered (Parivahan, list of offices). */
import type { Verdict } from '../recognizer.ts';

const LAST_DISTRICT: Readonly<Record<string, number>> = {
  AN: 2,
  AP: 40,
  AR: 26,
  AS: 34,
  BR: 57,
  CG: 31,
  CH: 4,
  DD: 3,
  DL: 17,
  DN: 9,
  GA: 12,
  GJ: 39,
  HP: 99,
  HR: 99,
  JH: 24,
  JK: 22,
  KA: 71,
  KL: 99,
  LA: 2,
  LD: 9,
  MH: 51,
  MN: 7,
  MP: 71,
  MZ: 8,
  NL: 10,
  OD: 35,
  OR: 31,
  PB: 99,
  PY: 5,
  RJ: 58,
  SK: 8,
  TN: 99,
  TR: 8,
  TS: 38,
  UK: 21,
  UP: 96,
  WB: 98,
};

/** A number of a district that exists is right; any other proves nothing. Districts are written in ASCII digits only. */
export function checkRegistration(match: string): Verdict {
  const [, state = '', district = ''] = /^([A-Z]{2})(\d{1,2})[A-Z]{1,3}(?!0000)\d{4}$/.exec(match.toUpperCase()) ?? [];
  const last = LAST_DISTRICT[state];
  return last !== undefined && Number(district) >= 1 && Number(district) <= last ? true : null;
}
