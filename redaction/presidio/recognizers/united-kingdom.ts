import { digitsOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer, Verdict } from '../recognizer.ts';

const raw = String.raw;

/** Outward codes by the number and kind of their characters: A9, A99, AA9, AA99, A9A, AA9A. */
const OUTWARD = '[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRV-Y])';
/** First letter never D F I Q U V, second never O either, and seven pairs never issued. A space before belongs to it. */
const NINO_PREFIX = '(?!BG|GB|NK|KN|TN|NT|ZZ) ?[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]';
const MONTH = '(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])';
const DAY = '(?:0[1-9]|[12][0-9]|3[01])';

export const UNITED_KINGDOM: readonly PresidioRecognizer[] = [
  {
    name: 'NhsRecognizer',
    entity: 'UK_NHS',
    languages: ['en'],
    standing: 'on',
    patterns: [pattern('NHS (medium)', raw`\<[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}\>`, 0.5)],
    context: words('national health service, nhs, health services authority, health authority'),
    validate: (match) => weighted(digitsOf(match), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
    example: '401-023-2137',
    source: 'NHS Data Dictionary: NHS number, modulus 11',
  },
  {
    name: 'UkDrivingLicenceRecognizer',
    entity: 'UK_DRIVING_LICENCE',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('UK Driving Licence (medium)', raw`\<[A-Z9]{5}[0-9]${MONTH}${DAY}[0-9][A-Z9]{2}[A-Z0-9][A-Z]{2}\>`, 0.5),
    ],
    context: words(
      "driving licence, driver's licence, driving license, driver's license, driver number, licence number, dvla, uk licence",
    ),
    validate: checkDriverNumber,
    example: 'MORGA657054SM9IJ',
    source: 'DVLA driver number: surname padded with 9, decade, month (+50 for women), day, year, initials',
  },
  {
    name: 'UkNinoRecognizer',
    entity: 'UK_NINO',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('NINO (medium)', raw`\b${NINO_PREFIX} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\>`, 0.5)],
    context: words('national insurance, ni number, nino'),
    example: 'AA 12 34 56 B',
    source: 'HMRC NIM39110: format of a National Insurance number',
  },
  {
    name: 'UkPassportRecognizer',
    entity: 'UK_PASSPORT',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('UK Passport (weak)', raw`\<[A-Z]{2}\d{7}\>`, 0.1)],
    context: words(
      'passport, passport number, travel document, uk passport, british passport, her majesty, his majesty, hm passport, hmpo',
    ),
    example: 'AB1234567',
    source: 'HM Passport Office: two letters and seven digits',
  },
  {
    name: 'UkPostcodeRecognizer',
    entity: 'UK_POSTCODE',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('UK Postcode (weak)', raw`\<(?:GIR\s?0AA|${OUTWARD}\s?[0-9][ABD-HJLNP-UW-Z]{2})\>`, 0.1)],
    context: words('postcode, post code, postal code, zip, address, delivery, mailing, shipping, correspondence'),
    example: 'SW1A 1AA',
    source: 'BS 7666 and Royal Mail programmers’ guide: outward and inward code',
  },
  {
    name: 'UkVehicleRegistrationRecognizer',
    entity: 'UK_VEHICLE_REGISTRATION',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('UK Vehicle Registration (current)', raw`\<[A-HJ-PR-Y]{2}[0-9]{2}[- ]?[A-HJ-PR-Z]{3}\>`, 0.3),
      pattern('UK Vehicle Registration (prefix)', raw`\<[A-HJ-NPR-TV-Y]\d{1,3}[- ]?[A-HJ-PR-Y][A-HJ-PR-Z]{2}\>`, 0.2),
      pattern('UK Vehicle Registration (suffix)', raw`\<[A-HJ-PR-Z]{3}[- ]?\d{1,3}[- ]?[A-HJ-NPR-TV-Y]\>`, 0.15),
    ],
    context: words(
      'vehicle, registration, number plate, licence plate, license plate, reg, vrn, vrm, car, plate, dvla, v5c, mot',
    ),
    validate: checkAgeIdentifier,
    example: 'AB51 ABC',
    source: 'DVLA INF104: current, prefix and suffix marks',
  },
];

/** The surname is letters, then only padding. */
function checkDriverNumber(match: string): Verdict {
  return /^[A-Z]+9*$/iu.test(match.slice(0, 5)) ? null : false;
}

/** A current mark has the year (from March) or the year plus 50 (from September); older marks have no such number. */
function checkAgeIdentifier(match: string): Verdict {
  const current = /^[A-Z]{2}([0-9]{2})/iu.exec(match);
  if (current === null) return null;
  const age = Number(current[1]);
  return (age >= 2 && age <= 29) || (age >= 51 && age <= 79);
}
