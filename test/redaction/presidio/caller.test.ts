import { describe, expect, test } from 'vitest';
import { createPresidioAnalyzer } from '../../../redaction/index.ts';
import type { PresidioRequest, PresidioResult } from '../../../redaction/index.ts';

const analyzer = createPresidioAnalyzer({ recognizers: 'default' });

const recognizerOf = (regex: string): object => ({
  name: 'own',
  supported_entity: 'OWN',
  supported_language: 'en',
  patterns: [{ name: 'one', regex, score: 0.5 }],
});

const analyze = (text: string, regex: string, more: Partial<PresidioRequest> = {}): PresidioResult[] =>
  analyzer.analyze({ text, language: 'en', entities: ['OWN'], adHocRecognizers: [recognizerOf(regex)], ...more });

const spans = (results: readonly PresidioResult[]): string[] =>
  results.map(({ start, end }) => `${String(start)}-${String(end)}`);

const attempt = (run: () => unknown): { code?: string; message?: string } => {
  try {
    run();
    return {};
  } catch (error) {
    return error as { code: string; message: string };
  }
};

describe('expressions of callers', () => {
  test.each([
    ['rocket \\d+', 'a Rocket 12 and rocket 7', ['2-11', '16-24']],
    ['(a|ab)(c|bcd)(d*)', 'abcd', ['0-4']],
    ['a+?', 'aaa', ['0-1', '1-2', '2-3']],
    ['^\\w+$', 'one\ntwo words\nthree', ['0-3', '14-19']],
    ['\\d{2,3}', '1 22 4444', ['2-4', '5-8']],
    ['(?<!\\d)\\d{4}(?!\\d)', '12345 6789', ['6-10']],
    ['[^a-c\\s]+', 'abcd e', ['3-4', '5-6']],
    ['\\bé\\w', 'é1 xé2', ['0-2']],
    ['🙂.', '🙂🙂x', ['0-2']],
    ['\\d', '٣ 3', ['0-1', '2-3']],
    ['(?i:A)b', 'ab', ['0-2']],
    ['x*', 'axxb', ['1-3']],
    ['[\\W\\d]+', 'a-1b', ['1-3']],
    ['(?P<year>\\d{4})-(?:\\d\\d)', 'in 2024-05', ['3-10']],
  ])('%s in %j', (regex, text, expected) => {
    expect(spans(analyze(text, regex).toSorted((a, b) => a.start - b.start))).toEqual(expected);
  });

  test.each([
    ['(', 'Invalid regex pattern: missing ) at position 1'],
    ['[a', 'Invalid regex pattern: unterminated character set at position 2'],
    ['*a', 'Invalid regex pattern: nothing to repeat at position 0'],
    ['a**', 'Invalid regex pattern: multiple repeat at position 1'],
    ['a{3,2}', 'Invalid regex pattern: min repeat greater than max repeat at position 2'],
    ['\\', 'Invalid regex pattern: bad escape (end of pattern) at position 1'],
    [')', 'Invalid regex pattern: unbalanced parenthesis at position 0'],
    ['(a)\\1', 'Invalid regex pattern: back-references are not supported at position 3'],
  ])('%s is refused', (regex, message) => {
    expect(attempt(() => analyze('x', regex))).toMatchObject({ code: 'invalid_request', message });
  });

  test('Python’s argument errors', () => {
    const ask = (adHoc: unknown): object =>
      attempt(() => analyzer.analyze({ text: 'x', language: 'en', adHocRecognizers: [adHoc] }));
    expect(ask({ deny_list: ['a'] })).toMatchObject({
      code: 'malformed_request',
      message:
        "Failed to parse /analyze request for AnalyzerEngine.analyze(). PatternRecognizer.__init__() missing 1 required positional argument: 'supported_entity'",
    });
    expect(ask({ supported_entity: 'A' })).toMatchObject({
      message: 'Pattern recognizer should be initialized with patterns or with deny list',
    });
    expect(ask({ supported_entity: 'A', patterns: [{ name: 'a' }] })).toMatchObject({
      message: expect.stringContaining("missing 2 required positional arguments: 'regex' and 'score'") as string,
    });
  });

  test.each(['(a+)+$', '(a|a)*b', '(x+x+)+y', '(?:a?){30}a{30}'])('%s stays linear', (regex) => {
    expect(analyze(`${'a'.repeat(20_000)}!`, regex).length).toBeLessThan(2000);
  });

  test.each([
    ['.*a|b', 'b'.repeat(10_000)],
    ['\\w+@x|\\w', 'w'.repeat(10_000)],
    ['(?:[ab]{0,40}){20}c', 'ab'.repeat(5_000)],
  ])('%s ends at its cap', (regex, text) => {
    expect(attempt(() => analyze(text, regex))).toMatchObject({ code: 'limit_exceeded' });
  });

  test('sizes are bounded', () => {
    const one = recognizerOf('a');
    const many = { text: 'x', language: 'en', adHocRecognizers: Array.from({ length: 33 }, () => one) };
    expect(attempt(() => analyzer.analyze(many))).toMatchObject({ code: 'limit_exceeded' });
    expect(attempt(() => analyze('x', 'a'.repeat(2001)))).toMatchObject({ code: 'limit_exceeded' });
    expect(attempt(() => analyze('x', '((a{1000}){1000}){1000}'))).toMatchObject({ code: 'limit_exceeded' });
    expect(attempt(() => analyze('x', 'a{1001}'))).toMatchObject({ code: 'limit_exceeded' });
    expect(attempt(() => analyze('x', '('.repeat(200)))).toMatchObject({ code: 'invalid_request' });
  });
});

