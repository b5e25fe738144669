import { digitsOf, isDate, isLuhn, numberOf } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;
const FINNISH_CHECK = '0123456789ABCDEFHJKLMNPRSTUVWXY';
const FINNISH_CODE = `[0-9]{6}[-+A-FU-Y][0-9]{3}[${FINNISH_CHECK}]`;

export const NORDIC: readonly PresidioRecognizer[] = [
  {
    name: 'FiPersonalIdentityCodeRecognizer',
    entity: 'FI_PERSONAL_IDENTITY_CODE',
    languages: ['fi'],
    standing: 'unlisted',
    patterns: [
      pattern('Finnish Personal Identity Code (Medium)', raw`\<${FINNISH_CODE}\>`, 0.5),
      pattern('Finnish Personal Identity Code (Very Weak)', FINNISH_CODE, 0.1),
    ],
    context: words('hetu, henkilötunnus, personbeteckningen, personal identity code'),
    validate: isFinnishCode,
    example: '010594Y9032',
    source: 'Digital and Population Data Services Agency: the personal identity code, reform of 2023',
  },
  {
    name: 'SePersonnummerRecognizer',
    entity: 'SE_PERSONNUMMER',
    languages: ['sv'],
    standing: 'off',
    patterns: [
      pattern('Swedish Personal Identity Number (Medium)', raw`\d{6,8}[-+]\d{4}`, 0.5),
      pattern('Swedish Personal Identity Number (Weak)', raw`\d{10,12}`, 0.1),
    ],
    context: words('personnummer, svenskt personnummer, personal identity number, svensk id, pnr, samordningsnummer'),
    validate: isPersonnummer,
    example: '20110925-2385',
    source: 'Skatteverket SKV 704: personal identity number; SKV 707: coordination number (day + 60)',
  },
  {
    name: 'SeOrganisationsnummerRecognizer',
    entity: 'SE_ORGANISATIONSNUMMER',
    languages: ['sv'],
    standing: 'off',
    patterns: [
      pattern('Swedish Organisation Number (Medium)', raw`\<\d{6}-\d{4}\>`, 0.5),
      pattern('Swedish Organisation Number (Weak)', raw`\d{6}-?\d{4}`, 0.1),
    ],
    context: words('organisationsnummer, orgnr, organisation number, company number'),
    validate: isOrganisationsnummer,
    example: '556703-7485',
    source: 'Skatteverket SKV 709: the third digit is at least 2, Luhn',
  },
];

/** Day, month, year in the century of the sign, number 002 to 999, check character. */
function isFinnishCode(match: string): boolean {
  const code = match.toUpperCase();
  const sign = code.charAt(6);
  const century = sign === '+' ? 1800 : /[-U-Y]/.test(sign) ? 1900 : 2000;
  const year = century + Number(code.slice(4, 6));
  if (!isDate(year, Number(code.slice(2, 4)), Number(code.slice(0, 2)))) return false;
  const number = Number(code.slice(0, 6) + code.slice(7, 10));
  return code.charAt(10) === FINNISH_CHECK.charAt(number % 31);
}

function isPersonnummer(match: string): boolean {
  const digits = digitsOf(match);
  const short = digits.slice(-10);
  if (!isLuhn(short)) return false;
  const day = numberOf(short.slice(4, 6));
  const century = digits.length === 12 ? numberOf(digits.slice(0, 2)) * 100 : 2000;
  return isDate(century + numberOf(short.slice(0, 2)), numberOf(short.slice(2, 4)), day > 60 ? day - 60 : day);
}

function isOrganisationsnummer(match: string): boolean {
  const digits = digitsOf(match);
  return (digits[2] ?? 0) >= 2 && isLuhn(digits);
}
