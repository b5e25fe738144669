import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDocument, readDocument } from '../../redaction/index.ts';
import type { DocumentEdit, JsonValue } from '../../redaction/index.ts';

function edited(source: string, ...edits: DocumentEdit[]): string {
  return editDocument(readDocument(source), edits);
}

function textEdit(source: string, text: string, replacement: string): DocumentEdit {
  const index = readDocument(source).texts.findIndex((one) => one.text === text);
  return { op: 'text', index, text: replacement };
}

const BODY = '{ "n": 1.0, "big": 12345678901234567890, "e":1e2,\n\t"a" : [ "x", "y" ,"z" ], "u": "\\u00e9\\/" }';

describe('untouched bytes stay', () => {
  test('no edit gives the source', () => {
    expect(edited(BODY)).toBe(BODY);
  });

  test('text, set, append and remove change their own place only', () => {
    expect(
      edited(
        BODY,
        textEdit(BODY, 'y', 'Y"'),
        { op: 'set', pointer: '/e', value: { k: [1] } },
        { op: 'set', pointer: '/new', value: true },
      ),
    ).toBe(
      '{ "n": 1.0, "big": 12345678901234567890, "e":{"k":[1]},\n\t"a" : [ "x", "Y\\"" ,"z" ], "u": "\\u00e9\\/","new":true }',
    );
    expect(edited(BODY, { op: 'remove', pointer: '/big' }, { op: 'remove', pointer: '/a/0' })).toBe(
      '{ "n": 1.0, "e":1e2,\n\t"a" : [ "y" ,"z" ], "u": "\\u00e9\\/" }',
    );
  });

  test('inside JSON arguments the rest of the arguments stays', () => {
    const inner = '{"to" : "jane", "n": 1.0, "deep":{"arguments":"{\\"q\\": \\"jane\\"}"}}';
    const source = `{"arguments":${JSON.stringify(inner)}, "x": 1.0}`;
    const { texts } = readDocument(source);
    const edits = texts.flatMap((text, index): DocumentEdit[] =>
      text.text === 'jane' ? [{ op: 'text', index, text: 'J"\\\n' }] : [],
    );
    expect(edits).toHaveLength(2);
    const result = edited(source, ...edits);
    expect(result).toMatch(/, "x": 1\.0\}$/);
    const args = (JSON.parse(result) as { arguments: string }).arguments;
    expect(args).toBe(
      '{"to" : "J\\"\\\\\\n", "n": 1.0, "deep":{"arguments":"{\\"q\\": \\"J\\\\\\"\\\\\\\\\\\\n\\"}"}}',
    );
    expect(JSON.parse(args)).toMatchObject({ to: 'J"\\\n' });
  });

  test('text of a data: URL is re-encoded in its string', () => {
    const source = JSON.stringify({ f: `a data:text/plain;base64,${Buffer.from('secret').toString('base64')} b` });
    expect(JSON.parse(edited(source, textEdit(source, 'secret', 'hidden')))).toEqual({
      f: `a data:text/plain;base64,${Buffer.from('hidden').toString('base64')} b`,
    });
  });
});

describe('removing and appending', () => {
  test.each([
    ['[1,2,3]', ['/0'], '[2,3]'],
    ['[1,2,3]', ['/2'], '[1,2]'],
    ['[1,2,3]', ['/0', '/2'], '[2]'],
    ['[1,2,3]', ['/1', '/2'], '[1]'],
    ['[1,2,3]', ['/0', '/1', '/2'], '[]'],
    ['{"a":1}', ['/a'], '{}'],
    ['{"a":1, "b":{"c":2,"d":3}}', ['/b/c', '/a'], '{"b":{"d":3}}'],
    ['{"a":{"b":1},"c":2}', ['/a/b', '/a'], '{"c":2}'],
  ])('%s without %j', (source, pointers, expected) => {
    expect(edited(source, ...pointers.map((pointer): DocumentEdit => ({ op: 'remove', pointer })))).toBe(expected);
  });

  test('the last member goes and another comes', () => {
    expect(edited('{"a":1,"b":2}', { op: 'remove', pointer: '/b' }, { op: 'set', pointer: '/c', value: 3 })).toBe(
      '{"a":1,"c":3}',
    );
    expect(edited('{"a":1}', { op: 'remove', pointer: '/a' }, { op: 'set', pointer: '/c', value: 3 })).toBe('{"c":3}');
    expect(edited('{}', { op: 'set', pointer: '/a', value: 1 }, { op: 'set', pointer: '/b', value: 2 })).toBe(
      '{"a":1,"b":2}',
    );
  });

  test('any set of removals and appends gives what editing the value gives', () => {
    const object = fc.dictionary(fc.stringMatching(/^[a-e]$/), fc.jsonValue(), { maxKeys: 5 });
    const names = fc.subarray(['a', 'b', 'c', 'd', 'e']);
    fc.assert(
      fc.property(object, names, fc.subarray(['x', 'y']), fc.boolean(), (value, removed, added, isPretty) => {
        const source = JSON.stringify(value, null, isPretty ? 2 : undefined);
        const present = removed.filter((name) => name in value);
        const result = edited(
          source,
          ...present.map((name): DocumentEdit => ({ op: 'remove', pointer: `/${name}` })),
          ...added.map((name): DocumentEdit => ({ op: 'set', pointer: `/${name}`, value: name })),
        );
        const kept = Object.entries(JSON.parse(source) as Record<string, JsonValue>).filter(
          ([name]) => !present.includes(name),
        );
        expect(JSON.parse(result)).toEqual(Object.fromEntries([...kept, ...added.map((name) => [name, name])]));
      }),
    );
  });
});

describe('conflicts and errors', () => {
  test('the outer of nested edits counts, set counts over text, the later set over the earlier', () => {
    const source = '{"a":{"b":"x"},"m":"x"}';
    expect(edited(source, { op: 'set', pointer: '/a', value: 1 }, textEdit(source, 'x', 'y'))).toBe('{"a":1,"m":"x"}');
    expect(edited('{"m":"x"}', textEdit('{"m":"x"}', 'x', 'y'), { op: 'set', pointer: '/m', value: 'z' })).toBe(
      '{"m":"z"}',
    );
    expect(edited('{"m":1}', { op: 'set', pointer: '/m', value: 2 }, { op: 'set', pointer: '/m', value: 3 })).toBe(
      '{"m":3}',
    );
  });

  test.each<DocumentEdit>([
    { op: 'set', pointer: '/x/y', value: 1 },
    { op: 'set', pointer: '/a/3', value: 1 },
    { op: 'set', pointer: 'a', value: 1 },
    { op: 'remove', pointer: '/x' },
    { op: 'remove', pointer: '' },
    { op: 'text', index: 99, text: '' },
  ])('%j leads nowhere', (edit) => {
    expect(() => edited('{"a":[1]}', edit)).toThrow(expect.objectContaining({ code: 'unknown_pointer' }));
  });

  test('a whole document can be set', () => {
    expect(edited('[1]', { op: 'set', pointer: '', value: { a: null } })).toBe('{"a":null}');
  });
});
