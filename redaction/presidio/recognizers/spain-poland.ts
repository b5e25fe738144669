import { digitsOf, numberOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';

const raw = String.raw;
const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

export const SPAIN_AND_POLAND: readonly PresidioRecognizer[] = [
  {
    name: 'EsNifRecognizer',
    entity: 'ES_NIF',
    languages: ['es'],
    standing: 'on',
    patterns: [pattern('NIF', raw`\<[0-9]{7,8}-?[A-Z]\>`, 0.5)],
    context: words('documento nacional de identidad, DNI, NIF, identificación'),
    validate: (match) => hasControlLetter(match.replace(/[- ]/g, '')),
    example: '55555555K',
    source: 'Real Decreto 1553/2005: control letter of the DNI',
  },
  {
    name: 'EsNieRecognizer',
    entity: 'ES_NIE',
    languages: ['es'],
    standing: 'on',
    patterns: [pattern('NIE', raw`\<[XYZ][0-9]{7,8}-?[A-Z]\>`, 0.5)],
    context: words('número de identificación de extranjero, NIE'),
    validate: isNie,
    example: 'X9613851N',
    source: 'Orden INT/2058/2008: X, Y, Z count as 0, 1, 2',
  },
  {
    name: 'EsPassportRecognizer',
    entity: 'ES_PASSPORT',
    languages: ['es'],
    standing: 'off',
    patterns: [pattern('ES Passport (very weak)', raw`\<[A-Z]{3}[0-9]{6}\>`, 0.05)],
    context: words('pasaporte, passport, número de pasaporte, passport number'),
    example: 'AAA123456',
    source: 'Real Decreto 896/2003: three letters and six digits',
  },
  {
    name: 'PlPeselRecognizer',
    entity: 'PL_PESEL',
    languages: ['pl'],
    standing: 'on',
    patterns: [pattern('PESEL', '[0-9]{2}(?:[02468][1-9]|[13579][012])(?:0[1-9]|[12][0-9]|3[01])[0-9]{5}', 0.4)],
    context: words('PESEL'),
    validate: (match) => isPesel(digitsOf(match)),
    example: '44051401458',
    source: 'Ustawa o ewidencji ludności art. 15: century in the month, weights 1, 3, 7, 9',
  },
];

function hasControlLetter(code: string): boolean {
  const number = numberOf(digitsOf(code.slice(0, -1)));
  return code.slice(-1).toUpperCase() === NIF_LETTERS.charAt(number % 23);
}

function isNie(match: string): boolean {
  const code = match.replace(/[- ]/g, '').toUpperCase();
  if (!/^[XYZ]\p{Nd}{7}[A-Z]$/u.test(code)) return false;
  return hasControlLetter(`${String('XYZ'.indexOf(code.charAt(0)))}${code.slice(1)}`);
}

function isPesel(digits: readonly number[]): boolean {
  return (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digits[10];
}
