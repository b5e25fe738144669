import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnalyzer, readDocument } from '../../redaction/index.ts';
import { KEYWORD } from '../../redaction/keywords.ts';
import { dropExplained } from '../../redaction/finding.ts';
import { parsePattern } from '../../redaction/pattern.ts';
import { countriesOf, planOf } from '../../redaction/recognizers/phone-plan.ts';
import type { Recognizer } from '../../redaction/recognizers/recognizer.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import { getCountryCallingCode } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';
import { isPlain } from '../../redaction/reading/reading.ts';
import { scan, START } from '../../redaction/scan.ts';
import { hostileText } from './texts.ts';

const analyzer = createAnalyzer();

function withOwnEnd(recognizer: Recognizer): Recognizer {
  const { verifyFrom } = recognizer;
  if (verifyFrom === undefined) return recognizer;
  const unitsOf = (match: string): Uint16Array => Uint16Array.from(`${match}\0`, (char) => char.charCodeAt(0));
  return { ...recognizer, verify: (match) => verifyFrom(unitsOf(match), 0) };
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user / 1000;
}

describe('findings', () => {
  test('do not depend on where a window ends', () => {
    const body = [...STRICT.map((one) => one.example), '4111 1111 1111 1111'].join(' and ');
    const expected = analyzer.analyze(body).map(({ type, start, end }) => [type, start, end]);
    for (let shift = 0; shift < 600; shift += 7) {
      const found = analyzer.analyze(`${'. '.repeat(shift)}${body}`);
      expect(found.map(({ type, start, end }) => [type, start - 2 * shift, end - 2 * shift])).toEqual(expected);
    }
  });

  test.each(STRICT.map((one) => [one.id, one.example] as const))(
    '%s alone is found wherever a window ends',
    (_, example) => {
      const expected = analyzer.analyze(`. ${example}`).map(({ type, start, end }) => [type, start, end]);
      for (let shift = 0; shift < 520; shift++) {
        const found = analyzer.analyze(`${'.'.repeat(shift)}. ${example}`);
        expect(found.map(({ type, start, end }) => [type, start - shift, end - shift])).toEqual(expected);
      }
    },
  );

  test('are the same with and without the filters in front', () => {
    const { profile } = analyzer;
    // Every expression by itself over every window; its match is what code has to find behind an opening.
    const recognizers = profile.recognizers.map((one) => ({ ...one, recognizer: withOwnEnd(one.recognizer) }));
    const unfiltered = { ...profile, survey: () => KEYWORD, hits: () => recognizers };
    fc.assert(
      fc.property(fc.array(hostileText, { maxLength: 8 }), (texts) => {
        const text = texts.join('');
        const expected = scan(unfiltered, text, START, true, Infinity).findings;
        expect(scan(profile, text, START, true, Infinity).findings).toEqual(expected);
        if (isPlain(text)) expect(analyzer.analyze(text)).toEqual(dropExplained(expected));
      }),
      { numRuns: 400 },
    );
  });

  test('are in order, inside the text, with integer scores', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        let last = 0;
        for (const { start, end, score } of analyzer.analyze(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(Number.isInteger(score) && score >= 350 && score <= 1000).toBe(true);
          last = start;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('stop at the limit; the rest of the text is one finding, behind everything known', () => {
    const text = 'a@x.com '.repeat(2000);
    const findings = createAnalyzer({ maxFindings: 1000 }).analyze(text);
    expect(findings.length).toBeGreaterThan(800);
    expect(findings.length).toBeLessThanOrEqual(1001);
    const rest = findings.at(-1);
    expect(rest).toMatchObject({ type: 'NOT_SCANNED', end: text.length });
    expect(findings.slice(0, -1).every(({ end }) => end <= (rest?.start ?? 0))).toBe(true);
  });
});

test('a text full of findings that explain each other is not looked at in silence to its end', () => {
  const { maxFindings } = analyzer;
  // Two findings each, of which one remains.
  const token = ['token=ghp', '16C7e42F292c6912E7710c838347Ae178B4a '].join('_');
  for (const disguise of ['', '\u200b', 'аb ']) {
    const text = `${(token + disguise).repeat(0.6 * maxFindings)} and jane@example.com`;
    const findings = analyzer.analyze(text);
    expect(findings.length).toBeLessThan(maxFindings);
    const { type, end } = findings.at(-1) ?? {};
    expect([type, end]).toEqual(['NOT_SCANNED', text.length]);
  }
});

test('a name with many digits takes no longer than others of its length', () => {
  const of = (length: number): string => `password=abcdef${'0123456789'.repeat(20).slice(0, length)}$ `;
  expect(analyzer.analyze(of(20))).toHaveLength(1);
  expect(cpuMs(() => analyzer.analyze(of(160)))).toBeLessThan(50);
});

describe('hostile texts take linear time', () => {
  const UNITS = [
    'a-',
    'a.',
    '1 ',
    '11 ',
    'a@',
    'a@b.',
    '://a:',
    'eyJ',
    'eyJ.',
    '-',
    '-----BEGIN ',
    '-----END ',
    'sk-',
    'DE12 ',
    '1:',
    '1.',
  ];
  test.each([...UNITS, '+1111111 ', '4111 ', 'data:'])('of "%s"', (unit) => {
    const sized = (chars: number): string => unit.repeat(Math.ceil(chars / unit.length));
    const [small, large] = [sized(25_000), sized(100_000)];
    analyzer.analyze(small);
    const one = Math.min(
      cpuMs(() => analyzer.analyze(small)),
      cpuMs(() => analyzer.analyze(small)),
    );
    const four = Math.min(
      cpuMs(() => analyzer.analyze(large)),
      cpuMs(() => analyzer.analyze(large)),
    );
    expect(four).toBeLessThan(10 * one + 40);
  });

  test.each([
    '0123456789 -.()+:/@=%_',
    'ABCDEFGHIJabcdefghij0123456789+/=',
    '0123456789abcdef:.@ ',
    'sk-ghp_AKIAeyJ:/@.- 01',
  ])('random text of %j does not exhaust the automaton', (alphabet) => {
    let seed = 1;
    const random = (): string => {
      seed = (seed * 48_271) % 2_147_483_647;
      return alphabet.charAt(seed % alphabet.length);
    };
    const noise = Array.from({ length: 200_000 }, random).join('');
    const prose = 'In 2024 the clocks were striking thirteen, and nobody cared about it. '.repeat(2900);
    analyzer.analyze(prose);
    const plain = Math.max(
      1,
      cpuMs(() => analyzer.analyze(prose)),
    );
    // With gates whose states multiply this takes more than 500 times as long.
    expect(cpuMs(() => analyzer.analyze(noise))).toBeLessThan(150 * plain + 100);
  });

  test.each(['[', '"\\\\', '\\"', '{"a":'])('of JSON made of %j', (unit) => {
    const read = (count: number): number =>
      cpuMs(() => {
        try {
          readDocument(`["${unit.repeat(count)}`);
        } catch {
          // Refused, which is fine; how long it takes is the point.
        }
      });
    read(10_000);
    expect(read(200_000)).toBeLessThan(10 * read(50_000) + 40);
  });
});

describe('patterns', () => {
  test.each(STRICT.map((one) => [one.id, one] as const))(
    'every prefix of a match of %s is known as one',
    (_, recognizer) => {
      const source = `${recognizer.head ?? ''}${recognizer.pattern}`;
      const { prefixes, maxLength } = parsePattern(source);
      const prefix = new RegExp(`^(?:${prefixes})$`);
      const match = new RegExp(source).exec(recognizer.example)?.[0] ?? '';
      expect(match.length).toBeGreaterThan(5);
      expect(match.length).toBeLessThanOrEqual(maxLength);
      for (let end = 0; end <= match.length; end++) expect(prefix.test(match.slice(0, end))).toBe(true);
      expect(prefix.test(`${match}\n`)).toBe(false);
    },
  );

  test.each(['a+', 'a*', '(?=a)', 'a|b+', '\\d', '[a', '(a', 'a)', 'a{1', '.', '^a', 'a{2,}'])(
    '%j is outside the language',
    (source) => {
      expect(() => parsePattern(source)).toThrow(expect.objectContaining({ code: 'invalid_pattern' }));
    },
  );
});

describe('numbering plans', () => {
  const numbers = Object.entries(examples) as [CountryCode, string][];

  test('accept the example number of every country', () => {
    expect(numbers.filter(([country, number]) => !planOf(country).accepts(number))).toEqual([]);
  });

  test('find it in the international form', () => {
    const missed = numbers.filter(([country, number]) => {
      const written = `+${getCountryCallingCode(country)}${number}`;
      return analyzer.analyze(`x ${written}.`)[0]?.end !== written.length + 2;
    });
    expect(missed).toEqual([]);
    expect(countriesOf('1')).toContain('US');
    expect(countriesOf('999')).toEqual([]);
  });
});
