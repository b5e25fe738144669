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
  readonly example?: string;
}

/** A recognizer for the numbers of some regions. */
export function phoneRecognizer({ regions, entity, context, leniency, example }: PhoneSettings): PresidioRecognizer {
  return {
    name: 'PhoneRecognizer',
    entity,
    languages: ['en'],
    standing: entity === 'PHONE_NUMBER' ? 'on' : 'off',
    patterns: [],
    context,
    find: (text) => findPhones(text, regions, leniency),
    isNearDigits: true,
    example: example ?? '(425) 882-9090',
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
  phoneRecognizer({
    regions: ['PH'],
    entity: 'PH_MOBILE_NUMBER',
    context: words(
      'mobile, phone, cell, cellphone, telepono, numero, mobile number, contact number, numero ng telepono, contact, number, call, tawag, mensahe, sms, whatsapp, viber, telegram, signal, celphone, phone number, mobile no',
    ),
    leniency: 1,
    example: '+63 917 123 4567',
  }),
  phoneRecognizer({
    regions: ['TR'],
    entity: 'TR_PHONE_NUMBER',
    context: words(
      'telefon, telefon numarası, cep telefonu, cep no, telefon no, numara, mobil telefon, mobil no, hücresel telefon, ara, ulaş, iletişim, bağlantı, irtibat, numaram, telefonum, cep telefonum, mobil telefonum, telefon numarası, cep numarası, mobil numarası, phone, mobile, cell, cellphone, call, contact, number, phone number, sms, mesaj, whatsapp, telegram, signal, viber',
    ),
    leniency: 1,
    example: '+90 (532) 123 45 67',
  }),
];
