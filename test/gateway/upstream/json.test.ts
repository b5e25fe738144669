import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonArray, jsonObject, parseObject, sourceAt, toJson, verbatim } from '../../../gateway/upstream/json.ts';

describe('the source text of a value', () => {
  test.each<[string, (string | number)[], string | null]>([
    ['{"a":{"b":[1, {"c" : -1.0e5 }]}}', ['a', 'b', 1, 'c'], '-1.0e5'],
    [' [ "]" , {"}":"\\"{"} , 12345678901234567890 ] ', [2], '12345678901234567890'],
    ['[[],{},[{}],"x"]', [3], '"x"'],
    ['{"a":1,"a":{"b":2}}', ['a', 'b'], '2'],
    ['{"\\u0061":true}', ['a'], 'true'],
    ['{"a":null}', ['a', 'b'], null],
    ['{"a":[1]}', ['a', 1], null],
    ['{"a":1}', ['b'], null],
    ['[]', ['a'], null],
    ['7', [], '7'],
  ])('%s at %j', (source, path, expected) => {
    expect(sourceAt(source, path)).toBe(expected);
  });

  test('is what JSON.parse finds, for any document', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom('', '  ', '\n\t'), (json, indent) => {
        const value: unknown = JSON.parse(json);
        const source = JSON.stringify(value, null, indent);
        const walk = (part: unknown, path: (string | number)[]): void => {
          expect(JSON.parse(sourceAt(source, path) ?? '')).toEqual(part);
          if (Array.isArray(part)) part.forEach((item, index) => walk(item, [...path, index]));
          else if (typeof part === 'object' && part !== null) {
            for (const [name, item] of Object.entries(part)) walk(item, [...path, name]);
          }
        };
        walk(value, []);
      }),
    );
  });
});

test('documents are put together from checked pieces', () => {
  const inner = jsonArray([toJson('a"b'), verbatim('12345678901234567890')]);
  expect(jsonObject({ 'k"': inner, none: undefined, empty: jsonArray([]) })).toBe(
    '{"k\\"":["a\\"b",12345678901234567890],"empty":[]}',
  );
});

test('only objects are objects', () => {
  expect(['[]', 'null', '1', '"x"', '{', ''].map((text) => parseObject(text))).toEqual(Array(6).fill(null));
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
});
