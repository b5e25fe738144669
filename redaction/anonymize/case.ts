/**
 * Evaluates one recorded call of Presidio's anonymizer, as its cases are written down: an engine, an operator, a
 * parser, or a relation of two results. `{"$bytes_utf8": text}` stands for bytes,
 * `{"$lambda": source}` for a function.
 */
import { RedactionError } from '../errors.ts';
import type { JsonValue } from '../document.ts';
import {
  contains,
  equalIndices,
  hasConflict,
  intersects,
  isGreater,
  readAnalyzerResult,
  readEntity,
} from './entity.ts';
import type { Entity } from './entity.ts';
import { anonymizeText, deanonymizeText } from './engine.ts';
import type { AnonymizedText } from './engine.ts';
import { readLambda } from './case-lambda.ts';
import { ANONYMIZERS, DEANONYMIZERS } from './operator-table.ts';
import type { RandomBytes } from './operator-table.ts';
import { isTruthy, member, notOperable } from './python-value.ts';
import type { PythonValue } from './python-value.ts';
import {
  ANONYMIZER_NAMES,
  DEANONYMIZER_NAMES,
  readAnonymizedItems,
  readAnalyzerResults,
  readOperatorConfig,
  readOperatorConfigs,
} from './request.ts';

/** `{call, target, input}`, where each is what the case says. */
export interface AnonymizerStep {
  readonly call: string;
  readonly target: string;
  readonly input: JsonValue;
}

/**
 * What the call gives: `{text, items}` of an engine, `{value}` of everything else, `{error: {type, message}}` when it is
 * refused. Never throws for a step of the known forms.
 * @throws RedactionError `not_operable` for any other step
 */
export function evaluateAnonymizerStep(step: AnonymizerStep, random: RandomBytes): JsonValue {
  try {
    return callOf(step)(step, decoded(step.input), random);
  } catch (error) {
    if (!(error instanceof RedactionError)) throw error;
    const type = error.code === 'invalid_request' ? 'InvalidParamError' : 'Exception';
    return { error: { type, message: error.message } };
  }
}

type Call = (step: AnonymizerStep, input: PythonValue, random: RandomBytes) => JsonValue;

function callOf({ call }: AnonymizerStep): Call {
  switch (call) {
    case 'engine':
      return callEngine;
    case 'operator':
      return callOperator;
    case 'from_json':
      return callParser;
    case 'relation':
      return callRelation;
    default:
      throw notOperable('a call of an engine, an operator, a parser or a relation');
  }
}

const callEngine: Call = (_step, input, random) => {
  const method = member(input, 'method');
  if (method === 'get_anonymizers') return { value: { $unordered: ANONYMIZER_NAMES.toSorted() } };
  if (method === 'get_deanonymizers') return { value: { $unordered: DEANONYMIZER_NAMES.toSorted() } };
  const text = member(input, 'text');
  if (typeof text !== 'string') throw notOperable('a text');
  const configs = readOperatorConfigs(member(input, 'operators'));
  if (method === 'deanonymize') {
    const items = readAnonymizedItems(member(input, 'entities'));
    return asJson(deanonymizeText(text, items, configs, { random }));
  }
  const strategy = member(input, 'conflict_resolution');
  const acrossSpaces = member(input, 'merge_entities_with_spaces');
  return asJson(
    anonymizeText(text, readAnalyzerResults(member(input, 'analyzer_results')), configs, {
      random,
      conflictResolution: strategy === 'remove_intersections' ? strategy : 'merge_similar_or_contained',
      mergeAcrossSpaces: acrossSpaces === undefined || isTruthy(acrossSpaces),
    }),
  );
};

function asJson({ text, items }: AnonymizedText): JsonValue {
  return { text, items: items.map((item) => ({ ...item })) };
}

const CLASSES: ReadonlyMap<string, string> = new Map([
  ['Keep', 'keep'],
  ['DeanonymizeKeep', 'deanonymize_keep'],
  ['AHDSSurrogate', 'surrogate_ahds'],
]);

const callOperator: Call = ({ target }, input, random) => {
  const name = CLASSES.get(target) ?? target.toLowerCase();
  const operator = ANONYMIZERS.get(name) ?? DEANONYMIZERS.get(name);
  if (operator === undefined) throw notOperable('the class of an operator');
  const params = new Map(Object.entries((member(input, 'params') ?? {}) as Record<string, PythonValue>));
  switch (member(input, 'method')) {
    case 'operator_name':
      return { value: name };
    case 'operator_type':
      return { value: ANONYMIZERS.has(name) ? 'Anonymize' : 'Deanonymize' };
    case 'validate':
      operator.validate(params);
      return { value: null, no_error: true };
    default:
      return { value: operator.operate(textOf(member(input, 'text')), params, random) };
  }
};

function textOf(value: PythonValue): string {
  if (typeof value === 'string') return value;
  throw notOperable('a text');
}

const callParser: Call = ({ target }, input) => {
  const json = member(input, 'json');
  if (target === 'OperatorConfig') {
    const { name, params } = readOperatorConfig(json);
    return { value: { operator_name: name as JsonValue, params: Object.fromEntries(params) as JsonValue } };
  }
  const { entityType, start, end, score } = target === 'RecognizerResult' ? readAnalyzerResult(json) : readEntity(json);
  const place = { entity_type: entityType, start, end };
  return { value: target === 'RecognizerResult' ? { ...place, score } : place };
};

type Relation = (a: Entity, b: Entity) => boolean | number;

const RELATIONS: ReadonlyMap<string, Relation> = new Map<string, Relation>([
  ['contains', contains],
  ['contained_in', (a, b) => contains(b, a)],
  ['equal_indices', equalIndices],
  ['has_conflict', hasConflict],
  ['intersects', intersects],
  ['__gt__', isGreater],
  ['__eq__', (a, b) => equalIndices(a, b) && a.entityType === b.entityType && a.score === b.score],
  ['__hash__', (a, b) => equalIndices(a, b) && a.entityType === b.entityType && a.score === b.score],
]);

const callRelation: Call = ({ target }, input) => {
  const relation = RELATIONS.get(target.split('.').at(-1) ?? '');
  if (relation === undefined) throw notOperable('a relation of two results');
  return { value: relation(readAnalyzerResult(member(input, 'self')), readAnalyzerResult(member(input, 'other'))) };
};

function decoded(value: JsonValue): PythonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decoded);
  const bytes = value['$bytes_utf8'];
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8');
  const lambda = value['$lambda'];
  if (typeof lambda === 'string') return readLambda(lambda);
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, decoded(element)]));
}
