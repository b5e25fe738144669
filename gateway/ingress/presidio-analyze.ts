/**
 * Presidio's analyzer service: a parsed body in, the answer out. What is wrong with a request is said in the order in
 * which Presidio comes upon it, because clients tell a misuse from an outage, and one language from none, by the answer.
 */
import type { JsonValue, PresidioAnalyzer, PresidioRequest, PresidioResult } from '../../redaction/index.ts';
import { readAdHocRecognizers, RedactionError } from '../../redaction/index.ts';
import { errorAnswer, jsonAnswer } from './presidio-answer.ts';
import type { PresidioAnswer } from './presidio-answer.ts';
import {
  checkAllowList,
  checkThreshold,
  invalid,
  isEmpty,
  pythonType,
  readAllowList,
  readContext,
  readEntities,
  readRecognizers,
} from './presidio-request.ts';
import type { Members } from './presidio-request.ts';

/** Bounds of one request; beyond them the answer is 413. */
const MAX_TEXTS = 1000;
const MAX_CHARS = 1_048_576;

const NO_RECOGNIZERS = 'No matching recognizers were found to serve the request.';
const NOT_PRIMITIVE =
  'Analyzer.analyze_iterator only works on primitive types (int, float, bool, str). Lists of objects are not yet supported.';
const DEFAULT_LANGUAGE = 'en';
/** Ignore case, multiline, dot matches all. */
const DEFAULT_FLAGS = 26;

/** `POST /analyze`. Between the texts of a batch others get their turn. */
export async function analyzeAnswer(body: JsonValue, analyzer: PresidioAnalyzer): Promise<PresidioAnswer> {
  try {
    const members = membersOf(body);
    const adHocRecognizers = readRecognizers(members['ad_hoc_recognizers'], (one) => readAdHocRecognizers([one]));
    if (isEmpty(members['text'])) throw invalid('No text provided');
    const language = languageOf(members['language'], analyzer);
    const texts = textsOf(members['text'] ?? '');
    const request = { ...requestOf(members), language, adHocRecognizers };
    const answers: unknown[] = [];
    for (const text of texts) {
      if (answers.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const results = text === '' ? [] : analyzer.analyze({ ...request, text });
      checkThreshold(members['score_threshold'], results.length);
      if (request.allowList === undefined && !isEmpty(members['allow_list'])) checkAllowList(members, results.length);
      answers.push(aboveThreshold(results, members['score_threshold']).map(shownResult));
    }
    return jsonAnswer(200, Array.isArray(members['text']) ? answers : answers[0]);
  } catch (error) {
    return failure(error);
  }
}

/** `GET /supportedentities` and `GET /recognizers`. */
export function namesAnswer(names: (language: string) => readonly string[], language: string | null): PresidioAnswer {
  try {
    return jsonAnswer(200, names(language === null || language === '' ? DEFAULT_LANGUAGE : language));
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): PresidioAnswer {
  if (!(error instanceof RedactionError)) throw error;
  if (error.code === 'limit_exceeded') return errorAnswer(413, error.message);
  return errorAnswer(error.code === 'malformed_request' ? 400 : 500, error.message);
}

function membersOf(body: JsonValue): Members {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw invalid(`'${pythonType(body)}' object has no attribute 'get'`);
}

function languageOf(language: JsonValue | undefined, analyzer: PresidioAnalyzer): string {
  if (isEmpty(language)) throw invalid('No language provided');
  if (typeof language !== 'string') throw invalid(NO_RECOGNIZERS);
  analyzer.supportedEntities(language);
  return language;
}

function textsOf(text: JsonValue): string[] {
  const texts = Array.isArray(text) ? text : [text];
  if (texts.length > MAX_TEXTS) {
    throw tooMuch(`Expected at most ${String(MAX_TEXTS)} texts, found ${String(texts.length)}.`);
  }
  const shown = texts.map((one) => (typeof one === 'string' ? one : textOf(one)));
  if (shown.reduce((sum, one) => sum + one.length, 0) > MAX_CHARS) {
    throw tooMuch(`Expected at most ${String(MAX_CHARS)} characters in all texts, found more.`);
  }
  return shown;
}

function tooMuch(message: string): RedactionError {
  return new RedactionError('limit_exceeded', `${message} Send less at once.`);
}

/** `str()` of what is not one. */
function textOf(value: JsonValue): string {
  if (typeof value === 'object' && value !== null && !isEmpty(value)) throw invalid(NOT_PRIMITIVE);
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return value === null ? 'None' : '{}';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

function requestOf(members: Members): Omit<PresidioRequest, 'text' | 'language'> {
  const { correlation_id: correlationId, regex_flags: flags } = members;
  return {
    entities: readEntities(members['entities']),
    context: readContext(members['context']),
    returnDecisionProcess: !isEmpty(members['return_decision_process']),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...readAllowList(members),
    regexFlags: typeof flags === 'number' ? flags : DEFAULT_FLAGS,
  };
}

function aboveThreshold(results: readonly PresidioResult[], threshold: JsonValue | undefined): PresidioResult[] {
  const least = typeof threshold === 'number' || typeof threshold === 'boolean' ? Number(threshold) : 0;
  return results.filter(({ score }) => score >= least);
}

/** Names in alphabetical order, as the service writes them; which recognizer it was stays inside. */
function shownResult({ analysis_explanation: why, end, entity_type, score, start }: PresidioResult): unknown {
  const explanation =
    why === null ? null : Object.fromEntries(Object.entries(why).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { analysis_explanation: explanation, end, entity_type, score, start };
}
