/** Generators of texts in which findings, near misses, placeholders and surrogate pairs stand close together. */
import fc from 'fast-check';
import { PRIVATE_KEY } from '../../redaction/recognizers/private-key.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';

const EXAMPLES = STRICT.map((one) => one.example);

const SNIPPETS = [
  'Hello there, ',
  'please call ',
  'my phone is ',
  'SSN ',
  'secret ',
  'AccountKey=',
  '2125551234',
  '612 345 678',
  '536221234',
  '4111 1111 1111 1111 ',
  '4111-1111-1111-1111',
  '01 01 01 01 01 ',
  '+49 30 901820',
  'DE89 3704 0044 0532 0130 00 ',
  'jane.doe@example.com',
  'Jane@Example.com',
  '.Thanks',
  'a-a.a_',
  '://user:pa@ss@',
  'https://x:y@example.com/p',
  'sk-proj-',
  'eyJ',
  '-----BEGIN ',
  'PRIVATE KEY-----',
  '-----END RSA PRIVATE KEY-----',
  PRIVATE_KEY.example,
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  '1.2.3.4',
  '2001:db8::1',
  '😀',
  '\ud83d',
  '\ude00',
  'é한国',
  '<',
  '<EMAIL_ADDRESS_',
  'kqzvbtaw>',
  '>',
  '\n',
  ' ',
  ' ',
  '.',
  ',',
  '@',
  ':',
  '-',
  '"',
  '0',
];

export const piece: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SNIPPETS) },
  { weight: 3, arbitrary: fc.constantFrom(...EXAMPLES) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9 .()+-]{1,30}$/) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('a', '1 ', '11-', 'x@', 'A'), fc.nat(80)).map(([unit, n]) => unit.repeat(n)),
  },
);

export const hostileText: fc.Arbitrary<string> = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));

/** The text cut at the given places (taken modulo its length). */
export function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, i) => text.slice(place, places[i] ?? text.length));
}
