import fc from 'fast-check';
import { PhoneNumberMatcher } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';
import { expect, test } from 'vitest';
import { findPhones } from '../../../redaction/presidio/phone.ts';

const REGIONS: readonly CountryCode[] = ['US', 'CA', 'DE', 'FR', 'IL', 'IN', 'BR', 'PH', 'TR'];

/** Here the trunk prefix may be left out. */
const WITHOUT_PREFIX: readonly CountryCode[] = ['US', 'CA', 'IN'];

const OPENINGS =
  '|0|00|+|1|(|0 |(0|+49 |91|33 |5|3|9|2|8|11|011|91 (0)|49 0|330|9720|550|630|63|900|90|972|0800|1800|310';
const opening = fc.constantFrom(...OPENINGS.split('|'));
const group = fc
  .integer({ min: 1, max: 6 })
  .chain((length) =>
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: length, maxLength: length }),
  );
const separator = fc.constantFrom('', ' ', '-', '.', ') ', '/');
const number = fc
  .tuple(opening, fc.array(fc.tuple(group, separator), { minLength: 1, maxLength: 5 }))
  .map(([start, groups]) => start + groups.flat().join(''));
const text = fc
  .array(fc.tuple(number, fc.constantFrom(' ', ' and ', '\n\n\n\n\n\n')), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat().join(''));

/** What the plans say to the whole text, without a look at forms first. */
function planned(source: string, region: CountryCode): string[] {
  const matcher = new PhoneNumberMatcher(source, { defaultCountry: region, v2: true });
  const spans: string[] = [];
  while (matcher.hasNext()) {
    const found = matcher.next();
    if (found !== undefined) spans.push(`${String(found.startsAt)}-${String(found.endsAt)}`);
  }
  return spans;
}

/** What the plans accept and a narrower look once hid: country code and trunk prefix, short numbers abroad, free calls. */
const ONCE_HIDDEN: readonly (readonly [CountryCode, string, string])[] = [
  ['IN', '91099400-62387', '91099400-62387'],
  ['IN', '91058596.20020 000', '91058596.20020'],
  ['IN', '0 0-35/231/98', '0 0-35/231/98'],
  ['IN', '00080061) 80789', '00080061) 80789'],
  ['US', '(0778 314685796/115087/455657', '115087/455657'],
  ['CA', '113416-21602) 4/', '113416-21602) 4'],
  ['US', '17 66551 113108793', '113108793'],
];

test.each(ONCE_HIDDEN)('%s: %s', (region, source, expected) => {
  const found = [...findPhones(source, [region], 1)].map(({ start, end }) => source.slice(start, end));
  expect(found).toContain(expected);
});

test.each(REGIONS)('the look at forms hides no number of %s', (region) => {
  fc.assert(
    fc.property(text, (source) => {
      const found = new Set(
        [...findPhones(source, [region], 1)].map(({ start, end }) => `${String(start)}-${String(end)}`),
      );
      const written = planned(source, region).filter((span) => {
        const [start = 0, end = 0] = span.split('-').map(Number);
        return WITHOUT_PREFIX.includes(region) || /^\D*[0+]/.test(source.slice(start, end));
      });
      expect([source, written.filter((span) => !found.has(span))]).toEqual([source, []]);
    }),
    { numRuns: 400 },
  );
});
