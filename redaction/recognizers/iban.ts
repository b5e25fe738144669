/** International bank account numbers: ISO 13616-1, lengths by country from the SWIFT IBAN registry. */
import type { Verdict } from './recognizer.ts';

const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((row) => [row.slice(0, 2), Number(row.slice(2))] as const),
);

/** Each country's letters in either case, its check digits and as many characters as its numbers have. */
export const IBAN_PATTERN = `(?:${[...new Set(LENGTHS.values())].map(ofLength).join('|')})`;

function ofLength(length: number): string {
  const countries = [...LENGTHS.keys()].filter((country) => LENGTHS.get(country) === length);
  const letters = countries.map((country) =>
    country.replace(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`),
  );
  return `(?:${letters.join('|')})[0-9]{2}(?:[ \\-]?[0-9A-Za-z]){${String(length - 4)}}`;
}

const SPACE = 32;
const HYPHEN = 45;

/** The country fixes the length, so words after the number are cut off; then the check digits decide. */
export function verifyIban(candidate: string): Verdict | null {
  const wanted = LENGTHS.get(candidate.slice(0, 2).toUpperCase());
  if (wanted === undefined) return null;
  let count = 0;
  let end = 0;
  for (; end < candidate.length && count < wanted; end++) {
    const code = candidate.charCodeAt(end);
    if (code !== SPACE && code !== HYPHEN) values[count++] = valueOf(code);
  }
  if (count < wanted || isAlphanumeric(candidate.charCodeAt(end))) return null;
  return passesMod97(wanted) ? { length: end, score: 1000 } : null;
}

/** Digits and letters of the number at hand, 10 for A to 35 for Z. */
const values = new Uint8Array(64);

function valueOf(code: number): number {
  return code < 58 ? code - 48 : (code | 32) - 87;
}

/** ISO 7064 MOD 97-10 over the number with its first four characters moved to the end. */
function passesMod97(length: number): boolean {
  let remainder = 0;
  for (let i = 0; i < length; i++) {
    const value = values[(i + 4) % length] ?? 0;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** NaN, which `charCodeAt` gives past the end, is neither. */
function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
