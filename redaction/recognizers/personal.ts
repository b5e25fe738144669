/** Personal data, under Presidio's entity names. */
import { CARD_SEPARATOR, verifyCard } from './card.ts';
import { verifyEmail } from './email.ts';
import { IBAN_PATTERN, verifyIban } from './iban.ts';
import { verifyIpv4, verifyIpv6 } from './ip.ts';
import { PHONE_SEPARATOR, verifyPhone, verifyPlainPhone } from './phone.ts';
import { NEVER, WORD } from './recognizer.ts';
import type { Recognizer } from './recognizer.ts';
import { verifySsn } from './ssn.ts';

/** Letters of Latin, Greek and Cyrillic: addresses in those scripts are found, while a CJK sentence around one ends it. */
const LETTER = '0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f';
const LABEL = `[${LETTER}](?:[${LETTER}\\-]{0,61}[${LETTER}])?`;

/** The first four digits of every scheme, roughly. */
const CARD_BEGINNING =
  '(?:1[0-9]{3}|2131|2[2-7][0-9]{2}|3[04-9][0-9]{2}|4[0-9]{3}|5[0-8][0-9]{2}|6[0-7][0-9]{2}|8[126][0-9]{2}|9[78][0-9]{2})';

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';

/** Further groups of a number; a single digit only as a hint, in `(0)`. See `phone.ts` for how many digits there must be. */
const phoneGroups = (longest: number, most: number): string =>
  `(?:${PHONE_SEPARATOR}{1,3}[0-9]{2,${String(longest)}}|${PHONE_SEPARATOR}{0,2}[(]0){0,${String(most)}}`;
/** What follows the first digit: sixteen digits in all, so a long first group leaves room for little. */
const PHONE_REST = `(?:[0-9]{0,4}${phoneGroups(13, 6)}|[0-9]{5,8}${phoneGroups(10, 5)}|[0-9]{9,15}${phoneGroups(6, 3)})`;
const NORTH_AMERICAN =
  `[(]?(?:1${PHONE_SEPARATOR}{1,3})?[0-9]{3}${PHONE_SEPARATOR}{1,3}(?:[0-9]{3}${PHONE_SEPARATOR}{1,3}[0-9]{4}|[0-9]{7})|` +
  `[(]?1?[0-9]{10}`;
/** International with `+` or `00`, national with `0`, North American without anything in front. */
const PHONE = `(?:(?:[(]?[+]|[+][+(])[0-9]${PHONE_REST}|[(]{0,2}0${PHONE_REST}|` + `${NORTH_AMERICAN})`;
/** The second group of a number with a prefix, or all of one of North America. */
const PHONE_OPENING =
  `(?:(?:[(]?[+]|[+][+(])[0-9]|${NORTH_AMERICAN}|` +
  `[(]{0,2}0(?:[0-9]{2}|[0-9]?${PHONE_SEPARATOR}{1,3}[0-9]{2}|[0-9]?${PHONE_SEPARATOR}{0,2}[(]0))`;
const PLAIN_PHONE = `[+(]{0,2}[0-9]${PHONE_REST}`;
/** Six digits, or the beginning of a second group. */
const PLAIN_OPENING = `[+(]{0,2}[0-9](?:[0-9]{0,4}${PHONE_SEPARATOR}{1,3}[0-9]|[0-9]{5})`;
const PHONE_WORDS =
  'phone telephone tel call cell cellphone mobile fax number whatsapp sms contact dial ring hotline'.split(' ');

