import { digitsOf, isLuhn, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;
const ITIN_GROUP = raw`(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])`;

/** Forms of the states' licences; the second line holds a form that lost its bracket and is kept as it is matched. */
const LICENSE_FORMS = [
  raw`[A-Z](?:[0-9]{1,14}|[0-9]{18})`,
  raw`A-Z\]{2}[0-9]{2,5}`,
  raw`[A-Z]{2}[0-9]{3,7}`,
  raw`[0-9]{2}[A-Z]{3}[0-9]{5,6}`,
  raw`[A-Z][0-9]{6}R`,
  raw`[0-9]{7,9}[A-Z]`,
  raw`[A-Z]{2}[0-9]{6}[A-Z]`,
  raw`[0-9]{8}[A-Z]{2}`,
  raw`[0-9]{3}[A-Z]{2}[0-9]{4}`,
  raw`[A-Z][0-9][A-Z][0-9][A-Z]`,
].join('|');

const MBI_LETTER = '[ACDEFGHJKMNPQRTUVWXY]';
const MBI_ANY = '[0-9ACDEFGHJKMNPQRTUVWXY]';

export const UNITED_STATES: readonly PresidioRecognizer[] = [
  {
    name: 'MedicalLicenseRecognizer',
    entity: 'MEDICAL_LICENSE',
    languages: ['en'],
    standing: 'on',
    patterns: [pattern('USA DEA Certificate Number (weak)', raw`[A-HJ-MPRSTUX](?:[A-Z]|9)\d{7}`, 0.4)],
    context: words('medical, certificate, DEA'),
    validate: (match) => isDeaNumber(digitsOf(match).slice(-7)),
    example: 'BB1388568',
    source: 'DEA registration number: registrant type, initial or 9, seven digits with a check digit (21 CFR 1301)',
  },
  {
    name: 'UsBankRecognizer',
    entity: 'US_BANK_NUMBER',
    languages: ['en'],
    standing: 'on',
    patterns: [pattern('Bank Account (weak)', raw`\<[0-9]{8,17}\>`, 0.05)],
    context: words('check, account, account#, acct, save, debit, bank'),
    example: '945456787654',
    source: 'NACHA operating rules: account numbers of 8 to 17 digits',
  },
  {
    name: 'UsItinRecognizer',
    entity: 'US_ITIN',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('Itin (very weak)', raw`\<9\d{2}(?:[- ]${ITIN_GROUP}\d{4}|${ITIN_GROUP}[- ]\d{4})\>`, 0.05),
      pattern('Itin (weak)', raw`\<9\d{2}${ITIN_GROUP}\d{4}\>`, 0.3),
      pattern('Itin (medium)', raw`\<9\d{2}[- ]${ITIN_GROUP}[- ]\d{4}\>`, 0.5),
    ],
    context: words('individual, taxpayer, itin, tax, payer, taxid, tin'),
    example: '911-70-1234',
    source: 'IRS Publication 1915: nine digits from 9, fourth and fifth digit 50-65, 70-88, 90-92, 94-99',
  },
  {
    name: 'UsLicenseRecognizer',
    entity: 'US_DRIVER_LICENSE',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('Driver License - Alphanumeric (weak)', raw`\<(?:${LICENSE_FORMS})\>`, 0.3),
      pattern('Driver License - Digits (very weak)', raw`\<(?:[0-9]{6,14}|[0-9]{16})\>`, 0.01),
    ],
    context: words('driver, license, permit, lic, identification, dls, cdls, lic#, driving'),
    example: 'H12234567',
    source: 'Licence formats of the states (AAMVA member jurisdictions)',
  },
  {
    name: 'UsPassportRecognizer',
    entity: 'US_PASSPORT',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('Passport (very weak)', raw`\<[0-9]{9}\>`, 0.05),
      pattern('Passport Next Generation (very weak)', raw`\<[A-Z][0-9]{8}\>`, 0.1),
    ],
    context: words('us, united, states, passport, passport#, travel, document'),
    example: 'A12803456',
    source: 'U.S. Department of State: nine digits, since 2021 a letter and eight digits',
  },
  {
    name: 'UsSsnRecognizer',
    entity: 'US_SSN',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('SSN1 (very weak)', raw`\<[0-9]{5}-[0-9]{4}\>`, 0.05),
      pattern('SSN2 (very weak)', raw`\<[0-9]{3}-[0-9]{6}\>`, 0.05),
      pattern('SSN3 (very weak)', raw`\<[0-9]{3}-[0-9]{2}-[0-9]{4}\>`, 0.05),
      pattern('SSN4 (very weak)', raw`\<[0-9]{9}\>`, 0.05),
      pattern('SSN5 (medium)', raw`\<[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}\>`, 0.5),
    ],
    context: words('social, security, ssn, ssns, ssid'),
    invalidate: isImpossibleSsn,
    example: '078-05-1123',
    source: '20 CFR 422.103 and SSA: area 000 and 666, group 00 and serial 0000 are not issued',
  },
  {
    name: 'UsMbiRecognizer',
    entity: 'US_MBI',
    languages: ['en'],
    standing: 'off',
    patterns: [pattern('MBI (weak)', raw`\<${mbi('')}\>`, 0.3), pattern('MBI (medium)', raw`\<${mbi('-')}\>`, 0.5)],
    context: words('mbi, medicare, beneficiary, cms, medicaid, hic, hicn'),
    example: '1EG4-TE5-MK73',
    source: 'CMS, Understanding the Medicare Beneficiary Identifier format',
  },
  {
    name: 'UsNpiRecognizer',
    entity: 'US_NPI',
    languages: ['en'],
    standing: 'off',
    patterns: [
      pattern('NPI (weak)', raw`\<[12]\d{9}\>`, 0.1),
      pattern('NPI (medium)', raw`\<[12]\d{3}[- ]\d{3}[- ]\d{3}\>`, 0.4),
    ],
    context: words('npi, national provider, provider, npi number, provider id, provider identifier, taxonomy'),
    validate: (match) => isNpi(digitsOf(match)),
    invalidate: (match) => new Set(digitsOf(match)).size === 1,
    example: '1234567893',
    source: '45 CFR 162.406: Luhn over the prefix 80840 and ten digits',
  },
  {
    name: 'AbaRoutingRecognizer',
    entity: 'ABA_ROUTING_NUMBER',
    languages: ['en'],
    standing: 'unlisted',
    patterns: [
      pattern('ABA routing number (weak)', raw`\<[0123678]\d{8}\>`, 0.05),
      pattern('ABA routing number', raw`\<[0123678]\d{3}-\d{4}-\d\>`, 0.3),
    ],
    context: words('aba, routing, abarouting, association, bankrouting'),
    validate: (match) => weighted(digitsOf(match), [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
    example: '121000358',
    source: 'ABA Routing Number Policy: Federal Reserve district, check digit with weights 3, 7, 1',
  },
];

/** Five places of type and region, with a separator after the fourth and seventh: `C A AN N – A AN N – A A N N`. */
function mbi(separator: string): string {
  const L = MBI_LETTER;
  return `[0-9]${L}${MBI_ANY}[0-9]${separator}${L}${MBI_ANY}[0-9]${separator}${L}${L}[0-9]{2}`;
}

function isDeaNumber(digits: readonly number[]): boolean {
  return weighted(digits, [1, 2, 1, 2, 1, 2]) % 10 === digits[6];
}

function isNpi(digits: readonly number[]): boolean {
  return digits.length === 10 && isLuhn([8, 0, 8, 4, 0, ...digits]);
}

/** Numbers that were never issued, or only printed in examples. */
function isImpossibleSsn(match: string): boolean {
  const separators = new Set(match.match(/[- .]/g) ?? []);
  if (separators.size > 1) return true;
  const digits = match.replace(/[^0-9]/g, '');
  if (/^(\d)\1+$/.test(digits) || digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return true;
  return ['000', '666', '123456789', '98765432', '078051120'].some((prefix) => digits.startsWith(prefix));
}
