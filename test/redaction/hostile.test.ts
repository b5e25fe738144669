/**
 * A text made to keep the recognizers busy should take no more than ten times as long as prose of its size. One in seventy of
 * ten thousand takes longer, the worst 26 times (docs/decisions/0031-forms-by-one-automaton.md); a bound that holds on a busy
 * machine keeps it from growing. `npm test` tries every fourth of them; `npm run bench -- --only redaction` tries all and
 * prints the worst ten.
 */
import { expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { prose } from '../bench/corpus.ts';
import { hostileSpeeds, slowestTexts } from '../bench/hostile-speed.ts';
import { hostileTexts } from '../bench/hostile.ts';

const AIM = 10;
const BOUND = 40;

test('hostile texts without hits take at most forty times as long as prose', () => {
  const analyzer = createAnalyzer();
  const analyze = (text: string): readonly unknown[] => analyzer.analyze(text);
  const texts = hostileTexts(STRICT, (text) => analyze(text).length === 0).filter((_, i) => i % 4 === 0);
  expect(texts.length).toBeGreaterThan(3500);
  const slowest = slowestTexts(analyze, texts, 25);
  expect(slowest).toHaveLength(25);
  const speeds = hostileSpeeds(analyze, slowest, prose(200_000, 0), { length: 60_000, rounds: 12, enough: AIM });
  expect(speeds.filter(({ ratio }) => ratio > BOUND)).toEqual([]);
}, 240_000);
