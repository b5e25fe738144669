import { asciiDigits, digitsOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;
const BIRTH_DATE = raw`\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])`;
const REGISTRATION_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

export const KOREA: readonly PresidioRecognizer[] = [
  {
    name: 'KrRrnRecognizer',
    entity: 'KR_RRN',
    languages: ['ko'],
    standing: 'off',
    patterns: [pattern('RRN (Medium)', raw`(?<!\d)${BIRTH_DATE}-?[1-4]\d{6}(?!\d)`, 0.5)],
    context: words('resident registration number, korean rrn, rrn, 주민등록번호, 주민번호, registration number'),
    validate: (match) => isRegistrationNumber(match, 11),
    example: '960121-1234567',
    source: '주민등록법 시행규칙 제2조: birth date, sex and century, region, check digit (until 2020)',
  },
  {
    name: 'KrFrnRecognizer',
    entity: 'KR_FRN',
    languages: ['ko'],
    standing: 'off',
    patterns: [pattern('FRN (Medium)', raw`(?<!\d)${BIRTH_DATE}-?[5-8]\d{6}(?!\d)`, 0.5)],
    context: words('foreigner registration number, korean frn, frn, 외국인등록번호, 외국인번호, registration number'),
    validate: (match) => isRegistrationNumber(match, 13),
    example: '911124-5678901',
    source: '출입국관리법 시행규칙: as the resident number, with 5 to 8 and another check digit',
  },
  {
    name: 'KrBrnRecognizer',
    entity: 'KR_BRN',
    languages: ['ko'],
    standing: 'off',
    patterns: [
      pattern('BRN (Medium)', raw`(?<!\d)\d{3}-\d{2}-\d{5}(?!\d)`, 0.5),
      pattern('BRN (Weak)', raw`(?<!\d)\d{10}(?!\d)`, 0.1),
    ],
    context: words(
      '사업자등록번호, 사업자번호, 사업자, business registration number, korean brn, brn, business number, corporate registration',
    ),
    validate: (match) => isBusinessNumber(digitsOf(match)),
    example: '104-86-56659',
    source: '국세청: business registration number, weights 1, 3, 7 and a carried ninth digit',
  },
  {
    name: 'KrDriverLicenseRecognizer',
    entity: 'KR_DRIVER_LICENSE',
    languages: ['ko'],
    standing: 'off',
    patterns: [
      pattern('Driver License (Medium)', raw`(?<!\d)(?:1[1-9]|2[0-8])[- ]?\d{2}[- ]?\d{6}[- ]?\d{2}(?!\d)`, 0.3),
    ],
    context: words('운전면허, 운전면허번호, 면허번호, driver license, korean driver license'),
    validate: isIssuingRegion,
    example: '11-22-123456-12',
    source: '도로교통법 시행규칙: region, year, serial number, check digits',
  },
  {
    name: 'KrPassportRecognizer',
    entity: 'KR_PASSPORT',
    languages: ['kr'],
    standing: 'unlisted',
    patterns: [
      pattern('Korean Passport Number (Current)', '(?<![A-Z0-9])[MSROD]\\d{3}[A-Z]\\d{4}(?![0-9])', 0.1),
      pattern('Korean Passport Number (Previous)', '(?<![A-Z0-9])[MSROD]\\d{8}(?![0-9])', 0.05),
    ],
    context: words('passport, passport number, korean passport, 여권, 여권번호, 대한민국 여권'),
    example: 'M123A4567',
    source: '외교부: passports since 2021, and before',
  },
];

/** Numbers without the check digit have been issued since October 2020, so a wrong one proves nothing. */
function isRegistrationNumber(match: string, base: number): true | null {
  const digits = digitsOf(match);
  const region = (digits[7] ?? 0) * 10 + (digits[8] ?? 0);
  const check = (base - (weighted(digits, REGISTRATION_WEIGHTS) % 11)) % 10;
  return region <= 95 && check === digits[12] ? true : null;
}

function isBusinessNumber(digits: readonly number[]): boolean {
  const carried = Math.floor(((digits[8] ?? 0) * 5) / 10);
  return (10 - ((weighted(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + carried) % 10)) % 10 === digits[9];
}

/** 27 was never a region. */
function isIssuingRegion(match: string): boolean {
  const region = Number(asciiDigits(match).slice(0, 2));
  return (region >= 11 && region <= 26) || region === 28;
}
