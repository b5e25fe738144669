import { asciiDigits, digitsOf, isDate, isLuhn, isVerhoeff, numberOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;

export const COMMONWEALTH: readonly PresidioRecognizer[] = [
  {
    name: 'CaSinRecognizer',
    entity: 'CA_SIN',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('SIN (weak)', raw`\<[1-79][0-9]{8}\>`, 0.05),
      pattern('SIN (medium)', raw`\<[1-79]\d{2}(?: \d{3} |-\d{3}-)\d{3}\>`, 0.5),
    ],
    context: words(
      'sin, social insurance, social insurance number, nas, numéro d’assurance sociale, assurance sociale, canada, cra, service canada',
    ),
    invalidate: (match) => !isLuhn(digitsOf(match)),
    example: '130 692 544',
    source: 'Service Canada: Social Insurance Number, Luhn, never 0 or 8 in front',
  },
  {
    name: 'AuAbnRecognizer',
    entity: 'AU_ABN',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('ABN (Medium)', raw`\<\d{2}\s\d{3}\s\d{3}\s\d{3}\>`, 0.1),
      pattern('ABN (Low)', raw`\<\d{11}\>`, 0.01),
    ],
    context: words('australian business number, abn'),
    validate: (match) => isAbn(digitsOf(match)),
    example: '51 824 753 556',
    source: 'Australian Business Register: modulus 89',
  },
  {
    name: 'AuAcnRecognizer',
    entity: 'AU_ACN',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('ACN (Medium)', raw`\<\d{3}\s\d{3}\s\d{3}\>`, 0.1), pattern('ACN (Low)', raw`\<\d{9}\>`, 0.01)],
    context: words('australian company number, acn'),
    validate: (match) => isAcn(digitsOf(match)),
    example: '005 499 981',
    source: 'ASIC: Australian Company Number, modified modulus 10',
  },
  {
    name: 'AuTfnRecognizer',
    entity: 'AU_TFN',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('TFN (Medium)', raw`\<\d{3}\s\d{3}\s\d{3}\>`, 0.1), pattern('TFN (Low)', raw`\<\d{9}\>`, 0.01)],
    context: words('tax file number, tfn'),
    validate: (match) => weighted(digitsOf(match), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    example: '876 543 210',
    source: 'Australian Taxation Office: Tax File Number, modulus 11',
  },
  {
    name: 'AuMedicareRecognizer',
    entity: 'AU_MEDICARE',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('Australian Medicare Number (Medium)', raw`\<[2-6]\d{3}\s\d{5}\s\d\>`, 0.1),
      pattern('Australian Medicare Number (Low)', raw`\<[2-6]\d{9}\>`, 0.01),
    ],
    context: words('medicare'),
    validate: (match) => isMedicare(digitsOf(match)),
    example: '2123 45670 1',
    source: 'Services Australia: Medicare card number, weights 1, 3, 7, 9',
  },
  {
    name: 'NgNinRecognizer',
    entity: 'NG_NIN',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('NIN (Medium)', raw`\<\d{11}\>`, 0.3)],
    context: words(
      'nin, national identification number, national identity number, nimc, national id, nigerian id, nigeria',
    ),
    validate: (match) => !/^0+$/.test(asciiDigits(match)) && isVerhoeff(digitsOf(match)),
    example: '12345678902',
    source: 'National Identity Management Commission: eleven digits, Verhoeff',
  },
  {
    name: 'NgVehicleRegistrationRecognizer',
    entity: 'NG_VEHICLE_REGISTRATION',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('Nigeria Vehicle Registration (Medium)', raw`\<[A-Z]{3}[- ]?\d{3}[A-Z]{2}\>`, 0.5)],
    context: words('vehicle, registration, plate number, license plate, number plate, car, frsc'),
    example: 'ABJ-001AA',
    source: 'Federal Road Safety Corps: local government, number, series and year',
  },
  {
    name: 'ZaIdNumberRecognizer',
    entity: 'ZA_ID_NUMBER',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern(
        'South African ID Number',
        raw`\<[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{4}[0-2][89][0-9]\>`,
        0.5,
      ),
    ],
    context: words('south african id, sa id, identity number, id number, id no, rsa id, green book, smart id'),
    validate: isSouthAfricanId,
    example: '8001015009087',
    source: 'Identification Act 68 of 1997: birth date, serial, citizenship, Luhn',
  },
];

/** The first digit counts one less. */
function isAbn(digits: readonly number[]): boolean {
  return (weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0;
}

function isAcn(digits: readonly number[]): boolean {
  return (10 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digits[8];
}

function isMedicare(digits: readonly number[]): boolean {
  return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digits[8];
}

/** The century is not part of the number, so 29 February passes where one of them has it. */
function isSouthAfricanId(match: string): boolean {
  const digits = digitsOf(match);
  if (digits.length !== 13 || (digits[10] ?? 9) > 2 || (digits[11] ?? 0) < 8 || !isLuhn(digits)) return false;
  const [year, month, day] = [numberOf(digits.slice(0, 2)), numberOf(digits.slice(2, 4)), numberOf(digits.slice(4, 6))];
  return isDate(2000 + year, month, day) || isDate(1900 + year, month, day);
}
