/**
 * Numbering plans from libphonenumber's metadata, as anchored expressions. The library's own `parse` takes 20–60 µs a
 * call, which a text full of digit groups turns into seconds; the same tables tested directly take well under 1 µs.
 */
import { getCountries, getCountryCallingCode, Metadata } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';

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
}

const plans = new Map<CountryCode, Plan>();

/** The plan of a country; built on first use, about 0.1 ms. */
export function planOf(country: CountryCode): Plan {
  let plan = plans.get(country);
  if (plan === undefined) {
    plan = buildPlan(country);
    plans.set(country, plan);
  }
  return plan;
}

function buildPlan(country: CountryCode): Plan {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country);
  const tables = metadata.numberingPlan as unknown as PlanTables;
  const general = new RegExp(`^(?:${tables.nationalNumberPattern()})$`);
  const types = NUMBER_TYPES.flatMap((name) => tables.type(name)?.pattern() ?? []);
  const assigned = new RegExp(`^(?:${types.join('|')})$`);
  return { accepts: (digits) => general.test(digits) && assigned.test(digits) };
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
