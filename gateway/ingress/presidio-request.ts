/**
 * What clients of Presidio's analyzer send, read as its Python does: what counts as nothing, what can be walked over, and
 * which misuse is a TypeError. Trust boundary: every value has whatever type the caller chose.
 */
import type { JsonValue, PresidioRequest } from '../../redaction/index.ts';
import { RedactionError } from '../../redaction/index.ts';

export type Members = Readonly<Record<string, JsonValue | undefined>>;

/** A value Presidio refuses, answered 500 with its message. */
export function invalid(message: string): RedactionError {
  return new RedactionError('invalid_request', message);
}

/** What Python calls a TypeError, answered 400. */
export function typeError(message: string): RedactionError {
  return new RedactionError(
    'malformed_request',
    `Failed to parse /analyze request for AnalyzerEngine.analyze(). ${message}`,
  );
}

export function isEmpty(value: JsonValue | undefined): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
}

export function pythonType(value: JsonValue): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool', object: 'dict' }[typeof value as 'string' | 'boolean' | 'object'];
}

/** What Python would walk over: elements, the characters of a string, the names of an object; nothing of nothing. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (isEmpty(value)) return [];
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return Array.from(value);
  if (typeof value === 'object' && value !== null) return Object.keys(value);
  throw typeError(`'${pythonType(value ?? null)}' object is not iterable`);
}

/** The caller's recognizers, one after the other. @param check judges one that is an object */
export function readRecognizers(value: JsonValue | undefined, check: (one: JsonValue) => void): readonly JsonValue[] {
  const list = listOf(value);
  for (const one of list) {
    const type = pythonType(one);
    if (type === 'list') throw invalid("'list' object has no attribute 'get'");
    if (type !== 'dict') throw invalid(`'${type}' object has no attribute 'copy'`);
    check(one);
  }
  return list;
}

/** A list of nothing but other values names no entity, which is not the same as naming none. */
export function readEntities(value: JsonValue | undefined): readonly string[] {
  const wanted = listOf(value);
  const named = wanted.filter((entity) => typeof entity === 'string');
  return wanted.length > 0 && named.length === 0 ? [''] : named;
}

export function readContext(value: JsonValue | undefined): readonly string[] {
  return listOf(value).map((word) => {
    if (typeof word === 'string') return word;
    throw invalid(`'${pythonType(word)}' object has no attribute 'lower'`);
  });
}

/** @param results how many there are: nothing is compared with the threshold when there are none */
export function checkThreshold(value: JsonValue | undefined, results: number): void {
  if (results === 0 || value === undefined || value === null || typeof value === 'number') return;
  if (typeof value !== 'boolean')
    throw typeError(`'>=' not supported between instances of 'float' and '${pythonType(value)}'`);
}

type AllowList = Pick<PresidioRequest, 'allowList' | 'allowListMatch'>;

/** The allow list when it can be used as it is; null when there is something to be said about it. */
export function readAllowList(members: Members): AllowList | null {
  const { allow_list: list, allow_list_match: match = 'exact' } = members;
  if (isEmpty(list)) return {};
  if (!Array.isArray(list) || (match !== 'exact' && match !== 'regex')) return null;
  const terms = list.filter((term) => typeof term === 'string');
  if (match === 'regex' && list.some((term) => !isEmpty(term) && typeof term !== 'string')) return null;
  return { allowList: terms, allowListMatch: match };
}

/** What is wrong with an allow list; Presidio looks at it last, and at an exact one only when there are results. */
export function checkAllowList(members: Members, results: number): void {
  const { allow_list: list = null, allow_list_match: match = 'exact' } = members;
  if (match !== 'exact' && match !== 'regex') {
    throw invalid("allow_list_match must either be set to 'exact' or 'regex'.");
  }
  const type = pythonType(list);
  const isWalkable = typeof list === 'object' || typeof list === 'string';
  if (match === 'exact') {
    if (!isWalkable && results > 0) throw typeError(`argument of type '${type}' is not iterable`);
    return;
  }
  const terms = listOf(list).filter((term) => !isEmpty(term));
  const at = terms.findIndex((term) => typeof term !== 'string');
  if (at === -1) return;
  throw typeError(`sequence item ${String(at)}: expected str instance, ${pythonType(terms[at] ?? null)} found`);
}
