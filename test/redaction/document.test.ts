import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDocument, RedactionError } from '../../redaction/index.ts';

function texts(source: string): [string, string][] {
  return readDocument(source).texts.map((text) => [text.isKey ? `${text.pointer} (key)` : text.pointer, text.text]);
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof RedactionError) return error.code;
    throw error;
  }
  return 'none';
}

/** Every string of a JSON value, the plain way. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  // Long numbers are texts too.
  if (typeof value === 'number') return /^-?[0-9]{7}/.test(JSON.stringify(value)) ? [JSON.stringify(value)] : [];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...stringsOf(member)]);
}

describe('texts', () => {
  test('are all strings and member names, with RFC 6901 pointers', () => {
    expect(texts('{"a/b":{"c~d":["x",1,null,{"":"y"}]}}')).toEqual([
      ['/a~1b (key)', 'a/b'],
      ['/a~1b/c~0d (key)', 'c~d'],
      ['/a~1b/c~0d/0', 'x'],
      ['/a~1b/c~0d/3/ (key)', ''],
      ['/a~1b/c~0d/3/', 'y'],
    ]);
  });

  test('are decoded', () => {
    expect(texts('["\\u006aane\\u0040example.com \\ud83d\\ude00 \\n \\" \\\\"]')).toEqual([
      ['/0', 'jane@example.com 😀 \n " \\'],
    ]);
  });

  test('are found in any JSON, as the plain parser finds them', () => {
    const json = fc.json().filter((source) => !source.includes('data:') && !source.includes('arguments'));
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (source, indent) => {
        const value: unknown = JSON.parse(source);
        const document = readDocument(JSON.stringify(value, null, indent));
        expect(document.texts.map((text) => text.text).sort()).toEqual(stringsOf(value).sort());
        expect(document.value).toEqual(value);
      }),
    );
  });

  test('inside JSON-encoded arguments are texts of their own', () => {
    const inner = JSON.stringify({ to: 'jane@example.com', n: 1, list: ['a"b'] });
    expect(texts(JSON.stringify({ function: { arguments: inner } })).slice(2)).toEqual([
      ['/function/arguments#/to (key)', 'to'],
      ['/function/arguments#/to', 'jane@example.com'],
      ['/function/arguments#/n (key)', 'n'],
      ['/function/arguments#/list (key)', 'list'],
      ['/function/arguments#/list/0', 'a"b'],
    ]);
  });

  test.each(['', 'not json', '{"a":', '4111111111111111', 'null'])(
    'arguments %j that hold no JSON text are plain text',
    (text) => {
      expect(texts(JSON.stringify({ arguments: text })).at(-1)).toEqual(['/arguments', text]);
    },
  );

  test('of numbers with an exponent are written out where they are long enough to be somebody’s', () => {
    const numbers =
      '4.111111111111111E15 41111111111111115e-1 -0.00536221234e11 1.5e9 1.234567e30 1.234567e-3 12345678E0';
    expect(texts(`[${numbers.replaceAll(' ', ',')}]`).map(([, text]) => text)).toEqual([
      '4111111111111111',
      '4111111111111111.5',
      '-536221234',
      '12345678',
    ]);
    // Many zeros cost no more than other digits.
    expect(texts(`[1234567.${'0'.repeat(1_000_000)}1e0]`)[0]?.[1]).toHaveLength(1_000_009);
  });

  test('of text data: URLs are decoded', () => {
    const base64 = Buffer.from('SSN 536-22-1234').toString('base64');
    expect(texts(JSON.stringify({ x: `see data:text/plain;base64,${base64} ok` })).slice(1)).toEqual([
      ['/x', `see data:text/plain;base64,${base64} ok`],
      ['/x#data', 'SSN 536-22-1234'],
    ]);
    expect(texts('["data:,x","data:text/html,jane%40example.com"]').at(-1)).toEqual(['/1#data', 'jane@example.com']);
  });
});

describe('refused', () => {
  test.each([
    ['', 'invalid_json'],
    ['{', 'invalid_json'],
    ['{"a":1,}', 'invalid_json'],
    ['[1,]', 'invalid_json'],
    ['[1 2]', 'invalid_json'],
    ['{"a" 1}', 'invalid_json'],
    ["{'a':1}", 'invalid_json'],
    ['[01]', 'invalid_json'],
    ['[.5]', 'invalid_json'],
    ['[NaN]', 'invalid_json'],
    ['[tru]', 'invalid_json'],
    ['["\t"]', 'invalid_json'],
    ['["\\x"]', 'invalid_json'],
    ['["\\ud83"]', 'invalid_json'],
    ['["a]', 'invalid_json'],
    ['[] []', 'invalid_json'],
    ['\ufeff[]', 'invalid_json'],
    ['// c\n[]', 'invalid_json'],
    ['{"a":1,"a":2}', 'duplicate_key'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key'],
    ['{"b":{"__proto__":1,"__proto__":2}}', 'duplicate_key'],
    ['{"arguments":"{\\"a\\":1,\\"a\\":2}"}', 'duplicate_key'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'too_deep'],
    ['['.repeat(1_000_000), 'too_deep'],
  ])('%.40j is %s', (source, code) => {
    expect(codeOf(() => readDocument(source))).toBe(code);
  });

  test('duplicates also in large objects', () => {
    const members = Array.from({ length: 100 }, (_, i) => `"k${String(i)}":1`);
    expect(codeOf(() => readDocument(`{${members.join(',')}}`))).toBe('none');
    expect(codeOf(() => readDocument(`{${[...members, '"k3":2'].join(',')}}`))).toBe('duplicate_key');
  });

  test('more texts than the limit', () => {
    expect(codeOf(() => readDocument('["a","b","c"]', { maxTexts: 2 }))).toBe('too_many_texts');
    expect(codeOf(() => readDocument('["a","b"]', { maxTexts: 2 }))).toBe('none');
  });

  test('JSON nested through argument strings counts as depth', () => {
    let source = '{}';
    for (let i = 0; i < 5; i++) source = JSON.stringify({ arguments: source });
    expect(codeOf(() => readDocument(source, { maxDepth: 8 }))).toBe('too_deep');
    expect(codeOf(() => readDocument(source))).toBe('none');
  });

  test('exactly what the plain parser refuses', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', '{', '\\', '1', ' '))
      .map(([source, at, char]) => {
        const place = at % (source.length + 1);
        return source.slice(0, place) + char + source.slice(place + 1);
      });
    fc.assert(
      fc.property(broken, (source) => {
        let isValid = true;
        try {
          JSON.parse(source);
        } catch {
          isValid = false;
        }
        const code = codeOf(() => readDocument(source));
        // A name that stands twice may be refused before what is wrong behind it.
        if (isValid) expect(['none', 'duplicate_key']).toContain(code);
        else expect(code).not.toBe('none');
      }),
      { numRuns: 500 },
    );
  });

  test('the message never quotes the body', () => {
    expect(() => readDocument('{"secret-value": tru}')).toThrow(/^(?!.*secret-value)/);
  });
});

test('a member __proto__ is an own property and changes no prototype', () => {
  const { value } = readDocument('{"__proto__":{"polluted":1}}');
  expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
  expect((value as { polluted?: number }).polluted).toBeUndefined();
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

describe('attachments', () => {
  const part = (content: unknown): string => JSON.stringify({ messages: [{ role: 'user', content: [content] }] });
  const read = (content: unknown) => {
    const { attachments, urls } = readDocument(part(content));
    return { attachments: attachments.map(({ modality, source }) => `${modality} ${source}`), urls };
  };

  test.each([
    [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }, ['image data_url']],
    [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }, ['image remote_url']],
    [{ type: 'image_url', image_url: 'https://example.com/a.png' }, ['image remote_url']],
    [{ type: 'image_url', image_url: { url: 'data:image/png' } }, ['image remote_url']],
    [{ type: 'text', image_url: { url: 'https://example.com/a.png' } }, ['image remote_url']],
    [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }, ['audio base64']],
    [
      { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' } },
      ['file data_url'],
    ],
    [{ type: 'file', file: { file_data: 'JVBERi0=' } }, ['file base64']],
    [{ type: 'file', file: { file_id: 'file-1' } }, ['file file_id']],
    [{ type: 'input_image', image_url: 'https://example.com/a.png' }, ['image remote_url']],
    [{ type: 'input_file', file_id: 'file-1' }, ['file file_id']],
    [
      { type: 'text', text: '![x](data:image/gif;base64,R0lGOD==) and data:video/mp4;base64,AAAA' },
      ['image data_url', 'video data_url'],
    ],
    [{ type: 'text', text: 'data:text/plain;base64,/////w==' }, ['file data_url']],
    [{ type: 'text', text: 'data:text/html,%3Cimg%20src=data:image/png;base64,iVBORw0KGgo=%3E' }, ['image data_url']],
    [{ type: 'text', text: 'data:text/plain;charset=utf-16;base64,AGEA' }, ['file data_url']],
    [{ type: 'image_url', image_url: { url: 'DATA:IMAGE/SVG+XML;base64,PHN2Zz4=' } }, ['image data_url']],
    [{ type: 'text', text: 'metadata: image/png, nothing here' }, []],
  ])('%j', (content, expected) => {
    expect(read(content).attachments).toEqual(expected);
  });

  test('only remote URLs of attachments are listed', () => {
    expect(read({ type: 'text', text: 'https://example.com' }).urls).toEqual([]);
    expect(read({ type: 'image_url', image_url: { url: 'http://10.0.0.1/a' } }).urls).toEqual([
      { scheme: 'http', host: '10.0.0.1', private: true },
    ]);
  });
});
