/** What the whole analyzer of Presidio answered to generated sentences: words of context, options of a request. */
import { expect, test } from 'vitest';
import { createPresidioAnalyzer } from '../../../redaction/index.ts';
import type { PresidioRequest } from '../../../redaction/index.ts';
import { readRows } from './rows.ts';

interface EngineRow {
  readonly id: string;
  readonly request: Readonly<Record<string, unknown>> & { readonly text: string; readonly language: string };
  readonly observed: readonly Span[];
}

interface Span {
  readonly entity_type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

const rows = readRows('engine.jsonl', 'test/cases/presidio-observed') as unknown as EngineRow[];
const analyzer = createPresidioAnalyzer({ recognizers: 'default' });

function requestOf({ request }: EngineRow): PresidioRequest {
  return {
    ...request,
    adHocRecognizers: request['ad_hoc_recognizers'] ?? [],
    allowList: request['allow_list'] ?? [],
    allowListMatch: request['allow_list_match'] ?? 'exact',
    scoreThreshold: request['score_threshold'] ?? 0,
  } as PresidioRequest;
}

/** Results of equal score come in no order; telephone numbers were not recorded. */
function spansOf(results: readonly Span[]): string[] {
  return results
    .filter((one) => one.entity_type !== 'PHONE_NUMBER')
    .map((one) => `${String(one.start)}-${String(one.end)} ${one.entity_type} ${one.score.toFixed(4)}`)
    .sort();
}

test.each(rows)('$id', (row) => {
  expect(spansOf(analyzer.analyze(requestOf(row)))).toEqual(spansOf(row.observed));
});
