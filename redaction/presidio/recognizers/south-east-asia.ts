import { RedactionError } from '../../errors.ts';
import { asciiDigits, digitsOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;

export const SOUTH_EAST_ASIA: readonly PresidioRecognizer[] = [
  {
    name: 'SgFinRecognizer',
    entity: 'SG_NRIC_FIN',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('Nric (weak)', raw`\<[A-Z][0-9]{7}[A-Z]\>`, 0.3),
      pattern('Nric (medium)', raw`\<[STFGM][0-9]{7}[A-Z]\>`, 0.5),
    ],
    context: words('fin, fin#, nric, nric#'),
    example: 'S2740116C',
    source: 'Immigration & Checkpoints Authority: NRIC and FIN',
  },
  {
    name: 'SgUenRecognizer',
    entity: 'SG_UEN',
    languages: ['en'],
    standing: 'unlisted',
    patterns: [pattern('UEN (low)', raw`\<(?:\d{8}[A-Z]|\d{9}[A-Z]|[TSR]\d{2}[A-Z]{2}\d{4}[A-Z])\>`, 0.3)],
    context: words('uen, unique entity number, business registration, ACRA'),
    validate: isUen,
    example: '53125226D',
    source: 'ACRA: Unique Entity Number, formats A, B and C',
  },
  {
    name: 'ThTninRecognizer',
    entity: 'TH_TNIN',
    languages: ['th'],
    standing: 'off',
    patterns: [pattern('Thai National ID Number (Medium)', raw`\<[1-9]\d{12}\>`, 0.5)],
    context: words('thai national id, thai id number, tnin, เลขประจำตัวประชาชน, เลขบัตรประชาชน, รหัสปชช'),
    validate: isThaiId,
    example: '1234567890121',
    source: 'กรมการปกครอง: category, province, district, book, number, check digit modulus 11',
  },
  {
    name: 'PhTinRecognizer',
    entity: 'PH_TIN',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('TIN (Medium)', raw`\<\d{3}-\d{3}-\d{3}(?:-\d{3})?\>`, 0.05),
      pattern('TIN (Weak)', raw`\<(?:\d{9}|\d{12})\>`, 0.01),
    ],
    context: words(
      'tin, tax, taxpayer, bir, tax identification, taxpayer identification number, bureau of internal revenue',
    ),
    invalidate: (match) => !isPhilippineTin(digitsOf(match)),
    example: '000-123-456-000',
    source: 'Bureau of Internal Revenue: nine digits with a check digit, branch code',
  },
];

/** Provinces in use, and modulus 11 with weights 13 down to 2. */
function isThaiId(match: string): boolean {
  if (!/^[1-9](?:1\d|2[0-7]|3\d|4\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])\d{10}$/.test(asciiDigits(match))) return false;
  const digits = digitsOf(match);
  const sum = weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  return (11 - (sum % 11)) % 10 === digits[12];
}

function isPhilippineTin(digits: readonly number[]): boolean {
  return weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === digits[8];
}

const BUSINESS_LETTERS = 'XMKECAWLJDB';
const COMPANY_LETTERS = 'ZKCMDNERGWH';
/** Kinds of other entities, the fourth and fifth character. */
const ENTITY_KINDS = new Set(
  'CC CD CH CL CM CP CS CX DP FB FC FM FN GA GB GS HC HS LL LP MB MC MD MH MM MQ NB NR PA PB PF RF RP SM SS TC TU VH XL'.split(
    ' ',
  ),
);
const ENTITY_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWX0123456789';

function isUen(match: string): boolean {
  const code = match.toUpperCase();
  const letter = code.slice(-1);
  if (/^[A-Z]/.test(code)) return isOtherEntity(code);
  const digits = digitsOf(code);
  if (digits.length === 8) return BUSINESS_LETTERS.charAt(weighted(digits, [10, 4, 9, 3, 8, 2, 7, 1]) % 11) === letter;
  return COMPANY_LETTERS.charAt(weighted(digits, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11) === letter;
}

/** Digits of other scripts are matched but have no place in the alphabet; Presidio fails there, and so do we. */
function isOtherEntity(code: string): boolean {
  if (!ENTITY_KINDS.has(code.slice(3, 5))) return false;
  const values = Array.from(code.slice(0, -1), (character) => ENTITY_ALPHABET.indexOf(character));
  if (values.includes(-1))
    throw new RedactionError('recognizer_failed', 'SgUenRecognizer: expected ASCII letters and digits; found others.');
  const sum = weighted(values, [4, 3, 5, 3, 10, 2, 2, 5, 7]);
  return ENTITY_ALPHABET.charAt((((sum - 5) % 11) + 11) % 11) === code.slice(-1);
}
