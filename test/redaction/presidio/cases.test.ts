import { describe, expect, test } from 'vitest';
import { evaluate, readRows } from './rows.ts';

/** Rows that differ, each with what Presidio did and what we do. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([]);

const FILES = [
  'analyzer_recognizers.jsonl',
  'analyzer_validators.jsonl',
  'analyzer_context.jsonl',
  'observed_unicode.jsonl',
];

describe('recorded behaviour of Presidio', () => {
  test.each(FILES)('%s', (file) => {
    const outcomes = readRows(file).map(evaluate);
    const wrong = outcomes.filter(({ row, verdict }) => verdict === 'wrong' && !EXCEPTIONS.has(row.id));
    const excluded = outcomes.filter(({ verdict }) => verdict === 'excluded');
    const judged = outcomes.length - excluded.length;
    process.stdout.write(`${file}: ${String(judged - wrong.length)} of ${String(judged)} as recorded; excluded:\n`);
    for (const { row, got } of excluded) process.stdout.write(`  ${row.id}: ${JSON.stringify(got)}\n`);
    expect(
      wrong.map(({ row, got }) => ({ id: row.id, text: row.text, expect: row.expect ?? row.observed, got })),
    ).toEqual([]);
  });
});

test('what Presidio answers to generated texts', () => {
  const outcomes = readRows('generated.jsonl', 'test/cases/presidio-observed').map(evaluate);
  const wrong = outcomes.filter(({ verdict }) => verdict !== 'right');
  expect(outcomes.length).toBeGreaterThan(500);
  expect(wrong.map(({ row, got }) => ({ id: row.id, text: row.text, observed: row.observed, got }))).toEqual([]);
});
