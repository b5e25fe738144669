/** Credentials of no one provider: signed tokens, passwords in URLs, what is assigned to a name that says secret. */
import { NEVER } from '../recognizer.ts';
import type { Recognizer } from '../recognizer.ts';
import { checkAssigned } from './assigned.ts';
import { verifyBasic, verifyJwt, verifyPassword, verifyRandom, verifyWif } from './checks.ts';
import { ALPHANUMERIC, secret, TOKEN } from './secret.ts';

/** The names whose values are secrets, in the spellings of code, environment variables and prose. */
const NAME =
  '(?:[Ss]ecret|SECRET|[Pp]ass(?:word|wd|phrase)|PASS(?:WORD|WD|PHRASE)|[Pp]wd|PWD|[Tt]oken|TOKEN|' +
  '(?:[Aa]pi|API|[Aa]pp|[Aa]ccess|ACCESS|[Aa]uth|AUTH|[Pp]rivate|PRIVATE|[Ss]igning|SIGNING|[Ee]ncryption|ENCRYPTION|' +
  '[Mm]aster|MASTER|[Aa]ccount|ACCOUNT|[Ll]icense|LICENSE)[_\\- ]?(?:[Kk]ey|KEY)|[Cc]redentials?|CREDENTIALS?)';

export const GENERAL_SECRETS: readonly Recognizer[] = [
  secret({
    id: 'jwt',
    entity: 'JWT',
    keywords: ['eyJ'],
    pattern: `eyJ${TOKEN}{8,1500}\\.${TOKEN}{2,8000}\\.${TOKEN}{0,1500}`,
    notBefore: TOKEN,
    verify: verifyJwt,
    example: [
      'eyJhbGciOiJIUzI1NiJ9',
      'eyJzdWIiOiIxMjM0NTY3ODkwIn0',
      'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    ].join('.'),
    source: 'RFC 7515 section 7.1',
  }),
  secret({
    id: 'url_password',
    entity: 'URL_PASSWORD',
    keywords: ['://'],
    pattern: '://[^\\s:/?#@]{0,128}:([^\\s/?#"\'<>`]{1,256})@',
    captured: true,
    notBefore: NEVER,
    score: 800,
    verify: verifyPassword,
    example: 'postgres://app:s3cr3t@db.example.com/app',
    source: 'RFC 3986 section 3.2.1',
  }),
  secret({
    id: 'assigned_secret',
    entity: 'GENERIC_SECRET',
    keywords:
      'ecret ECRET assword assphrase asswd ASSWORD ASSPHRASE ASSWD wd= wd: PWD wd" oken OKEN key Key KEY redential REDENTIAL'.split(
        ' ',
      ),
    pattern: `${NAME}[0-9A-Za-z_\\-.]{0,24}["'\\]\\s]{0,2}(?:=>|:=|=|:)\\s{0,2}["'\`]{0,2}([^\\s"'\`,;<>(){}\\[\\]]{8,200})`,
    captured: true,
    needsDigit: true,
    notBefore: NEVER,
    score: 550,
    checkIn: checkAssigned,
    example: ['DB_PASSWORD=', 'vT9#kq2LmX7pw'].join(''),
    source: 'assignments as they stand in configuration files, code and chats',
  }),
  secret({
    id: 'bearer_token',
    entity: 'BEARER_TOKEN',
    keywords: ['earer ', 'EARER '],
    pattern: `(?:[Bb]earer|BEARER) {1,2}([0-9A-Za-z_.~+/\\-]{20,600}={0,2})`,
    captured: true,
    verify: verifyRandom,
    score: 700,
    example: ['Authorization: Bearer ', 'mF_9.B5f-4.1JqMx7Tq2Lw8'].join(''),
    source: 'RFC 6750 section 2.1',
  }),
  secret({
    id: 'basic_credentials',
    entity: 'BASIC_CREDENTIALS',
    keywords: ['asic ', 'ASIC '],
    pattern: `(?:[Bb]asic|BASIC) {1,2}([0-9A-Za-z+/]{8,400}={0,2})`,
    captured: true,
    verify: verifyBasic,
    score: 700,
    example: ['Authorization: Basic ', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='].join(''),
    source: 'RFC 7617 section 2',
  }),
  secret({
    id: 'bitcoin_key',
    entity: 'CRYPTO_PRIVATE_KEY',
    keywords: ['5H', '5J', '5K', 'K', 'L'],
    pattern: '[5KL][1-9A-HJ-NP-Za-km-z]{50,51}',
    notAfter: ALPHANUMERIC,
    verify: verifyWif,
    example: ['5HueCGU8rMjxEXxiPuD5BDku4MkFq', 'eZyd4dZ1jvhTVqvbTLvyTJ'].join(''),
    source: 'Bitcoin wallet import format (base58check)',
  }),
];
