/**
 * Evaluates recorded cases of Presidio, so that anyone can compare: one row in, what this product does with it out. The
 * shapes of what comes out are those the rows themselves use for what is expected or was observed.
 */
import { randomBytes } from 'node:crypto';
import { answerPresidio } from '../gateway/ingress/presidio-routes.ts';
import type { JsonValue, PresidioAnalyzer } from '../redaction/index.ts';
import {
  createPresidioAnalyzer,
  evaluateAnonymizerStep,
  evaluatePresidioCase,
  RedactionError,
} from '../redaction/index.ts';

export interface Members {
  [name: string]: JsonValue;
}

/** Results for one file of cases; the analyzer is made once. */
export interface CaseDesk {
  /** @throws RedactionError `unknown_case` for a row that needs what is not here */
  evaluate(row: Members): Promise<JsonValue>;
}

export function createCaseDesk(): CaseDesk {
  let analyzer: PresidioAnalyzer | null = null;
  return {
    evaluate: async (row) => {
      switch (row['kind']) {
        case 'anonymizer':
          return anonymizerCase(row);
        case 'rest.observed':
          return restCase(row, (analyzer ??= createPresidioAnalyzer({ recognizers: 'default' })));
        default:
          return evaluatePresidioCase(row);
      }
    },
  };
}

function anonymizerCase(row: Members): JsonValue {
  const steps = Array.isArray(row['steps']) ? row['steps'] : [];
  return steps.map((step) => {
    const { call, target, input } = membersOf(step);
    return evaluateAnonymizerStep({ call: textOf(call), target: textOf(target), input: input ?? null }, randomBytes);
  });
}

async function restCase(row: Members, analyzer: PresidioAnalyzer): Promise<JsonValue> {
  const { service, method, path, content_type: type, raw_body: body } = membersOf(row['request']);
  const answer = await answerPresidio(
    {
      method: textOf(method),
      // Both services are one here; which of them is asked makes a difference to the state of health alone.
      target: `/${textOf(service)}${textOf(path)}`,
      contentType: typeof type === 'string' ? type : undefined,
      body: () => Promise.resolve(textOf(body)),
    },
    { analyzer: () => analyzer, random: randomBytes },
  );
  const shape = { status: answer.status, content_type: answer.contentType };
  return answer.contentType === 'application/json'
    ? { ...shape, json: JSON.parse(answer.body) as JsonValue }
    : { ...shape, text: answer.body };
}

export function membersOf(value: JsonValue | undefined): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** What went wrong with one row, in the place of a result. */
export function failureOf(error: unknown): JsonValue {
  if (!(error instanceof RedactionError)) throw error;
  return { error: { type: error.code, message: error.message } };
}
