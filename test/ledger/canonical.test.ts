import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, parseCanonical } from '../../ledger/index.ts';
import type { JsonValue } from '../../ledger/index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\u0000'));
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().filter((number) => !Object.is(number, -0)),
    text,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(text, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

describe('canonical JSON', () => {
  test('equals RFC 8785 as the canonicalize package writes it', () => {
    fc.assert(
      fc.property(value, (json) => canonicalJson(json) === canonicalize(json)),
      { numRuns: 1000 },
    );
  });

  test('what it writes is read back, and nothing else is', () => {
    fc.assert(fc.property(value, (json) => canonicalJson(parseCanonical(canonicalJson(json))) === canonicalJson(json)));
    for (const other of [
      '{"a":1,"a":1}',
      '{"b":1,"a":2}',
      '[1, 2]',
      '1.0',
      '1e2',
      '-0',
      '"\\u0041"',
      '"\\/"',
      '',
      '{"a":1} ',
      '9007199254740992',
    ]) {
      expect(() => parseCanonical(other), other).toThrow(expect.objectContaining({ code: 'invalid_value' }));
    }
  });

  // The example of RFC 8785 section 3.2.3: keys sort by UTF-16 code units.
  test('sorts keys by UTF-16 code units', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const written = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    expect(Object.keys(JSON.parse(written) as object).filter((key) => key !== '1')).toEqual(
      ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'].filter((key) => key !== '1'),
    );
  });

  test('refuses what the profile has no place for', () => {
    const refused: unknown[] = [
      0.5,
      -0,
      2 ** 53,
      Infinity,
      NaN,
      'a\u0000b',
      '\ud800',
      '\udc00x',
      undefined,
      1n,
      { a: undefined },
    ];
    for (const bad of refused) {
      expect(() => canonicalJson(bad as JsonValue)).toThrow(expect.objectContaining({ code: 'invalid_value' }));
    }
    const nest = (levels: number): JsonValue => (levels === 0 ? 1 : [nest(levels - 1)]);
    expect(canonicalJson(nest(32))).toContain('1');
    expect(() => canonicalJson(nest(33))).toThrow(expect.objectContaining({ code: 'invalid_value' }));
  });

  test('a key named __proto__ is a key like any other', () => {
    const json = JSON.parse('{"__proto__":1,"a":2}') as JsonValue;
    expect(canonicalJson(json)).toBe('{"__proto__":1,"a":2}');
  });
});
