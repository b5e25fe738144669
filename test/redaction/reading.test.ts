import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { hasBase64Text } from '../../redaction/reading/base64.ts';
import { createReading, isPlain } from '../../redaction/reading/reading.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { cutAt, DISGUISES, hostileText } from './texts.ts';

const analyzer = createAnalyzer();

function read(chunks: readonly string[]): { text: string; spans: [number, number][] } {
  const reading = createReading();
  const text = chunks.map((chunk) => reading.push(chunk, false)).join('') + reading.push('', true);
  const spans = text.split('').map((_, i): [number, number] => [reading.startOf(i), reading.endOf(i + 1)]);
  return { text, spans };
}

const found = (text: string): [string, string][] =>
  analyzer.analyze(text).map(({ type, start, end }) => [type, text.slice(start, end)]);

describe('a reading', () => {
  test.each([
    ['４１１１', '4111'],
    ['\u0664\u0661', '41'],
    ['𝟒𝟏', '41'],
    ['a\u200bb\u00adc\u0301d', 'abcd'],
    ['5\u20143\u3000x\u00a0y', '5-3 x y'],
    ['100% of 50%3', '100% of 50%3'],
    ['jane%40x.com', 'jane@x.com'],
    ['%E2%82%AC %e2%82 %ff', '€ %e2%82 %ff'],
    ['%2540', '@'],
    ['a\\u0040b\\n\\x41\\q', 'a@b\nA\\q'],
    ['&#64;&#x40;&commat;&nope;&#0;', '@@@&nope;&#0;'],
    ['amFuZUBleGFtcGxlLmNvbQ==.', 'jane@example.com.'],
    ['x amFuZUBleGFtcGxlLmNvbSB0b2RheQ y', 'x jane@example.com today y'],
    ['aGVsbG8gd29ybGQsIGhl\nbGxvIHdvcmxk', 'hello world, hello world'],
    ['internationalization counterrevolutionary', 'internationalization counterrevolutionary'],
    ['9f2b7c1d3e4a5b6c7d8e9f0a1b2c3d4e', '9f2b7c1d3e4a5b6c7d8e9f0a1b2c3d4e'],
    ['номер 😀 é', 'номер 😀 é'],
  ])('of %j is %j', (text, expected) => {
    expect(read([text]).text).toBe(expected);
  });

  test('is the same for every way of cutting, and knows where each unit comes from', () => {
    fc.assert(
      fc.property(hostileText, fc.array(fc.nat(), { maxLength: 30 }), (text, cuts) => {
        const whole = read([text]);
        expect(read(cutAt(text, cuts))).toEqual(whole);
        expect(read(text.split(''))).toEqual(whole);
        let before = 0;
        for (const [start, end] of whole.spans) {
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          before = start;
        }
      }),
      { numRuns: 400 },
    );
  });

  test('of a plain text is the text', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        if (isPlain(text)) expect(read([text]).text).toBe(text);
      }),
    );
  });

  test('finds base64 wherever it stands', () => {
    const base64 = Buffer.from('jane@example.com').toString('base64');
    for (let shift = 0; shift < 40; shift++) {
      expect(hasBase64Text(`${'.'.repeat(shift)}${base64}.`)).toBe(true);
      expect(hasBase64Text(`${'a'.repeat(shift)} ${base64}`)).toBe(true);
      expect(hasBase64Text(`${'Z'.repeat(shift)}${base64}`)).toBe(true);
    }
    expect(hasBase64Text('The quick brown fox jumps over the internationalization of thoroughbreds.')).toBe(false);
  });

  test('keeps an endless run of invisible characters from hiding what comes, without waiting for ever', () => {
    const reading = createReading();
    const out = reading.push(`4${'\u200b'.repeat(1000)}1`, false);
    expect(out.length).toBeGreaterThan(900);
    expect(reading.consumed).toBeGreaterThan(1000 - 10);
  });
});

describe('every value is found in disguise', () => {
  const VALUES: readonly (readonly [string, string])[] = [
    ['CREDIT_CARD', '4111 1111 1111 1111'],
    ['CREDIT_CARD', '4111-1111-1111-1111'],
    ['IBAN_CODE', 'DE89370400440532013000'],
    ['EMAIL_ADDRESS', 'jane.doe@example.com'],
    ['US_SSN', '536-22-1234'],
    ['PHONE_NUMBER', '+44 20 7946 0958'],
    ['IP_ADDRESS', '2001:db8:85a3::8a2e:370:7334'],
    ['GITHUB_TOKEN', ['ghp_', '16C7e42F292c6912E7710c838347Ae178B4a'].join('')],
  ];
  const rows = DISGUISES.flatMap(([name, disguise]) => VALUES.map(([type, value]) => [name, type, disguise(value)]));
  test.each(rows)('%s: %s in %j', (_, type = '', text = '') => {
    const findings = found(`see ${text} ok`);
    expect(findings.map(([one]) => one)).toContain(type);
  });

  test.each(['é', '号', '🙂', '\u0301', '입니다', ' '])('glued to %j', (glue) => {
    for (const [type, value] of VALUES) {
      const isLetter = glue === 'é' && (type === 'EMAIL_ADDRESS' || type === 'IP_ADDRESS');
      if (isLetter) continue;
      expect(found(`${value}${glue}`).map(([one]) => one)).toContain(type);
      expect(found(`${glue}${value}`).map(([one]) => one)).toContain(type);
    }
  });

  test('and the finding is where it stands in the text', () => {
    expect(found('x 4111\u200b1111１１１１1\u066111 y')).toEqual([['CREDIT_CARD', '4111\u200b1111１１１１1\u066111']]);
    expect(found('to jane%40example.com%20now')).toEqual([['EMAIL_ADDRESS', 'jane%40example.com']]);
    expect(found('x=amFuZUBleGFtcGxlLmNvbQ==;')).toEqual([['EMAIL_ADDRESS', 'amFuZUBleGFtcGxlLmNvbQ==']]);
    expect(found('IBAN D\u041589370400440532013000.')).toEqual([['IBAN_CODE', 'D\u041589370400440532013000']]);
  });
});

test.each(STRICT.map((one) => [one.id, one] as const))(
  '%s: its example is found once when nothing hides it',
  (_, one) => {
    const findings = analyzer.analyze(`\u00e9 ${one.example} 100% .`);
    expect(findings.filter(({ recognizer }) => recognizer === one.id)).toHaveLength(1);
  },
);
