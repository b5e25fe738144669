/**
 * The promise about streams, tried on many texts and many ways of cutting them. `npm test` tries a small number from a fixed
 * seed; COUNTERSIGN_CHUNKINGS=100000 npx vitest run test/redaction/chunking.test.ts tries them all (some minutes).
 */
import { describe, expect, test } from 'vitest';
import { createAnalyzer, createStreamRedactor, createTokenVault, redactText } from '../../redaction/index.ts';
import type { Operator, RedactionRule } from '../../redaction/index.ts';
import { PRIVATE_KEY } from '../../redaction/recognizers/private-key.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { MAX_HELD } from '../../redaction/stream.ts';
import { DISGUISES } from './texts.ts';

const RUNS = Number(process.env['COUNTERSIGN_CHUNKINGS'] ?? 2000);
/** Cuts tried for one text: making the text and its expected redaction costs as much as a few streams. */
const CUTS_PER_TEXT = 4;

const analyzer = createAnalyzer();
const hashKey = new Uint8Array(32).fill(7);
const vaultKey = new Uint8Array(32).fill(9);
const OPERATORS: readonly Operator[] = ['redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize'];

const WORDS = (
  'the customer wrote again about her order number and asked to be called back in the afternoon ' +
  'клиент написал ещё раз о заказе номер три και ζήτησε να την καλέσουν το απόγευμα ' +
  'كتب العميل مرة أخرى عن طلبه ग्राहक ने फिर लिखा 顧客は再び注文について書きました 고객이 다시 주문에 대해 썼습니다 ' +
  'ลูกค้าเขียนอีกครั้ง 😀 👩‍👩‍👧 🏳️‍🌈 naïve café Straße 100% C:\\new a&b x=1 / 50 7,5 2024 #12 @home <b>'
).split(' ');
const VALUES = [
  ...STRICT.map((one) => one.example),
  PRIVATE_KEY.example,
  ...DISGUISES.flatMap(([, disguise]) =>
    ['4111 1111 1111 1111', 'jane.doe@example.com', 'DE89370400440532013000'].map(disguise),
  ),
];
const JOINTS = ['', ' ', ' ', '\n', ': ', '.', '"', '입니다', '号', '\u200b'];

/** Park and Miller's generator: the same texts on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

type Random = ReturnType<typeof createRandom>;

function pick<T>(random: Random, list: readonly [T, ...T[]] | readonly T[], otherwise: T): T {
  return list[random(list.length)] ?? otherwise;
}

function vault() {
  const fresh = createTokenVault(vaultKey);
  const live = fresh.mint('EMAIL_ADDRESS', 'jane.doe@example.com');
  return { fresh, live };
}

function textOf(random: Random): string {
  const { live } = vault();
  let text = '';
  const words = random(14);
  // The value goes behind the k-th character for every k in turn.
  for (let i = 0; i < words; i++) text += `${pick(random, WORDS, 'x')} `;
  for (let count = 1 + random(3); count > 0; count--) {
    const value = random(6) === 0 ? live : pick(random, VALUES, 'x');
    const at = random(text.length + 1);
    text = text.slice(0, at) + pick(random, JOINTS, '') + value + pick(random, JOINTS, '') + text.slice(at);
  }
  return text;
}

function cut(text: string, random: Random): string[] {
  const chunks: string[] = [];
  const longest = pick(random, [1, 2, 4, 9, 40], 4);
  for (let at = 0; at < text.length;) {
    const size = 1 + random(longest);
    chunks.push(text.slice(at, at + size));
    at += size;
  }
  return chunks;
}

function rulesOf(random: Random): RedactionRule[] {
  const operator = pick(random, OPERATORS, 'replace');
  return random(8) === 0 ? [{ types: ['secret'], operator }] : [{ types: ['*'], operator }];
}

describe(`${String(RUNS)} ways of cutting mixed-script texts`, () => {
  test('give the redaction of the whole, and hold back no more than the stated bound', () => {
    const random = createRandom(20_261);
    let most = 0;
    for (let run = 0; run < RUNS; run += CUTS_PER_TEXT) {
      const text = textOf(random);
      const rules = rulesOf(random);
      const whole = redactText(text, analyzer.analyze(text), rules, { hashKey, vault: createTokenVault(vaultKey) });
      const expected = vault().fresh.restore(whole.text).text;
      for (let i = 0; i < CUTS_PER_TEXT; i++) {
        const context = { hashKey, vault: createTokenVault(vaultKey) };
        const redactor = createStreamRedactor({ analyzer, rules, context, pointer: '/p', restore: vault().fresh });
        let out = '';
        for (const chunk of cut(text, random)) {
          out += redactor.push(chunk);
          most = Math.max(most, redactor.held);
        }
        out += redactor.end();
        if (out !== expected) expect({ text, out }).toEqual({ text, out: expected });
        expect(redactor.held).toBe(0);
      }
    }
    expect(most).toBeLessThanOrEqual(MAX_HELD);
  }, 3_600_000);
});

describe('what is held back', () => {
  const most = (unit: string): number => {
    const context = { hashKey, vault: createTokenVault(vaultKey) };
    const redactor = createStreamRedactor({
      analyzer,
      rules: [{ types: ['*'], operator: 'replace' }],
      context,
      pointer: '/p',
      restore: vault().fresh,
    });
    let held = 0;
    const chunk = unit.repeat(Math.ceil(200 / unit.length));
    for (let sent = 0; sent < 60_000; sent += chunk.length) {
      redactor.push(chunk);
      held = Math.max(held, redactor.held);
    }
    return held;
  };

  test.each([
    'a',
    '1',
    '1 ',
    'a.',
    'eyJ',
    `eyJ${'a'.repeat(200)}.`,
    '4\u200b',
    '\u200b',
    '%34',
    '%2534',
    '\\u0034',
    '&#52;',
    'YWFh',
    'MTEx',
    '-----BEGIN PRIVATE KEY-----',
    '<A',
    '\ud83d',
    'а',
  ])('in a stream of %j has a bound', (unit) => {
    expect(most(unit)).toBeLessThanOrEqual(MAX_HELD);
  });
});
