/** Presidio's anonymizer service: a parsed body in, the answer out. */
import type { AnonymizedText, JsonValue } from '../../redaction/index.ts';
import {
  anonymizeText,
  deanonymizeText,
  readAnalyzerResults,
  readAnonymizedItems,
  readOperatorConfigs,
  RedactionError,
} from '../../redaction/index.ts';
import type { Entity } from '../../redaction/index.ts';
import { errorAnswer, jsonAnswer } from './presidio-answer.ts';
import type { PresidioAnswer } from './presidio-answer.ts';

/** Bounds of one request; beyond them the answer is 413. */
const MAX_TEXT_CHARS = 1_048_576;
const MAX_RESULTS = 10_000;

export type RandomBytes = (bytes: number) => Uint8Array;

/** `POST /anonymize`. */
export function anonymizeAnswer(body: JsonValue, random: RandomBytes): PresidioAnswer {
  return answerFor(body, (members) => {
    const configs = readOperatorConfigs(members['anonymizers']);
    if ([...configs.values()].some(({ name }) => name === 'custom')) {
      return errorAnswer(400, 'Custom type anonymizer is not supported');
    }
    const results = readAnalyzerResults(bounded(members['analyzer_results']));
    return changed(members['text'], results, (text) => anonymizeText(text, results, configs, { random }));
  });
}

/** `POST /deanonymize`. */
export function deanonymizeAnswer(body: JsonValue, random: RandomBytes): PresidioAnswer {
  return answerFor(body, (members) => {
    const items = readAnonymizedItems(bounded(members['anonymizer_results']));
    const configs = readOperatorConfigs(members['deanonymizers']);
    return changed(members['text'], items, (text) => deanonymizeText(text, items, configs, { random }));
  });
}

type Members = Readonly<Record<string, JsonValue | undefined>>;

function answerFor(body: JsonValue, answer: (members: Members) => PresidioAnswer): PresidioAnswer {
  if (isEmpty(body)) return errorAnswer(400, 'Invalid request json');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return internalError();
  try {
    return answer(body);
  } catch (error) {
    if (!(error instanceof RedactionError)) throw error;
    if (error.code === 'invalid_request') return errorAnswer(422, error.message);
    if (error.code === 'limit_exceeded') return errorAnswer(413, error.message);
    return internalError();
  }
}

function changed(
  text: JsonValue | undefined,
  entities: readonly Entity[],
  change: (text: string) => AnonymizedText,
): PresidioAnswer {
  if (typeof text === 'object' && text !== null) {
    // Presidio looks at the text only where there is something to replace.
    return entities.length === 0 ? jsonAnswer(200, { text, items: [] }) : internalError();
  }
  if (text !== undefined && typeof text !== 'string') return internalError();
  if (text !== undefined && text.length > MAX_TEXT_CHARS) {
    return errorAnswer(413, `Expected a text of at most ${String(MAX_TEXT_CHARS)} characters, found a longer one.`);
  }
  return jsonAnswer(200, change(text ?? ''));
}

function internalError(): PresidioAnswer {
  return errorAnswer(500, 'Internal server error');
}

/** Nothing, as Python sees it. */
function isEmpty(body: JsonValue): boolean {
  return typeof body === 'object' && body !== null ? Object.keys(body).length === 0 : !body;
}

function bounded(results: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(results) || results.length <= MAX_RESULTS) return results;
  throw new RedactionError(
    'limit_exceeded',
    `Expected at most ${String(MAX_RESULTS)} results, found ${String(results.length)}. Send less at once.`,
  );
}
