/**
 * Numbering plans from libphonenumber's metadata, as an automaton over digits. The library's own `parse` takes 20–60 µs a
 * call, which a text full of digit groups turns into seconds; the same tables tested directly take well under 1 µs.
 */
import { getCountries, getCountryCallingCode, Metadata } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';
import { createWholeMatcher } from '../form-whole.ts';
import type { WholeMatcher } from '../form-whole.ts';

/** The part of a numbering plan the library offers without typing it. */
interface PlanTables {
  nationalNumberPattern(): string;
  type(name: string): { pattern(): string } | undefined;
}

const NUMBER_TYPES = [
  'FIXED_LINE',
  'MOBILE',
  'FIXED_LINE_OR_MOBILE',
  'TOLL_FREE',
  'PREMIUM_RATE',
  'PERSONAL_NUMBER',
  'VOICEMAIL',
  'UAN',
  'PAGER',
  'VOIP',
  'SHARED_COST',
] as const;

export interface Plan {
  /** True for a national significant number (no trunk prefix) that the plan assigns to some type of line. */
  accepts(nationalDigits: string): boolean;
  /** The same for character codes of digits, those in [from, to). */
  acceptsCodes(codes: Uint8Array, from: number, to: number): boolean;
}

/** The plan of a country, or what any of several accepts; built when first asked, about 0.1 ms a country. */
export function planOf(...countries: readonly CountryCode[]): Plan {
  let machine: WholeMatcher | null = null;
  const acceptsCodes = (codes: Uint8Array, from: number, to: number): boolean => {
    // All countries at once, each digit looked at once.
    machine ??= createWholeMatcher(countries.map(patternsOf));
    return machine.matches(codes, from, to);
  };
  return { accepts: (digits) => acceptsCodes(Buffer.from(digits), 0, digits.length), acceptsCodes };
}

/** A number fits the plan as a whole and one of its types. */
function patternsOf(country: CountryCode): readonly string[] {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country);
  const tables = metadata.numberingPlan as unknown as PlanTables;
  const types = NUMBER_TYPES.flatMap((name) => tables.type(name)?.pattern() ?? []);
  return [tables.nationalNumberPattern(), types.join('|')].map((pattern) => pattern.replaceAll('\\d', '[0-9]'));
}

/** By calling code, three digits at most; null for an unassigned one. */
const internationalPlans = Array.from({ length: 1000 }, (): Plan | null | undefined => undefined);

/** What all countries with a calling code accept; null for an unassigned code. */
export function planOfCode(callingCode: number): Plan | null {
  let plan = internationalPlans[callingCode];
  if (plan === undefined) {
    const countries = countriesOf(String(callingCode));
    plan = countries.length === 0 ? null : planOf(...countries);
    internationalPlans[callingCode] = plan;
  }
  return plan;
}

let countriesByCode: Map<string, CountryCode[]> | null = null;

/** Countries that share a calling code (`'1'` → US, CA, …); empty for an unassigned code. */
export function countriesOf(callingCode: string): readonly CountryCode[] {
  if (countriesByCode === null) {
    countriesByCode = new Map();
    for (const country of getCountries()) {
      const code = getCountryCallingCode(country);
      countriesByCode.set(code, [...(countriesByCode.get(code) ?? []), country]);
    }
  }
  return countriesByCode.get(callingCode) ?? [];
}
