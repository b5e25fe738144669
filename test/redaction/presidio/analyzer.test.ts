import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPresidioAnalyzer, RedactionError } from '../../../redaction/index.ts';
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

describe('any text', () => {
  const all = createPresidioAnalyzer({ recognizers: 'all' });
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(...Array.from('0123456789 -.:/@aAbBzZ"\'+()_%#éß号٣３🙂\ud800\u0301\u200b\n')),
      maxLength: 40,
    }),
    fc.constantFrom(...RECOGNIZERS.map(({ example }) => example)),
  );

  test('results lie in the text, in order, and only known errors are thrown', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('en', 'de', 'it', 'ko'),
        (pieces, language) => {
          const text = pieces.join('');
          const length = Array.from(text).length;
          try {
            const results = all.analyze({ text, language, returnDecisionProcess: true });
            for (const { start, end, score } of results) {
              expect(start >= 0 && start < end && end <= length).toBe(true);
              expect(score > 0 && score <= 1).toBe(true);
            }
            expect(results.map(({ score }) => score)).toEqual(
              results.map(({ score }) => score).toSorted((a, b) => b - a),
            );
          } catch (error) {
            if (!(error instanceof RedactionError)) throw error;
            expect(text === '' ? 'invalid_request' : 'recognizer_failed').toBe(error.code);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
