/**
 * Payment card numbers: length and first digits by scheme, Luhn check digit (ISO/IEC 7812-1 annex B).
 * Sources of the ranges: the schemes' published issuer ranges.
 */
import { isDigit, isWordUnit, progress, separators, ZERO } from './digits.ts';
import type { Verdict } from './recognizer.ts';

/** Separators people and word processors put between groups of digits. */
const CARD_SEPARATORS = separators(' .-\u00a0\u202f\u2010\u2011\u2012\u2013');
const SEPARATORS = CARD_SEPARATORS.members;
export const CARD_SEPARATOR = CARD_SEPARATORS.source;

/** [first digits from, to (same length), shortest, longest]. */
type Range = readonly [from: number, to: number, shortest: number, longest: number];

const RANGES: readonly Range[] = [
  [4, 4, 13, 19], // Visa (13, 16, 19; the lengths between do not occur but Luhn still guards them)
  [51, 55, 16, 16], // Mastercard
  [2221, 2720, 16, 16], // Mastercard 2-series
  [34, 34, 15, 15], // American Express
  [37, 37, 15, 15],
  [300, 305, 14, 19], // Diners Club
  [3095, 3095, 14, 19],
  [36, 36, 14, 19],
  [38, 39, 14, 19],
  [6011, 6011, 16, 19], // Discover
  [644, 659, 16, 19],
  [622126, 622925, 16, 19],
  [3528, 3589, 16, 19], // JCB
  [2131, 2131, 15, 15],
  [1800, 1800, 15, 15],
  [1, 1, 15, 15], // UATP, airlines
  [62, 62, 16, 19], // UnionPay
  [81, 82, 16, 19], // UnionPay, RuPay
  [60, 60, 16, 16], // RuPay, Hipercard, Cabal
  [508, 508, 16, 19], // RuPay, Verve
  [353, 353, 16, 16],
  [356, 356, 16, 16],
  [50, 50, 12, 19], // Maestro
  [56, 58, 12, 19],
  [6304, 6304, 12, 19],
  [639, 639, 12, 19],
  [6759, 6763, 12, 19],
  [67, 67, 12, 19],
  [636, 638, 16, 19], // Elo, InterPayment, InstaPayment
  [2200, 2205, 16, 19], // Mir, Borica
  [506099, 506198, 16, 19], // Verve
  [9792, 9792, 16, 16], // Troy
  [8600, 8600, 16, 16], // Uzcard
  [9860, 9860, 16, 16], // Humo
];

/** The same by the first six digits, which every card has, in lists by the first two. */
const BY_FIRST_TWO: readonly (readonly { from: number; to: number; lengths: number }[])[] = Array.from(
  { length: 100 },
  (_, firstTwo) =>
    RANGES.map(([from, to, shortest, longest]) => {
      const scale = 10 ** (6 - String(from).length);
      return { from: from * scale, to: (to + 1) * scale - 1, lengths: (2 << longest) - (1 << shortest) };
    }).filter(({ from, to }) => from < (firstTwo + 1) * 10_000 && to >= firstTwo * 10_000),
);

const VISA_LENGTHS = (1 << 13) | (1 << 16) | (1 << 19);
const PREFIX_DIGITS = 6;
const MIN_DIGITS = 12;
const MAX_DIGITS = 19;

/** Most digits of the groups: of the first, of three more, and of a last one that may be shorter than four. */
const GROUP_SIZES = [19, 15, 15, 15, 3];
const FULL_GROUP = 4;

/** The longest number at `start`, ending with a group of digits, that is a card's; `units` are 0 behind a text. */
export function verifyCard(units: Uint16Array, start: number): Verdict | null {
  let size = 0;
  let length = 0;
  let lengths = -1;
  let at = start;
  for (let group = 0; group < GROUP_SIZES.length; group++) {
    const most = GROUP_SIZES[group] ?? 0;
    const first = at;
    while (at <= first + most && isDigit(units[at] ?? 0)) at += 1;
    const count = at - first;
    const code = units[at] ?? 0;
    if (count === 0 || count > most || isWordUnit(code)) break;
    size += count;
    if (size >= MIN_DIGITS && lengths < 0) lengths = lengthsOf(prefixAt(units, start));
    const isOfScheme = size >= MIN_DIGITS && size <= MAX_DIGITS && ((lengths >> size) & 1) === 1;
    if (isOfScheme && passesLuhn(units, start, at)) length = at - start;
    // Cards are printed in groups of four or more, only the last may be shorter: `1 2 3 4 …` is a list, not a card.
    if (count < FULL_GROUP || SEPARATORS[code] !== 1) break;
    at += 1;
  }
  progress.read = at;
  return length === 0 ? null : { length, score: 1000 };
}

/** The numbers of digits that cards of a scheme have: bit n for n digits. */
function lengthsOf(prefix: number): number {
  if (prefix >= 400_000 && prefix < 500_000) return VISA_LENGTHS;
  const ranges = BY_FIRST_TWO[Math.floor(prefix / 10_000)] ?? [];
  let lengths = 0;
  for (let i = 0; i < ranges.length; i++) {
    const range = ranges[i];
    if (range !== undefined && prefix >= range.from && prefix <= range.to) lengths |= range.lengths;
  }
  return lengths;
}

/** The first six digits; there are more. */
function prefixAt(units: Uint16Array, start: number): number {
  let prefix = 0;
  for (let at = start, size = 0; size < PREFIX_DIGITS; at++) {
    const code = units[at] ?? 0;
    if (!isDigit(code)) continue;
    prefix = prefix * 10 + code - ZERO;
    size += 1;
  }
  return prefix;
}

/** What a doubled digit counts. */
const DOUBLED = Uint8Array.from([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);

function passesLuhn(units: Uint16Array, start: number, end: number): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let at = end - 1; at >= start; at--) {
    const code = units[at] ?? 0;
    if (!isDigit(code)) continue;
    sum += isDoubled ? (DOUBLED[code - ZERO] ?? 0) : code - ZERO;
    isDoubled = !isDoubled;
  }
  return sum % 10 === 0;
}