describe('lists', () => {
  const denied = (text: string, list: string[]): string[] =>
    spans(
      analyzer.analyze({
        text,
        language: 'en',
        entities: ['T'],
        adHocRecognizers: [{ supported_entity: 'T', deny_list: list }],
      }),
    );

  test('denied words stand free of other word characters', () => {
    expect(denied('Mr. Mrs mr.x (MR)', ['Mr.', 'mr'])).toEqual(
      ['0-3', '14-16', '8-10'].toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
    );
    expect(denied('éMr Mré 🙂Mr', ['Mr'])).toEqual(['9-11']);
  });

  test('allowed texts', () => {
    const ask = (more: Partial<PresidioRequest>): number =>
      analyzer.analyze({ text: 'bing.com and azure.com', language: 'en', ...more }).length;
    expect(ask({})).toBe(2);
    expect(ask({ allowList: ['bing.com'] })).toBe(1);
    expect(ask({ allowList: ['BING'], allowListMatch: 'regex' })).toBe(1);
    expect(ask({ allowList: ['BING'], allowListMatch: 'regex', regexFlags: 0 })).toBe(2);
    expect(ask({ allowList: ['', ''], allowListMatch: 'regex' })).toBe(2);
    expect(attempt(() => ask({ allowList: ['('], allowListMatch: 'regex' }))).toMatchObject({
      message: 'missing ) at position 1',
    });
    expect(attempt(() => ask({ allowList: ['x'], allowListMatch: 'fuzzy' as 'exact' }))).toMatchObject({
      message: "allow_list_match must either be set to 'exact' or 'regex'.",
    });
  });
});

describe('the request', () => {
  test('context words of the caller, threshold, unknown entities, languages', () => {
    const text = 'number 912803456';
    const ask = (more: Partial<PresidioRequest>): PresidioResult[] =>
      analyzer.analyze({ text, language: 'en', entities: ['US_PASSPORT', 'NONE'], ...more });
    expect(ask({}).map(({ score }) => score)).toEqual([0.05]);
    expect(ask({ context: ['Passport'] }).map(({ score }) => score)).toEqual([0.4]);
    expect(ask({ scoreThreshold: 0.1 })).toEqual([]);
    const none = 'No matching recognizers were found to serve the request.';
    expect(attempt(() => ask({ entities: ['NONE'] }))).toMatchObject({ message: none });
    expect(attempt(() => ask({ language: 'zz' }))).toMatchObject({ message: none });
    expect(attempt(() => analyzer.supportedEntities('zz'))).toMatchObject({ message: none });
    expect(analyzer.recognizers('pl')).toEqual(['CreditCardRecognizer', 'PlPeselRecognizer']);
  });

  test('offsets count code points', () => {
    const [found] = analyzer.analyze({ text: '𝒳🙂 日本 a@example.com', language: 'en', entities: ['EMAIL_ADDRESS'] });
    expect([found?.start, found?.end]).toEqual([6, 19]);
  });
});
