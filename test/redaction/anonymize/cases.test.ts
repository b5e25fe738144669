/** Recorded behaviour of Presidio's anonymizer, row by row. */
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { evaluateAnonymizerStep } from '../../../redaction/index.ts';
import type { AnonymizerStep, JsonValue } from '../../../redaction/index.ts';

type Json = Record<string, unknown>;

interface Step extends AnonymizerStep {
  readonly expect: Json;
}

interface Row {
  readonly id: string;
  readonly steps: readonly Step[];
}

const rows = readFileSync('test/cases/presidio/anonymizer.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((part, step) => (part as Record<string | number, unknown>)[step], value);
}

/** Each stated expectation of a step against what all steps gave. */
function check(step: Step, got: Json, all: readonly Json[]): void {
  const { expect: wanted } = step;
  for (const name of ['text', 'value'] as const) if (name in wanted) expect(got[name]).toEqual(wanted[name]);
  if ('json' in wanted) expect(got).toEqual(wanted['json']);
  if ('item_count' in wanted) expect(got['items']).toHaveLength(wanted['item_count'] as number);
  if ('items_unordered' in wanted) {
    const sorted = (items: unknown): string[] => (items as Json[]).map((item) => JSON.stringify(item)).sort();
    expect(sorted(got['items'])).toEqual(sorted(wanted['items_unordered']));
  }
  if ('truthy' in wanted) expect(got['value']).toBe(true);
  if ('falsy' in wanted) expect(got['value']).toBe(false);
  if ('no_error' in wanted) expect(got).not.toHaveProperty('error');
  if ('error' in wanted) {
    const { type, match, message } = wanted['error'] as { type: string; match: string | null; message?: string };
    expect((got['error'] as Json)['type']).toBe(type);
    if (match !== null) expect((got['error'] as Json)['message']).toMatch(new RegExp(match));
    if (message !== undefined) expect((got['error'] as Json)['message']).toBe(message);
  } else expect(got['error']).toBeUndefined();
  for (const assertion of (wanted['assertions'] ?? []) as Json[]) {
    const value = at(got, assertion['path'] as string[]);
    const equals = assertion['equals'] as Json | undefined;
    if (equals !== undefined) expect(value).toEqual(unordered(equals));
    if ('not_equals' in assertion) expect(value).not.toEqual(assertion['not_equals']);
    if ('length' in assertion) expect(value).toHaveLength(assertion['length'] as number);
  }
  for (const relation of (wanted['relations'] ?? []) as Json[]) {
    const other = at(all[relation['other_call'] as number], relation['other_path'] as string[]);
    const same = at(got, relation['path'] as string[]) === other;
    expect(same).toBe(relation['is'] === 'equal');
  }
}

function unordered(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '$unordered' in value ? value.$unordered : value;
}

test('every recorded case of the anonymizer', () => {
  const missed: string[] = [];
  for (const { id, steps } of rows) {
    const got = steps.map((step) => evaluateAnonymizerStep(step, randomBytes) as Record<string, JsonValue>);
    try {
      steps.forEach((step, index) => check(step, got[index] ?? {}, got));
    } catch (error) {
      missed.push(`${id}: ${error instanceof Error ? error.message : ''}`);
    }
  }
  console.log(`anonymizer: ${String(rows.length - missed.length)} of ${String(rows.length)} recorded cases`);
  expect(missed).toEqual([]);
});

test.each([
  ['lambda x: f"<{x}>"', '<Jane>'],
  ["lambda text: '(' + text.upper() + ')'", '(JANE)'],
  ['lambda x: x[::-1]', 'enaJ'],
  ['lambda x: len(x)', 'Function return type must be a str'],
  ['lambda x: __import__("os").system("true")', 'Expected a constant'],
])('custom with %s', (source, expected) => {
  const input = {
    method: 'anonymize',
    text: 'Jane',
    analyzer_results: [{ start: 0, end: 4, score: 1, entity_type: 'PERSON' }],
    operators: { DEFAULT: { type: 'custom', lambda: { $lambda: source } } },
  };
  const got = evaluateAnonymizerStep({ call: 'engine', target: 'AnonymizerEngine', input }, randomBytes);
  expect(JSON.stringify(got)).toContain(expected);
});
