/** What is remembered between two looks at a text must not change what is found. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { compareFindings, dropExplained, moveFinding } from '../../redaction/finding.ts';
import type { Finding } from '../../redaction/finding.ts';
import { foldLetters } from '../../redaction/reading/letters.ts';
import { createReading } from '../../redaction/reading/reading.ts';
import { checkAssigned } from '../../redaction/recognizers/secrets/assigned.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { scan, START } from '../../redaction/scan.ts';

const analyzer = createAnalyzer();
const { profile } = analyzer;

/** Every reading scanned from end to end. */
function withoutMemory(text: string): readonly Finding[] {
  const reading = createReading();
  const derived = reading.push(text, true);
  const readings = [derived, foldLetters(derived)?.text ?? derived];
  const others = readings.flatMap((other) => scan(profile, other, START, true, Infinity).findings);
  const moved = others.map((one) => moveFinding(one, reading.startOf(one.start), reading.endOf(one.end)));
  const all = [...scan(profile, text, START, true, Infinity).findings, ...moved];
  return dropExplained(all.sort(compareFindings));
}

const context = fc.constantFrom(...new Set(STRICT.flatMap((one) => one.context)));
const value = fc.constantFrom(
  ...STRICT.map((one) => one.example),
  '612 345 678',
  '536221234',
  '1111-',
  '4111 411 ',
  '0049 ',
);
const change = fc.constantFrom('\u200b', 'а', '%34', '%20', '\u00a0', '\u2010', '１', '&amp;', '\\n', '𝟏', '\u0301');
const filler = fc.constantFrom(' and ', ', one two three four five six ', ' ', '.', '\n', 'word '.repeat(30));

test('readings are scanned where they differ, and nothing else can be found in them', () => {
  const long = fc.tuple(value, fc.nat(30)).map(([unit, count]) => unit.repeat(count));
  const part = fc.oneof(context, value, change, filler, filler, long);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const text = parts.join('');
      if (text.length > 32) expect(analyzer.analyze(text)).toEqual(withoutMemory(text));
    }),
    { numRuns: 3000 },
  );
});

test('a change anywhere in a value or its neighbourhood is noticed', () => {
  for (const { example } of STRICT)
    for (const sign of ['\u200b', 'а', '%41', '\u00a0'])
      for (const spaces of [1, 40, 90]) {
        const text = `tel ssn ${'. '.repeat(spaces)}${example} and so on ${' .'.repeat(60)}`;
        const at = Math.floor(text.length / 3);
        for (const place of [0, 4, 8 + 2 * spaces, 9 + 2 * spaces, at, 8 + 2 * spaces + example.length]) {
          const changed = text.slice(0, place) + sign + text.slice(place);
          expect(analyzer.analyze(changed)).toEqual(withoutMemory(changed));
        }
      }
});

test('what is assigned is judged the same whatever was looked at before it', () => {
  const word = fc.constantFrom(
    'pwd1:',
    'aB3dE6',
    '11',
    'xx',
    'example',
    'xxxx',
    'your_',
    '.',
    '&',
    'ab',
    '2024-',
    'кл',
    '%',
    'Q',
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 3, maxLength: 40 }),
      fc.array(fc.nat(9), { maxLength: 40 }),
      (words, steps) => {
        const text = words.join('');
        const spans: (readonly [start: number, end: number])[] = [];
        let start = 0;
        for (const [i, step] of steps.entries()) {
          start = Math.max(0, start + (i % 7 === 6 ? -step : step));
          spans.push([start, Math.min(text.length, start + 8 + ((i * 37) % 192))]);
        }
        const check = checkAssigned(text);
        const known = spans.map(([from, to]) => check.verify(from, to));
        check.end();
        const fresh = spans.map(([from, to]) => {
          const one = checkAssigned(text);
          const verdict = one.verify(from, to);
          one.end();
          return verdict;
        });
        expect(known).toEqual(fresh);
      },
    ),
    { numRuns: 500 },
  );
});
