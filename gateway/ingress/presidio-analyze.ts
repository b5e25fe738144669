/**
 * Presidio's analyzer service: a parsed body in, the answer out. Values of wrong types are answered as Presidio's Python
 * does, because clients tell a misuse from an outage by that: 400 for what it calls a TypeError, 500 for everything else.
 */
import type { JsonValue, PresidioAnalyzer, PresidioRequest, PresidioResult } from '../../redaction/index.ts';
import { RedactionError } from '../../redaction/index.ts';
import { errorAnswer, jsonAnswer } from './presidio-answer.ts';
import type { PresidioAnswer } from './presidio-answer.ts';

/** Bounds of one request; beyond them the answer is 413. */
const MAX_TEXTS = 1000;
const MAX_CHARS = 1_000_000;

const NO_RECOGNIZERS = 'No matching recognizers were found to serve the request.';
const NOT_PRIMITIVE =
  'Analyzer.analyze_iterator only works on primitive types (int, float, bool, str). Lists of objects are not yet supported.';
const WRONG_MATCH = "allow_list_match must either be set to 'exact' or 'regex'.";
const DEFAULT_LANGUAGE = 'en';
/** Ignore case, multiline, dot matches all. */
const DEFAULT_FLAGS = 26;

/** `POST /analyze`. Between the texts of a batch others get their turn. */
export async function analyzeAnswer(body: JsonValue, analyzer: PresidioAnalyzer): Promise<PresidioAnswer> {
  try {
    const members = membersOf(body);
    const { text } = members;
    checkRecognizers(members, analyzer);
    const texts = textsOf(text);
    const request = requestOf(members, analyzer);
    const results: PresidioResult[][] = [];
    for (const one of texts) {
      if (results.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      results.push(one === '' ? [] : analyzer.analyze({ ...request, text: one }));
    }
    const answers = results.map((list) => aboveThreshold(list, members['score_threshold']).map(shownResult));
    return jsonAnswer(200, Array.isArray(text) ? answers : answers[0]);
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

/** What is wrong with the caller's recognizers is said before anything else, even before that there is no text. */
function checkRecognizers(members: Members, analyzer: PresidioAnalyzer): void {
  const adHocRecognizers = listOf(members['ad_hoc_recognizers']);
  const { text, language } = members;
  if (adHocRecognizers.length === 0 || !(isEmpty(text) || isEmpty(language))) return;
  analyzer.analyze({ text: isEmpty(text) ? '' : 'text', language: '', adHocRecognizers });
}

function failure(error: unknown): PresidioAnswer {
  if (!(error instanceof RedactionError)) throw error;
  if (error.code === 'limit_exceeded') return errorAnswer(413, error.message);
  if (error.code !== 'malformed_request') return errorAnswer(500, error.message);
  return errorAnswer(400, `Failed to parse /analyze request for AnalyzerEngine.analyze(). ${error.message}`);
}

type Members = Readonly<Record<string, JsonValue | undefined>>;

function membersOf(body: JsonValue): Members {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new RedactionError('invalid_request', `'${pythonType(body)}' object has no attribute 'get'`);
}

function textsOf(text: JsonValue | undefined): string[] {
  if (isEmpty(text)) throw new RedactionError('invalid_request', 'No text provided');
  const texts = Array.isArray(text) ? text : [text ?? ''];
  if (texts.length > MAX_TEXTS) {
    throw new RedactionError(
      'limit_exceeded',
      `Expected at most ${String(MAX_TEXTS)} texts, found ${String(texts.length)}.`,
    );
  }
  const shown = texts.map((one) => (typeof one === 'string' ? one : textOf(one)));
  if (shown.reduce((sum, one) => sum + one.length, 0) > MAX_CHARS) {
    throw new RedactionError(
      'limit_exceeded',
      `Expected at most ${String(MAX_CHARS)} characters in all texts, found more.`,
    );
  }
  return shown;
}

function textOf(value: JsonValue): string {
  if (typeof value === 'object' && value !== null && !isEmpty(value))
    throw new RedactionError('invalid_request', NOT_PRIMITIVE);
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return value === null ? 'None' : '{}';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

function requestOf(members: Members, analyzer: PresidioAnalyzer): Omit<PresidioRequest, 'text'> {
  const language = languageOf(members['language'], analyzer);
  const { correlation_id: correlationId, regex_flags: flags } = members;
  const adHocRecognizers = listOf(members['ad_hoc_recognizers']);
  return {
    language,
    entities: listOf(members['entities']).filter((entity) => typeof entity === 'string'),
    adHocRecognizers,
    context: listOf(members['context']).map(contextWord),
    returnDecisionProcess: !isEmpty(members['return_decision_process']),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...allowListOf(members),
    regexFlags: typeof flags === 'number' ? flags : DEFAULT_FLAGS,
    ...unknownEntities(members['entities']),
  };
}

/** A list of nothing but other values names no entity, which is not the same as naming none. */
function unknownEntities(entities: JsonValue | undefined): { entities?: readonly string[] } {
  const wanted = listOf(entities);
  return wanted.length > 0 && !wanted.some((entity) => typeof entity === 'string') ? { entities: [''] } : {};
}

function languageOf(language: JsonValue | undefined, analyzer: PresidioAnalyzer): string {
  if (isEmpty(language)) throw new RedactionError('invalid_request', 'No language provided');
  if (typeof language !== 'string') throw new RedactionError('invalid_request', NO_RECOGNIZERS);
  analyzer.supportedEntities(language);
  return language;
}

function allowListOf(members: Members): Pick<PresidioRequest, 'allowList' | 'allowListMatch'> {
  const list = members['allow_list'];
  if (isEmpty(list)) return {};
  const match = members['allow_list_match'] === undefined ? 'exact' : members['allow_list_match'];
  if (match !== 'exact' && match !== 'regex') throw new RedactionError('invalid_request', WRONG_MATCH);
  const allowList = typeof list === 'string' ? [list] : listOf(list).filter((term) => typeof term === 'string');
  return { allowList, allowListMatch: match };
}

/** What Python would walk over: elements, the characters of a string, the names of an object. */
function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (isEmpty(value)) return [];
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return Array.from(value);
  if (typeof value === 'object' && value !== null) return Object.keys(value);
  throw new RedactionError('malformed_request', `'${pythonType(value ?? null)}' object is not iterable`);
}

function contextWord(word: JsonValue): string {
  if (typeof word === 'string') return word;
  throw new RedactionError('invalid_request', `'${pythonType(word)}' object has no attribute 'lower'`);
}

function aboveThreshold(results: readonly PresidioResult[], threshold: JsonValue | undefined): PresidioResult[] {
  if (threshold === undefined || threshold === null) return [...results];
  if (typeof threshold === 'number' || typeof threshold === 'boolean') {
    return results.filter(({ score }) => score >= Number(threshold));
  }
  if (results.length === 0) return [];
  throw new RedactionError(
    'malformed_request',
    `'>=' not supported between instances of 'float' and '${pythonType(threshold)}'`,
  );
}

/** Names in alphabetical order, as the service writes them; which recognizer it was stays inside. */
function shownResult({ analysis_explanation: why, end, entity_type, score, start }: PresidioResult): unknown {
  const explanation =
    why === null ? null : Object.fromEntries(Object.entries(why).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { analysis_explanation: explanation, end, entity_type, score, start };
}

function isEmpty(value: JsonValue | undefined): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
}

function pythonType(value: JsonValue): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool', object: 'dict' }[typeof value as 'string' | 'boolean' | 'object'];
}
