import { RedactionError } from '../../errors.ts';
import { digitsOf, isLuhn } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer, Verdict } from '../recognizer.ts';

const raw = String.raw;

/** Three letters of a name: consonants first, then vowels, then X. */
const NAME = '(?:[A-Z][AEIOU][AEIOUX]|[AEIOU]X{2}|[B-DF-HJ-NP-TV-Z]{2}[A-Z])';
/** Any digit may be replaced by a letter where two people would share a code. */
const DIGIT = String.raw`[\dLMNP-V]`;
const DAY = `(?:[04LQ][1-9MNP-V]|[1256MNRS]${DIGIT}|[37PT][01LM])`;
const PLACE = `[A-MZ]${DIGIT}{3}`;

export const ITALY: readonly PresidioRecognizer[] = [
  {
    name: 'ItDriverLicenseRecognizer',
    entity: 'IT_DRIVER_LICENSE',
    languages: ['it'],
    standing: 'on',
    patterns: [pattern('Driver License', raw`\<(?:[A-Z]{2}\d{7}[A-Z]|U1[B-HJ-NPR-UW-Z0-9]{7}[A-Z])\>`, 0.2)],
    context: words('patente, patente di guida, licenza, licenza di guida'),
    example: 'U1H00B000C',
    source: 'D.Lgs. 285/1992 art. 116: number of the licence, national series U1',
  },
  {
    name: 'ItFiscalCodeRecognizer',
    entity: 'IT_FISCAL_CODE',
    languages: ['it'],
    standing: 'on',
    patterns: [pattern('Fiscal Code', `${NAME}{2}${DIGIT}{2}[A-EHLMPR-T]${DAY}${PLACE}[A-Z]`, 0.3)],
    context: words('codice fiscale, cf'),
    validate: checkFiscalCode,
    example: 'AAAAAA00B11C333Y',
    source: 'D.M. 23 December 1976: codice fiscale, check character',
  },
  {
    name: 'ItVatCodeRecognizer',
    entity: 'IT_VAT_CODE',
    languages: ['it'],
    standing: 'on',
    patterns: [pattern('IT Vat code (piva)', raw`\<(?:[0-9][ _]?){11}\b`, 0.1)],
    context: words('piva, partita iva, pi'),
    validate: (match) => isVatCode(digitsOf(match)),
    example: '01333550323',
    source: 'D.P.R. 633/1972 art. 35: partita IVA, Luhn',
  },
  {
    name: 'ItIdentityCardRecognizer',
    entity: 'IT_IDENTITY_CARD',
    languages: ['it'],
    standing: 'on',
    patterns: [
      pattern('Paper-based Identity Card (very weak)', raw`\<[A-Z]{2}\s?\d{7}\>`, 0.01),
      pattern('Electronic Identity Card (CIE) 2.0 (very weak)', raw`\<\d{7}[A-Z]{2}\>`, 0.01),
      pattern('Electronic Identity Card (CIE) 3.0 (very weak)', raw`\<[A-Z]{2}\d{5}[A-Z]{2}\>`, 0.01),
    ],
    context: words('carta, identità, elettronica, cie, documento, riconoscimento, espatrio'),
    example: 'AA12345aa',
    source: 'Ministero dell’Interno: numbers of paper and electronic cards',
  },
  {
    name: 'ItPassportRecognizer',
    entity: 'IT_PASSPORT',
    languages: ['it'],
    standing: 'on',
    patterns: [pattern('Passport (very weak)', raw`\<[A-Z]{2}\d{7}\>`, 0.01)],
    context: words('passaporto, elettronico, italiano, viaggio, viaggiare, estero, documento, dogana'),
    example: 'AA1234567',
    source: 'Polizia di Stato: two letters and seven digits',
  },
];

/** Values of the characters at odd places, `0`-`9` as `A`-`J`. */
const ODD_VALUES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** A wrong check character proves nothing. Presidio fails at digits of other scripts, and so do we. */
function checkFiscalCode(match: string): Verdict {
  const code = match.toUpperCase();
  if (!/^[0-9A-Z]{16}$/.test(code))
    throw new RedactionError(
      'recognizer_failed',
      'ItFiscalCodeRecognizer: expected ASCII letters and digits; found others.',
    );
  let sum = 0;
  for (let at = 0; at < 15; at++) {
    const character = code.charCodeAt(at);
    const value = character < 65 ? character - 48 : character - 65;
    sum += at % 2 === 0 ? (ODD_VALUES[value] ?? 0) : value;
  }
  return code.charCodeAt(15) - 65 === sum % 26 ? true : null;
}

function isVatCode(digits: readonly number[]): boolean {
  return digits.some((digit) => digit !== 0) && isLuhn(digits);
}
