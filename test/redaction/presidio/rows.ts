/** Recorded cases and how a found value is compared with what a row expects. */
import { readFileSync } from 'node:fs';
import { evaluatePresidioCase, RedactionError } from '../../../redaction/index.ts';
import type { JsonValue } from '../../../redaction/index.ts';

export interface Row {
  readonly id: string;
  readonly kind: string;
  readonly recognizer: string;
  readonly entity: string | null;
  readonly entities: readonly string[] | null;
  readonly text: string;
  readonly order: string;
  readonly observed: JsonValue;
  readonly expect: Expected;
}

interface Expected {
  readonly count?: number | null;
  readonly spans?: readonly ExpectedSpan[];
  readonly equals?: JsonValue;
  readonly extra?: { contains_entity_type?: string[]; lacks_entity_type?: string[] };
}

interface ExpectedSpan {
  readonly index: number;
  readonly entity_type?: string | null;
  readonly start?: number | null;
  readonly end?: number | null;
  readonly score?: number | null;
  readonly score_min?: number | null;
  readonly score_max?: number | null;
}

interface Span {
  readonly entity_type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

const DIRECTORY = process.env['PRESIDIO_CASES'] ?? 'test/cases/presidio';

/** `directory`: default the recorded cases of Presidio's own tests. */
export function readRows(file: string, directory = DIRECTORY): Row[] {
  const lines = readFileSync(`${directory}/${file}`, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Row);
}

export interface Outcome {
  readonly row: Row;
  readonly verdict: 'right' | 'wrong' | 'excluded';
  readonly got: JsonValue;
}

export function evaluate(row: Row): Outcome {
  try {
    const got = evaluatePresidioCase(row as unknown as { [key: string]: JsonValue });
    return { row, verdict: isRight(row, got) ? 'right' : 'wrong', got };
  } catch (error) {
    if (!(error instanceof RedactionError)) throw error;
    return { row, verdict: error.code === 'unknown_case' ? 'excluded' : 'wrong', got: error.message };
  }
}

function isRight(row: Row, got: JsonValue): boolean {
  if (row.kind === 'recognizer.observed') return canonical(got) === canonical(row.observed);
  if (row.kind === 'recognizer.method') return JSON.stringify(got) === JSON.stringify(row.expect.equals ?? null);
  if (row.kind === 'context') return hasRisen(got as unknown as ContextScores);
  return isAsExpected(row, got as unknown as Span[]);
}

/** Recorded results of equal score come in no order. */
function canonical(value: JsonValue): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const spans = (value as unknown as Span[]).map((one) => [one.start, one.end, one.entity_type, one.score.toFixed(6)]);
  return JSON.stringify(spans.sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1])));
}

interface ContextScores {
  readonly score_without_context: readonly number[];
  readonly score_with_context: readonly number[];
}

function hasRisen({ score_without_context: before, score_with_context: after }: ContextScores): boolean {
  return after.length === before.length && after.every((score, at) => score > (before[at] ?? 0) || before[at] === 1);
}

function isAsExpected({ expect, order }: Row, got: readonly Span[]): boolean {
  const sorted = order === 'result' ? got : got.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const types = got.map((one) => one.entity_type);
  if (expect.count !== undefined && expect.count !== null && got.length !== expect.count) return false;
  if (expect.extra?.contains_entity_type?.some((type) => !types.includes(type)) === true) return false;
  if (expect.extra?.lacks_entity_type?.some((type) => types.includes(type)) === true) return false;
  return (expect.spans ?? []).every((span) => isSpan(span, sorted[span.index]));
}

function isSpan(expected: ExpectedSpan, got: Span | undefined): boolean {
  if (got === undefined) return false;
  return (
    got.start === (expected.start ?? got.start) &&
    got.end === (expected.end ?? got.end) &&
    got.entity_type === (expected.entity_type ?? got.entity_type) &&
    Math.abs(got.score - (expected.score ?? got.score)) < 1e-9 &&
    got.score >= (expected.score_min ?? 0) &&
    got.score <= (expected.score_max ?? 1)
  );
}
