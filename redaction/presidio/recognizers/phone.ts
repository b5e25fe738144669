import { findPhones } from '../phone.ts';
import type { Leniency } from '../phone.ts';
import { words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

/** Where numbers without a country code may be from; "UK" is no region code, so it adds nothing, as in Presidio. */
export const REGIONS: readonly string[] = words('US, UK, DE, FR, IL, IN, CA, BR');

export interface PhoneSettings {
  readonly regions: readonly string[];
  readonly entity: string;
  readonly context: readonly string[];
  readonly leniency: Leniency;
}

/** A recognizer for the numbers of some regions. */
export function phoneRecognizer({ regions, entity, context, leniency }: PhoneSettings): PresidioRecognizer {
  return {
    name: 'PhoneRecognizer',
    entity,
    languages: ['en'],
    standing: 'on',
    patterns: [],
    context,
    find: (text) => findPhones(text, regions, leniency),
    isNearDigits: true,
    example: '(425) 882-9090',
    source: 'ITU-T E.164 and the national numbering plans',
  };
}

export const PHONE: readonly PresidioRecognizer[] = [
  phoneRecognizer({
    regions: REGIONS,
    entity: 'PHONE_NUMBER',
    context: words('phone, number, telephone, cell, cellphone, mobile, call'),
    leniency: 1,
  }),
];
