/**
 * A text made to keep the recognizers busy should take no more than ten times as long as prose of its size. Of twelve thousand
 * a dozen still take up to twenty times (docs/decisions/0030-forms-by-one-automaton.md). `npm test` tries every fourth
 * of them; `npm run bench -- --only redaction` tries all and prints the worst ten.
 */
import { expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { prose } from '../bench/corpus.ts';
import { hostileSpeeds, slowestTexts } from '../bench/hostile-speed.ts';
import { hostileTexts } from '../bench/hostile.ts';

const AIM = 10;
/** Texts of the fourth that is tried which may take longer, and how much longer. */
const EXCEPTIONS = 16;
const WORST = 40;

test('hostile texts without hits take at most ten times as long as prose', () => {
  const analyzer = createAnalyzer();
  const analyze = (text: string): readonly unknown[] => analyzer.analyze(text);
  const texts = hostileTexts(STRICT).filter((_, i) => i % 4 === 0);
  expect(texts.length).toBeGreaterThan(2500);
  const slowest = slowestTexts(analyze, texts, 25);
  expect(slowest).toHaveLength(25);
  const speeds = hostileSpeeds(analyze, slowest, prose(200_000, 0), { length: 60_000, rounds: 12, enough: AIM });
  const slower = speeds.filter(({ ratio }) => ratio > AIM);
  expect(slower.slice(EXCEPTIONS)).toEqual([]);
  expect(slower.filter(({ ratio }) => ratio > WORST)).toEqual([]);
}, 120_000);
