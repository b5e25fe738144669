/** Telephone numbers, by the numbering plans of libphonenumber. */
import { isSupportedCountry, PhoneNumberMatcher } from 'libphonenumber-js/max';
import type { PhoneNumber } from 'libphonenumber-js/max';
import { RedactionError } from '../errors.ts';
import { asciiDigits } from './digits.ts';
import { digitRuns } from './phone-forms.ts';
import type { PatternMatch } from './recognizer.ts';

/** How much must be right: 0 possible length, 1 valid number, 2 and 3 also its grouping. */
export type Leniency = 0 | 1 | 2 | 3;

/** Presidio's matcher gives up after as many numbers that were none. */
const MOST_TRIES = 65_535;

/** Groups of digits in a usual number. */
const USUAL_GROUPS = 8;
/** Numbers looked up per text; in a long run each group may begin one. */
const MOST_WORK = 50_000;

function tooManyNumbers(): RedactionError {
  return new RedactionError(
    'limit_exceeded',
    'A text may hold 50,000 candidates for telephone numbers; this one has more. Split it, or leave out PHONE_NUMBER.',
  );
}

/** Every number as dialled in each of the regions. A name that is no region finds international forms only. */
export function* findPhones(text: string, regions: readonly string[], leniency: Leniency): Generator<PatternMatch> {
  let work = 0;
  for (const run of digitRuns(text)) {
    const slice = text.slice(run.start, run.end);
    for (const region of regions) {
      const isWorthwhile = run.isInternational || (isSupportedCountry(region) && run.hasFormOf(region));
      if (!isWorthwhile && leniency > 0) continue;
      work += Math.max(1, run.groups - USUAL_GROUPS);
      if (work > MOST_WORK) throw tooManyNumbers();
      for (const match of numbersIn(slice, region, leniency)) {
        const [start, end] = [match.start + run.start, match.end + run.start];
        if (run.isOfRun(start, end)) yield { ...match, start, end };
      }
    }
  }
}

function* numbersIn(text: string, region: string, leniency: Leniency): Generator<PatternMatch> {
  const options = {
    v2: true as const,
    leniency: leniency === 0 ? ('POSSIBLE' as const) : ('VALID' as const),
    maxTries: MOST_TRIES,
  };
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

/** An international form says itself where it is from. */
function regionOf(number: PhoneNumber, written: string): string | undefined {
  return /[+＋]/.test(written) ? number.country : undefined;
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
