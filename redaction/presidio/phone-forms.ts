/**
 * A first look at runs of digits: whether some of their groups, read together, have the form of a number of a region. The
 * full plans decide afterwards; most numbers in texts are no telephone numbers, and the plans are slow.
 */
import { asciiDigits } from './digits.ts';

/**
 * National forms with trunk prefix, and forms with the country code, behind which the trunk prefix may be written again;
 * `0` and `00` open what may be a call abroad, in India also a number that is free to callers from everywhere.
 */
const FORMS: Readonly<Record<string, RegExp>> = {
  US: /^(?:1{0,2}[2-9][0-9]{9}|1{0,2}3[0-9]{6}|011[1-9][0-9]{4,})$/,
  CA: /^(?:1{0,2}[2-9][0-9]{9}|1{0,2}3[0-9]{6}|011[1-9][0-9]{4,})$/,
  DE: /^(?:(?:0|490?)[1-9][0-9]{3,14}|00[1-9][0-9]{4,})$/,
  FR: /^(?:0[1-9][0-9]{8}|330?[1-9][0-9]{8}|00[1-9][0-9]{4,})$/,
  IL: /^(?:0[1-9][0-9]{6,11}|972[0-9]{7,}|1[0-9]{6}(?:[0-9]{3,5})?|0(?:0|1[02-9])[1-9][0-9]{4,})$/,
  IN: /^(?:0?[2-9][0-9]{9}|0?1(?:[0-9]{9}|(?:80[03]|86[0-2])[0-9]{4,9})|910?[1-9][0-9]{7,}|00[1-9][0-9]{4,}|000800[0-9]{7})$/,
  BR: /^(?:0?[1-9][0-9]{7,10}|(?:0|90)[1-9][0-9]{11,12}|550?[1-9][0-9]{7,}|00[1-9][0-9]{6,})$/,
  PH: /^(?:0?[2-9][0-9]{5,9}|0?1800[0-9]{7,9}|630?[1-9][0-9]{5,}|00[1-9][0-9]{4,})$/,
  TR: /^(?:0?[1-9][0-9]{6,12}|900?[1-9][0-9]{6,}|00[1-9][0-9]{4,})$/,
};
const MOST_DIGITS = 20;
const FEWEST_DIGITS = 5;
/** Groups of digits with what may stand between the groups of one number. */
const RUN = /\p{Nd}+(?:[-x‐-―−ー－/／.．\s\u00ad\u200b\u2060()（）［］[\]~⁓∼～]{1,4}\p{Nd}+)*/giu;
/** Brackets and plus before a number, extension after it. */
const AROUND = 40;

export interface DigitRun {
  /** Where the text to read for this run begins and ends, UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** True for a match that reads some of the run's digits; others belong to its neighbours, which may be cut off. */
  isOfRun(start: number, end: number): boolean;
  readonly groups: number;
  readonly isInternational: boolean;
  hasFormOf(region: string): boolean;
}

/** Runs with enough digits for a number. */
export function* digitRuns(text: string): Generator<DigitRun> {
  for (const { 0: run, index } of text.matchAll(RUN)) {
    const groups = asciiDigits(run).split(/[^0-9]+/);
    if (groups.reduce((sum, group) => sum + group.length, 0) < FEWEST_DIGITS) continue;
    const end = index + run.length;
    yield {
      start: Math.max(0, index - AROUND),
      end: Math.min(text.length, end + AROUND),
      isOfRun: (from, to) => from < end && to > index,
      groups: groups.length,
      isInternational: /[+＋]/.test(text.slice(Math.max(0, index - 4), end)),
      hasFormOf: (region) => hasForm(groups, FORMS[region]),
    };
  }
}

/** True also for a region without a listed form. */
function hasForm(groups: readonly string[], form: RegExp | undefined): boolean {
  if (form === undefined) return true;
  return groups.some((_, first) => {
    let digits = '';
    for (let at = first; at < groups.length && digits.length <= MOST_DIGITS; at++) {
      digits += groups[at] ?? '';
      if (form.test(digits)) return true;
    }
    return false;
  });
}
