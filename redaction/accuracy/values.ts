/**
 * Values for measuring accuracy, made from the definitions of the identifiers and not from the expressions that look for
 * them, by a seeded generator. Numbers that could belong to somebody are drawn at random and checked by nobody.
 */

/** A whole number from 0 to below the limit. */
export type Random = (below: number) => number;

/** Park and Miller's generator: the same values on every machine. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[random(list.length)] ?? list[0];
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => String(random(10))).join('');
}

function from(random: Random, alphabet: string, count: number): string {
  return Array.from({ length: count }, () => alphabet.charAt(random(alphabet.length))).join('');
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALPHANUMERIC = `${UPPER}${UPPER.toLowerCase()}0123456789`;

function email(random: Random): string {
  const name = pick(random, ['jane.doe', 'j.smith+shop', 'maria_garcia', 'o.meier', 'info', 'li-wei', 'x1']);
  const host = pick(random, [
    'example.com',
    'mail.example.org',
    'firma.example.de',
    'shop.example.co.uk',
    'example.io',
  ]);
  return `${name}${String(random(100))}@${host}`;
}

type Form = readonly [prefix: string, length: number];

/** Prefix and length of the schemes' numbers. */
const SCHEMES: readonly [Form, ...Form[]] = [
  ['4', 16],
  ['4', 19],
  ['4', 13],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['3530', 16],
  ['36', 14],
  ['5018', 12],
];

function card(random: Random): string {
  const [prefix, length] = pick(random, SCHEMES);
  const body = prefix + digits(random, length - prefix.length - 1);
  const number = body + luhnDigit(body);
  const separator = pick(random, ['', ' ', '-']);
  return length === 16 ? (number.match(/.{4}/g) ?? []).join(separator) : number;
}

function luhnDigit(body: string): string {
  const sum = Array.from(body, Number)
    .toReversed()
    .map((digit, at) => (at % 2 === 0 ? digit * 2 : digit))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return String((10 - (sum % 10)) % 10);
}

/** Countries with digits only in the bank's part, and its length. */
const BANKS: readonly [Form, ...Form[]] = [
  ['DE', 18],
  ['ES', 20],
  ['PL', 24],
  ['AT', 16],
  ['BE', 12],
  ['DK', 14],
  ['NO', 11],
  ['PT', 21],
];

function iban(random: Random): string {
  const [country, length] = pick(random, BANKS);
  const bank = digits(random, length);
  const numeric = Array.from(`${bank}${country}00`, (character) => String(parseInt(character, 36))).join('');
  const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, '0');
  const number = `${country}${check}${bank}`;
  return random(2) === 0 ? number : (number.match(/.{1,4}/g) ?? []).join(' ');
}

function phone(random: Random): string {
  const area = pick(random, ['212', '415', '312', '206', '617']);
  const line = `${String(2 + random(8))}${digits(random, 2)}`;
  const rest = digits(random, 4);
  const forms = [
    `(${area}) ${line}-${rest}`,
    `${area}-${line}-${rest}`,
    `+1 ${area} ${line} ${rest}`,
    `+44 20 7946 0${digits(random, 3)}`,
    `+49 30 9018${digits(random, 4)}`,
    `030 9018${digits(random, 4)}`,
    `+33 1 42 ${digits(random, 2)} ${digits(random, 2)} ${digits(random, 2)}`,
  ] as const;
  return pick(random, forms);
}

function address(random: Random): string {
  const hex = (): string => (1 + random(65_535)).toString(16);
  return pick(random, [
    `10.${String(random(256))}.${String(random(256))}.${String(1 + random(254))}`,
    `203.0.113.${String(random(256))}`,
    `2001:db8:${hex()}:${hex()}:${hex()}:${hex()}:${hex()}:${hex()}`,
    `2001:db8::${hex()}:${hex()}`,
  ]);
}

function ssn(random: Random): string {
  const area = String(100 + random(500));
  return `${area}-${String(10 + random(89))}-${String(1000 + random(8999))}`;
}

/** The check digit makes the sum of products a multiple of 11; where none does, another number is drawn. */
function nhs(random: Random): string {
  for (;;) {
    const body = digits(random, 9);
    const sum = Array.from(body, Number).reduce((total, digit, at) => total + digit * (10 - at), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) return `${body.slice(0, 3)} ${body.slice(3, 6)} ${body.slice(6)}${String(check)}`;
  }
}

function dea(random: Random): string {
  const body = digits(random, 6);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from(body, Number);
  return `${pick(random, ['A', 'B', 'M'])}${from(random, UPPER, 1)}${body}${String((a + c + e + 2 * (b + d + f)) % 10)}`;
}

/** One kind of value, under the name its findings have, with a word that may stand before it. */
export interface ValueKind {
  readonly entity: string;
  readonly word: string;
  readonly make: (random: Random) => string;
}

export const VALUES: readonly ValueKind[] = [
  { entity: 'EMAIL_ADDRESS', word: 'email', make: email },
  { entity: 'CREDIT_CARD', word: 'card', make: card },
  { entity: 'IBAN_CODE', word: 'IBAN', make: iban },
  { entity: 'PHONE_NUMBER', word: 'phone', make: phone },
  { entity: 'IP_ADDRESS', word: 'IP', make: address },
  { entity: 'US_SSN', word: 'SSN', make: ssn },
  { entity: 'UK_NHS', word: 'NHS', make: nhs },
  { entity: 'MEDICAL_LICENSE', word: 'DEA', make: dea },
  {
    entity: 'AWS_ACCESS_KEY',
    word: 'key',
    make: (random) => `AKIA${from(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
  },
  { entity: 'GITHUB_TOKEN', word: 'token', make: (random) => `ghp_${from(random, ALPHANUMERIC, 36)}` },
];

/** What looks like a value and is none. */
export const NEAR_MISSES: readonly ((random: Random) => string)[] = [
  (random) => `order ${digits(random, 8)}`,
  (random) => `invoice ${String(2020 + random(6))}-${digits(random, 5)}`,
  (random) => `version ${String(random(20))}.${String(random(20))}.${String(random(20))}`,
  (random) => `${String(2020 + random(6))}-0${String(1 + random(9))}-1${String(random(10))}`,
  (random) => `${String(random(24))}:${String(10 + random(50))}:${String(10 + random(50))}`,
  (random) => `${String(1 + random(999))},${digits(random, 3)}.${digits(random, 2)} EUR`,
  (random) => from(random, '0123456789abcdef', 40),
  (random) => ['8', '4', '4', '4', '12'].map((count) => from(random, '0123456789abcdef', Number(count))).join('-'),
  (random) => `timestamp ${String(1_700_000_000_000 + random(90_000_000))}`,
  (random) => `room ${digits(random, 3)}, floor ${digits(random, 1)}`,
  (random) => `part ${from(random, UPPER, 2)}-${digits(random, 6)}`,
  (random) => `@user${digits(random, 3)} wrote at index.ts:${digits(random, 3)}`,
];
