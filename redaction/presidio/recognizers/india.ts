import { digitsOf, isVerhoeff } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';
import { checkRegistration } from './india-vehicles.ts';
import { findPans, PAN_PATTERNS } from './pan.ts';

const raw = String.raw;
const STATE = '(?:0[1-9]|[12][0-9]|3[0-7])';
const PAN = '[A-Z0-9]{5}[0-9]{4}[A-Z]';

export const INDIA: readonly PresidioRecognizer[] = [
  {
    name: 'InPanRecognizer',
    entity: 'IN_PAN',
    languages: ['en'],
    standing: 'off',
    patterns: PAN_PATTERNS,
    find: findPans,
    context: words('permanent account number, pan'),
    example: 'AAAPA1111R',
    source: 'Income-tax Rules 114: five letters (the fourth the kind of holder), four digits, a letter',
  },
  {
    name: 'InAadhaarRecognizer',
    entity: 'IN_AADHAAR',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('AADHAAR (Very Weak)', raw`\<[0-9]{12}\>`, 0.01),
      pattern('AADHAAR (Very Weak, grouped)', raw`\<[0-9]{4}[- :][0-9]{4}[- :][0-9]{4}\>`, 0.01),
    ],
    context: words('aadhaar, uidai'),
    validate: (match) => isAadhaar(digitsOf(match)),
    example: '312345678909',
    source: 'UIDAI: twelve digits, the first 2 to 9, Verhoeff, no palindrome',
  },
  {
    name: 'InVehicleRegistrationRecognizer',
    entity: 'IN_VEHICLE_REGISTRATION',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('India Vehicle Registration (Very Weak)', raw`\<[A-Z](?!0000)[0-9]{4}\>`, 0.01),
      pattern('India Vehicle Registration (Very Weak, two letters)', raw`\<[A-Z]{2}(?!0000)\d{4}\>`, 0.01),
      pattern('India Vehicle Registration (Very Weak, I)', raw`\<I(?!00000)\d{5}\>`, 0.01),
      pattern('India Vehicle Registration (Weak)', raw`\<[A-Z]{3}(?!0000)\d{4}\>`, 0.2),
      pattern('India Vehicle Registration (Medium, foreign mission)', raw`\<\d{1,3}(?:CD|CC|UN)[1-9][0-9]{1,3}\>`, 0.4),
      pattern('India Vehicle Registration (Medium)', raw`\<[A-Z]{2}\d{1}[A-Z]{1,3}(?!0000)\d{4}\>`, 0.5),
      pattern('India Vehicle Registration (Medium, two digits)', raw`\<[A-Z]{2}\d{2}[A-Z]{1,2}(?!0000)\d{4}\>`, 0.5),
      pattern('India Vehicle Registration (Strong, Bharat)', raw`\<[2-9][1-9]BH(?!0000)\d{4}[A-HJ-NP-Z]{2}\>`, 0.85),
      pattern('India Vehicle Registration (Strong, armed forces)', raw`\<(?!00)\d{2}[A-FHKPRX]\d{6}[A-Z]\>`, 0.85),
    ],
    context: words('RTO, vehicle, plate, registration'),
    validate: checkRegistration,
    example: 'KA53ME3456',
    source: 'Central Motor Vehicles Rules 50 and 51; BH series G.S.R. 594(E)',
  },
  {
    name: 'InPassportRecognizer',
    entity: 'IN_PASSPORT',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('PASSPORT', raw`\<[A-Z][1-9]\d\s?\d{4}[1-9]\>`, 0.1)],
    context: words('passport, indian passport, passport number'),
    example: 'A3456781',
    source: 'Passport Seva: a letter and seven digits, neither end 0',
  },
  {
    name: 'InVoterRecognizer',
    entity: 'IN_VOTER',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('VOTER (Strong)', raw`\<[A-Z][ABCDGHJKMNPRSY][A-Z][0-9]{7}\>`, 0.4),
      pattern('VOTER (Weak)', raw`\<[A-Z]{3}[0-9]{7}\>`, 0.3),
    ],
    context: words('voter, epic, elector photo identity card'),
    example: 'KSD1287349',
    source: 'Election Commission of India: functional unique serial number and seven digits',
  },
  {
    name: 'InGstinRecognizer',
    entity: 'IN_GSTIN',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('GSTIN (High)', raw`\<${STATE}${PAN}[0-9A-Z]Z[0-9A-Z]\>`, 0.85),
      pattern('GSTIN (Medium)', raw`\<[0-9]{2}${PAN}[0-9A-Z]Z[0-9A-Z]\>`, 0.6),
      pattern('GSTIN (Low)', raw`\<[0-9]{2}${PAN}[0-9A-Z]{3}\>`, 0.3),
    ],
    context: words('gstin, gst, goods and services tax, tax identification, gst number, gst registration'),
    validate: isGstin,
    example: '27ABCDE1234F1Z5',
    source: 'CGST Rules 10: state, PAN, entity, Z, check character',
  },
];

function isAadhaar(digits: readonly number[]): boolean {
  if (digits.length !== 12 || (digits[0] ?? 0) < 2) return false;
  return isVerhoeff(digits) && !digits.every((digit, at) => digit === digits.at(-1 - at));
}

const GSTIN = new RegExp(String.raw`^${STATE}[0-9\p{L}]{5}[0-9]{4}\p{L}[0-9A-Z]Z[0-9A-Z]$`, 'u');

/** The check character is not looked at. */
function isGstin(match: string): boolean {
  const code = match.replace(/[- ]/g, '').toUpperCase();
  return GSTIN.test(code);
}
