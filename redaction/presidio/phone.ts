/** Telephone numbers, by the numbering plans of libphonenumber. */
import { isSupportedCountry, PhoneNumberMatcher } from 'libphonenumber-js/max';
import type { PhoneNumber } from 'libphonenumber-js/max';
import { asciiDigits } from './digits.ts';
import type { PatternMatch } from './recognizer.ts';

/** How much must be right: 0 possible length, 1 valid number, 2 and 3 also its grouping. */
export type Leniency = 0 | 1 | 2 | 3;

/** The shortest valid number has five digits, trunk prefix included. */
const ENOUGH_DIGITS = /\p{Nd}(?:[^\p{Nd}]{0,4}\p{Nd}){4}/u;

const INTERNATIONAL = /[+＋]/;

/** Every number as dialled in each of the regions. A name that is no region finds international forms only. */
export function* findPhones(text: string, regions: readonly string[], leniency: Leniency): Generator<PatternMatch> {
  if (!ENOUGH_DIGITS.test(text)) return;
  const isInternational = INTERNATIONAL.test(text);
  for (const region of regions) {
    if (!isInternational && !isSupportedCountry(region)) continue;
    if (!isInternational && NORTH_AMERICA.includes(region) && !mayBeNorthAmerican(text)) continue;
    const options = { v2: true as const, leniency: leniency === 0 ? ('POSSIBLE' as const) : ('VALID' as const) };
    const matcher = new PhoneNumberMatcher(
      text,
      isSupportedCountry(region) ? { ...options, defaultCountry: region } : options,
    );
    for (let found = nextOf(matcher); found !== undefined; found = nextOf(matcher)) {
      const { startsAt, endsAt, number } = found;
      const written = text.slice(startsAt, endsAt);
      if (leniency >= 1 && !hasNationalPrefix(number, written)) continue;
      if (leniency >= 2 && !isGrouped(number, written, leniency)) continue;
      const remark = `Recognized as ${regionOf(number, written) ?? region} region phone number, using PhoneRecognizer`;
      yield { pattern: 0, start: startsAt, end: endsAt, remark };
    }
  }
}

/** An international form says itself where it is from. */
function regionOf(number: PhoneNumber, written: string): string | undefined {
  return INTERNATIONAL.test(written) ? number.country : undefined;
}

const NORTH_AMERICA: readonly string[] = ['US', 'CA'];
/** Ten digits, with 1 in front eleven; seven for a few services; anything after the prefix for calls abroad. */
const NORTH_AMERICAN = /^(?:1?[2-9][0-9]{9}|3[0-9]{6}|011[0-9]*)$/;

/** Deciding which of two dozen countries a number with code 1 belongs to is slow, so its form is looked at first. */
function mayBeNorthAmerican(text: string): boolean {
  const groups = asciiDigits(text).split(/[^0-9]+/);
  return groups.some((_, first) => {
    let digits = '';
    for (let at = first; at < groups.length && digits.length <= 20; at++) {
      digits += groups[at] ?? '';
      if (NORTH_AMERICAN.test(digits)) return true;
    }
    return false;
  });
}

function nextOf(matcher: PhoneNumberMatcher): ReturnType<PhoneNumberMatcher['next']> {
  return matcher.hasNext() ? matcher.next() : undefined;
}

/** A national form needs the prefix that its country writes before such a number. */
function hasNationalPrefix(number: PhoneNumber, written: string): boolean {
  const digits = digitsIn(written);
  if (digits.includes(`${number.countryCallingCode}${number.nationalNumber}`)) return true;
  const required = digitsIn(number.format('NATIONAL', { nationalPrefix: false }));
  return required === number.nationalNumber || !digits.startsWith(number.nationalNumber);
}

/** Groups as the country writes them; at leniency 2 neighbouring ones may be joined. */
function isGrouped(number: PhoneNumber, written: string, leniency: Leniency): boolean {
  const groups = number
    .formatInternational()
    .split(/[^0-9]+/)
    .filter(Boolean)
    .slice(1);
  const found = asciiDigits(written)
    .split(/[^0-9]+/)
    .filter(Boolean);
  const joined = found.join('');
  if (found.length === 1) return true;
  if (leniency === 3) return found.slice(-groups.length).join(' ') === groups.join(' ');
  return joined.endsWith(groups.join('')) && groups.every((group) => found.some((one) => one.includes(group)));
}

function digitsIn(text: string): string {
  return asciiDigits(text).replace(/[^0-9]/g, '');
}
