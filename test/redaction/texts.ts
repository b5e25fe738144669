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
  '%',
  '%34',
  '%40',
  '%2',
  '%2540',
  '\\',
  '\\u00',
  '\\u0040example.com',
  '&#64;',
  '&#x',
  '\u200b',
  '\u200b'.repeat(20),
  '\u0301',
  '\uff14\uff11\uff11\uff11',
  '\u0664\u0661\u0661\u0661',
  '\ud835\udfd2',
  'j\u0430ne@ex\u0430mple.com',
  'D\u041589370400440532013000',
  'номер',
  Buffer.from('mail jane.doe@example.com or 4111 1111 1111 1111').toString('base64'),
  Buffer.from('ключ: jane.doe@example.com').toString('base64url'),
  'amFuZUBleGFtcGxlLmNvbQ==',
];

/** The ways a value is hidden from expressions; each leaves a reader able to see or undo it. */
export const DISGUISES: readonly (readonly [name: string, disguise: (value: string) => string])[] = [
  ['full width', (value) => value.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))],
  ['full-width digits', (value) => value.replace(/[0-9]/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))],
  ['Arabic-Indic digits', (value) => value.replace(/[0-9]/g, (digit) => String.fromCharCode(0x660 + Number(digit)))],
  ['mathematical digits', (value) => value.replace(/[0-9]/g, (d) => String.fromCodePoint(0x1d7ce + Number(d)))],
  ['zero-width spaces', (value) => value.split('').join('\u200b')],
  ['soft hyphens', (value) => value.replace(/(..)/g, '$1\u00ad')],
  ['combining marks', (value) => `${value.replace(/(...)/g, '$1\u0301')}`],
  ['variation selectors', (value) => value.split('').join('\ufe0f')],
  ['no-break spaces', (value) => value.replaceAll(' ', '\u00a0')],
  ['dashes', (value) => value.replaceAll('-', '\u2212')],
  ['percent-encoding', (value) => [...Buffer.from(value)].map((byte) => `%${byte.toString(16)}`).join('')],
  ['percent-encoding twice', (value) => [...Buffer.from(value)].map((byte) => `%25${byte.toString(16)}`).join('')],
  [
    'JSON escapes',
    (value) => value.replace(/[^]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ],
  ['character references', (value) => value.replace(/[^]/g, (char) => `&#${String(char.charCodeAt(0))};`)],
  ['base64', (value) => ` ${Buffer.from(`: ${value} ;`).toString('base64')} `],
  ['base64url in a path', (value) => `/v1/${Buffer.from(`: ${value} ;`).toString('base64url')}`],
  ['base64 twice', (value) => Buffer.from(Buffer.from(`: ${value} ;`).toString('base64')).toString('base64')],
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
