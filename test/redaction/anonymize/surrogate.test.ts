import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anonymizeText, createAnalyzer, readAnalyzerResults, readOperatorConfigs } from '../../../redaction/index.ts';

function surrogate(type: string, text: string, key = 'a key of the test'): string {
  const results = readAnalyzerResults([{ start: 0, end: text.length, score: 1, entity_type: type }]);
  const configs = readOperatorConfigs({ DEFAULT: { type: 'surrogate', key } });
  return anonymizeText(text, results, configs, { random: randomBytes }).text;
}

const luhn = (digits: string): boolean =>
  digits
    .split('')
    .toReversed()
    .reduce((sum, digit, index) => {
      const value = Number(digit) * (1 + (index % 2));
      return sum + (value > 9 ? value - 9 : value);
    }, 0) %
    10 ===
  0;

describe('surrogates stay in ranges that belong to nobody', () => {
  test.each([
    ['EMAIL_ADDRESS', 'jane.doe@corp.example', /^[a-z]{8}@example\.(com|net|org)$/],
    ['PHONE_NUMBER', '(425) 882-9090', /^\([2-9]\d\d\) 555-01\d\d$/],
    ['PHONE_NUMBER', '+1 425 882 9090', /^\+1 [2-9]\d\d 555 01\d\d$/],
    ['PHONE_NUMBER', '+44 20 7946 0958', /^\+44 7700 900\d{3}$/],
    ['PHONE_NUMBER', '+49 30 123456', /^\+1 [2-9]\d\d-555-01\d\d$/],
    ['US_SSN', '078-05-1120', /^9\d\d-[0-4]\d-\d{4}$/],
    ['US_SSN', '078051120', /^9\d\d[0-4]\d{5}$/],
    ['US_ITIN', '912-70-1234', /^9\d\d-93-\d{4}$/],
    ['UK_NHS', '401 023 2137', /^999 \d{3} \d{4}$/],
    ['IP_ADDRESS', '10.0.0.1', /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}$/],
    ['IP_ADDRESS', 'fe80::1', /^2001:db8(:[0-9a-f]{1,4}){6}$/],
    ['MAC_ADDRESS', 'aa:bb:cc:dd:ee:ff', /^00:00:5e:00:53:[0-9a-f]{2}$/],
    ['MAC_ADDRESS', 'AABB.CCDD.EEFF', /^0000\.5E00\.53[0-9A-F]{2}$/],
    ['URL', 'https://intranet.corp/secret?id=1', /^https:\/\/[a-z]{6}\.example\.(com|net|org)\/[a-z]{8}$/],
    ['PERSON', 'Jane Doe', /^[A-Z][a-z]+ [A-Z][a-z]+$/],
    ['CRYPTO', '16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ', /^<CRYPTO_[a-z]{8}>$/],
  ])('%s %s', (type, text, form) => {
    expect(surrogate(type, text)).toMatch(form);
  });

  test('cards are published test numbers of the same form', () => {
    const made = surrogate('CREDIT_CARD', '4012-8888-8888-1881');
    expect(made).toMatch(/^\d{4}-\d{4}-\d{4}-\d{4}$/);
    expect(luhn(made.replaceAll('-', ''))).toBe(true);
    expect(luhn(surrogate('CREDIT_CARD', '371449635398431'))).toBe(true);
  });

  test('account numbers have right check digits and no bank', () => {
    const made = surrogate('IBAN_CODE', 'DE89 3704 0044 0532 0130 00');
    expect(made).toMatch(/^ZZ\d{2} \d{4} \d{4} \d{4} \d{4} \d{2}$/);
    const compact = made.replaceAll(' ', '');
    const digits = (compact.slice(4) + compact.slice(0, 4)).replace(/[A-Z]/g, (char) =>
      String(char.charCodeAt(0) - 55),
    );
    expect(BigInt(digits) % 97n).toBe(1n);
  });
});

test('equal values have equal surrogates under one key, other ones under another', () => {
  expect(surrogate('EMAIL_ADDRESS', 'Jane@Corp.Example')).toBe(surrogate('EMAIL_ADDRESS', 'jane@corp.example'));
  expect(surrogate('EMAIL_ADDRESS', 'jane@corp.example')).not.toBe(
    surrogate('EMAIL_ADDRESS', 'jane@corp.example', 'another key of the test'),
  );
});

test('a surrogate is never the value, and is found where the value was', () => {
  const analyzer = createAnalyzer();
  fc.assert(
    fc.property(fc.constantFrom('example.com', 'corp.example'), fc.nat({ max: 255 }), (domain, number) => {
      const address = `192.0.2.${String(number)}`;
      expect(surrogate('IP_ADDRESS', address)).not.toBe(address);
      const mail = surrogate('EMAIL_ADDRESS', `user${String(number)}@${domain}`);
      expect(analyzer.analyze(`to ${mail} now`).map(({ type }) => type)).toContain('EMAIL_ADDRESS');
    }),
  );
});

test.each([
  [undefined, /Expected parameter key/],
  ['short', /at least 16 bytes/],
  [5, /Invalid parameter value for 'key'/],
])('a key %j is refused', (key, message) => {
  const results = readAnalyzerResults([{ start: 0, end: 1, score: 1, entity_type: 'X' }]);
  const configs = readOperatorConfigs({
    DEFAULT: key === undefined ? { type: 'surrogate' } : { type: 'surrogate', key },
  });
  expect(() => anonymizeText('x', results, configs, { random: randomBytes })).toThrowError(message);
});