export const PERSONAL: readonly Recognizer[] = [
  {
    id: 'email',
    version: 1,
    entity: 'EMAIL_ADDRESS',
    kind: 'pii',
    keywords: ['@'],
    head: `[${LETTER}][${LETTER}._%+'\\-]{0,63}`,
    pattern: `@(?:${LABEL}\\.){1,8}(?:xn--[0-9A-Za-z\\-]{1,59}|[${LETTER}]{2,63})`,
    notBefore: NEVER,
    notAfter: NEVER,
    score: 1000,
    context: [],
    verify: verifyEmail,
    example: 'jane.doe@example.com',
    source: 'RFC 5321, RFC 6531, public suffix list',
  },
  {
    id: 'phone',
    version: 1,
    entity: 'PHONE_NUMBER',
    kind: 'pii',
    keywords: [],
    pattern: PHONE,
    notBefore: `[0-9A-Za-z_+]|[0-9][.,]`,
    notAfter: WORD,
    score: 400,
    context: PHONE_WORDS,
    opening: PHONE_OPENING,
    verifyFrom: verifyPhone,
    example: '+44 20 7946 0958',
    source: 'ITU-T E.164; plans of libphonenumber-js',
  },
  {
    id: 'phone_plain',
    version: 1,
    entity: 'PHONE_NUMBER',
    kind: 'pii',
    keywords: [],
    pattern: PLAIN_PHONE,
    needsContext: true,
    notBefore: `[0-9A-Za-z_+]|[0-9]${PHONE_SEPARATOR}`,
    notAfter: WORD,
    score: 250,
    context: PHONE_WORDS,
    opening: PLAIN_OPENING,
    verifyFrom: verifyPlainPhone,
    example: 'phone 612 345 678',
    source: 'plans of libphonenumber-js without trunk prefix',
  },
  {
    id: 'card',
    version: 1,
    entity: 'CREDIT_CARD',
    kind: 'pii',
    keywords: [],
    // Groups have four digits at least, only the last may have fewer, see `verifyCard`.
    pattern: `${CARD_BEGINNING}[0-9]{0,15}(?:${CARD_SEPARATOR}[0-9]{4,15}){0,3}(?:${CARD_SEPARATOR}[0-9]{1,3})?`,
    notBefore: `${WORD}|[0-9][.,]`,
    notAfter: WORD,
    score: 1000,
    context: [],
    opening: CARD_BEGINNING,
    verifyFrom: verifyCard,
    example: '4111 1111 1111 1111',
    source: 'ISO/IEC 7812-1, issuer ranges of the schemes',
  },
  {
    id: 'iban',
    version: 1,
    entity: 'IBAN_CODE',
    kind: 'pii',
    keywords: [],
    pattern: IBAN_PATTERN,
    notBefore: WORD,
    notAfter: '[0-9A-Za-z]',
    score: 1000,
    context: [],
    verify: verifyIban,
    example: 'DE89370400440532013000',
    source: 'ISO 13616-1, SWIFT IBAN registry',
  },
  {
    id: 'us_ssn',
    version: 1,
    entity: 'US_SSN',
    kind: 'pii',
    keywords: [],
    pattern: '[0-9]{3}[ .\\-]?[0-9]{2}[ .\\-]?[0-9]{4}',
    notBefore: WORD,
    notAfter: WORD,
    score: 500,
    context: ['ssn', 'ssns', 'social', 'security'],
    verifyAt: verifySsn,
    example: '536-22-1234',
    source: 'SSA, Social Security Number Randomization',
  },
  {
    id: 'ipv4',
    version: 1,
    entity: 'IP_ADDRESS',
    kind: 'pii',
    keywords: [],
    pattern: `${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}`,
    notBefore: `${WORD}|[0-9]\\.`,
    notAfter: `${WORD}|\\.[0-9]`,
    score: 600,
    context: [],
    verify: verifyIpv4,
    example: '192.168.0.1',
    source: 'RFC 791',
  },
  {
    id: 'ipv6',
    version: 1,
    entity: 'IP_ADDRESS',
    kind: 'pii',
    keywords: [],
    pattern: `(?:[0-9A-Fa-f]{0,4}:){2,7}(?:${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}|[0-9A-Fa-f]{0,4})`,
    notBefore: '[0-9A-Za-z_:.]',
    notAfter: '[0-9A-Za-z_:]|\\.[0-9]',
    score: 600,
    context: [],
    verify: verifyIpv6,
    example: '2001:db8:85a3::8a2e:370:7334',
    source: 'RFC 4291 section 2.2',
  },
];
