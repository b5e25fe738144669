/**
 * A text made to keep the recognizers busy may take ten times as long as prose of its size, and no longer. `npm test` tries
 * every fourth of the texts; `npm run bench -- --only redaction` all of them, and prints the worst ten.
 */
import { expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { STRICT } from '../../redaction/recognizers/catalogue.ts';
import { prose } from '../bench/corpus.ts';
import { hostileSpeeds, slowestTexts } from './hostile-speed.ts';
import { hostileTexts } from './hostile.ts';

const MOST = 10;

test('hostile texts without hits take at most ten times as long as prose', () => {
  const { analyze } = createAnalyzer();
  const texts = hostileTexts(STRICT).filter((_, i) => i % 4 === 0);
  expect(texts.length).toBeGreaterThan(2500);
  const slowest = slowestTexts(analyze, texts, 25);
  expect(slowest).toHaveLength(25);
  const speeds = hostileSpeeds(analyze, slowest, prose(200_000, 0), { length: 60_000, rounds: 12, enough: MOST });
  expect(speeds.filter(({ ratio }) => ratio > MOST)).toEqual([]);
}, 120_000);
