import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseReader, formatSse, isBareEvent, readSse } from '../../../gateway/upstream/sse.ts';
import type { SseEvent } from '../../../gateway/upstream/upstream.ts';
import { collect } from './deployments.ts';

function readAll(bytes: Uint8Array, cuts: readonly number[] = []): SseEvent[] {
  const reader = createSseReader();
  const events: SseEvent[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    events.push(...reader.push(bytes.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  return [...events, ...reader.push(bytes.subarray(from)), ...reader.end()];
}

const dataOf = (text: string): (string | null)[] => readAll(Buffer.from(text)).map((event) => event.data);

describe('reading events', () => {
  // WHATWG HTML section 9.2.6, the examples and the grammar around them.
  test.each([
    ['line feeds', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['carriage returns with line feeds', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['carriage returns alone', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\r\ndata: c\r\n\r', ['a', 'b', 'c']],
    ['one space after the colon is not data', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['several data lines', 'data: YHOO\ndata: +2\ndata: 10\n\n', ['YHOO\n+2\n10']],
    ['empty data', 'data\n\ndata\ndata\n\n', ['', '\n']],
    ['comments and other fields', ': keep-alive\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n', [null, 'a']],
    ['fields that only begin like data', 'dataset: x\ndata: a\n\n', ['a']],
    ['blank lines between', '\n\ndata: a\n\n\n', [null, null, 'a', null]],
    ['a byte order mark', '\uFEFFdata: a\n\n', ['a']],
  ])('%s', (_name, text, expected) => {
    expect(dataOf(text)).toEqual(expected);
  });

  test('an event whose blank line is missing is given out with one', () => {
    for (const text of ['data: a\n\ndata: [DONE]', 'data: a\n\ndata: [DONE]\n', 'data: a\r\n\r\ndata: [DONE]\r']) {
      const events = readAll(Buffer.from(text));
      expect(events.map((event) => event.data)).toEqual(['a', '[DONE]']);
      expect(events.at(-1)?.raw).toMatch(/^data: \[DONE\](\n\n|\r\n)$/);
    }
  });

  test('keeps the exact text, cut at every byte', () => {
    const text =
      ': hi\r\n\r\ndata: {"a":"héllo 🌍"}\n\nevent: x\ndata: 1\r\ndata: 2\r\n\r\ndata: z\r\rdata: [DONE]\n\n';
    const bytes = Buffer.from(text);
    const whole = readAll(bytes);
    expect(whole.map((event) => event.raw).join('')).toBe(text);
    for (let cut = 0; cut <= bytes.length; cut++) expect(readAll(bytes, [cut])).toEqual(whole);
    expect(
      readAll(
        bytes,
        Array.from({ length: bytes.length }, (_, index) => index),
      ),
    ).toEqual(whole);
  });

  test('any text, cut anywhere, gives the same events', () => {
    const piece = fc.oneof(
      fc.constantFrom('data: ', 'data', ':', '\n', '\r', '\r\n', '\n\n', '🌍', 'é', '\uFEFF'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 12 }), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const inside = cuts.map((cut) => Math.min(cut, bytes.length));
        const whole = readAll(bytes);
        expect(readAll(bytes, inside)).toEqual(whole);
        expect(
          whole
            .map((event) => event.raw)
            .join('')
            .startsWith(bytes.toString()),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const joined = texts.map((text) => formatSse(text).raw).join('');
        const normal = (text: string): string => text.replace(/\r\n?/g, '\n');
        expect(dataOf(joined)).toEqual(texts.map(normal));
      }),
    );
  });

  test('invalid UTF-8 ends the stream, wherever it is cut', () => {
    for (const bad of [[0xff], [0xc3, 0x28], [0xf0, 0x9f, 0x8c], [0xed, 0xa0, 0x80], [0x80], [0xc0, 0xaf]]) {
      const bytes = Buffer.concat([Buffer.from('data: '), Buffer.from(bad), Buffer.from('\n\n')]);
      for (let cut = 0; cut <= bytes.length; cut++) expect(() => readAll(bytes, [cut])).toThrow(/invalid UTF-8/);
    }
    expect(() => readAll(Buffer.from([0x64, 0xe2, 0x82]))).toThrow(/invalid UTF-8/);
  });

  test('an event without end is refused, however it is cut', () => {
    const push = (size: number): void => {
      const reader = createSseReader(1000);
      for (let sent = 0; sent < 4000; sent += size) reader.push(Buffer.alloc(size, 'a'));
    };
    for (const size of [1, 7, 999, 2000]) expect(() => push(size)).toThrow(/larger than allowed/);
  });

  test('a long event costs the same however it is cut', () => {
    // Ten times the text in ten times the pieces: quadratic work would be a hundred times the time.
    const time = (chars: number): number => {
      const reader = createSseReader();
      const startMs = performance.now();
      for (let sent = 0; sent < chars; sent += 1000) reader.push(Buffer.alloc(1000, 'a'));
      reader.end();
      return performance.now() - startMs;
    };
    time(100_000);
    const short = time(1_000_000);
    expect(time(10_000_000)).toBeLessThan(60 * Math.max(short, 5));
  });

  test('only an event that is its data and nothing else is bare', () => {
    const bare = (text: string): boolean[] => readAll(Buffer.from(text)).map(isBareEvent);
    expect(bare('data: a\n\ndata:b\r\n\r\ndata: {"c":1}\r\r')).toEqual([true, true, true]);
    const hidden = [
      ': hidden\ndata: a\n\n',
      'data: a\n:hidden\n\n',
      'data: a\nid: 12345\n\n',
      'event: secret\ndata: a\n\n',
    ];
    for (const text of [...hidden, ': hidden\n\n', 'data: a\ndata: b\n\n']) expect(bare(text)).toEqual([false]);
  });

  test('ends when its chunks end', async () => {
    async function* chunks(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      yield Buffer.from('data: a\n');
      yield Buffer.from('\ndata: b');
    }
    expect(await collect(readSse(chunks()))).toEqual([
      { raw: 'data: a\n\n', data: 'a' },
      { raw: 'data: b\n\n', data: 'b' },
    ]);
  });
});
