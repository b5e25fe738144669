import { describe, expect, test } from 'vitest';
import { createPresidioAnalyzer } from '../../../redaction/index.ts';
import type { PresidioRequest } from '../../../redaction/index.ts';
import { RECOGNIZERS } from '../../../redaction/presidio/registry.ts';
import { recognize } from '../../../redaction/presidio/recognize.ts';
import { readRows } from './rows.ts';

const analyzer = createPresidioAnalyzer({ recognizers: 'default' });

describe('recorded requests', () => {
  const rows = readRows('observed_rest.jsonl') as unknown as RestRow[];
  const analyses = rows.filter(
    ({ request }) => request.service === 'analyzer' && request.path === '/analyze' && request.method === 'POST',
  );

  test.each(analyses)('$id', ({ request, observed }) => {
    expect(answer(JSON.parse(request.raw_body) as Body)).toEqual(observed.json);
  });
});

interface RestRow {
  readonly id: string;
  readonly request: { service: string; path: string; method: string; raw_body: string };
  readonly observed: { json: unknown };
}

type Body = Readonly<Record<string, unknown>>;

/** What a server makes of the analyzer's answer. */
function answer(body: Body): unknown {
  try {
    const results = analyzer.analyze({
      text: '',
      language: '',
      ...body,
      adHocRecognizers: body['ad_hoc_recognizers'] ?? [],
      returnDecisionProcess: body['return_decision_process'] === true,
    } as PresidioRequest);
    return results.map(({ analysis_explanation, end, entity_type, score, start }) => ({
      analysis_explanation,
      end,
      entity_type,
      score,
      start,
    }));
  } catch (error) {
    return { error: (error as Error).message };
  }
}

describe('every recognizer', () => {
  test.each(RECOGNIZERS)('$name finds its $entity', (recognizer) => {
    const found = recognize(recognizer, `(${recognizer.example}) `);
    expect(found.some(({ start, end }) => start <= 1 && end >= recognizer.example.length + 1)).toBe(true);
  });

  test('73 classes of patterns, and telephone numbers three times', () => {
    const names = RECOGNIZERS.map(({ name }) => name).filter((name) => name !== 'PhoneRecognizer');
    expect([names.length, new Set(names).size, RECOGNIZERS.length]).toEqual([73, 73, 76]);
  });
});
