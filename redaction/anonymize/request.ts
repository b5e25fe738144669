/** Reads what clients of Presidio's anonymizer send: results of an analyzer, operators by entity type. */
import { ANONYMIZERS, DEANONYMIZERS } from './operator-table.ts';
import type { OperatorParams } from './operator-table.ts';
import { readAnalyzerResult, readEntity } from './entity.ts';
import type { Entity } from './entity.ts';
import { invalidParam, isTruthy, member, notOperable } from './python-value.ts';
import type { PythonValue } from './python-value.ts';

/** An operator by name, with its parameters. The name is judged when the operator is used. */
export interface OperatorConfig {
  readonly name: PythonValue;
  readonly params: OperatorParams;
}

/** Operators by entity type; `DEFAULT` for all others. */
export type OperatorConfigs = ReadonlyMap<string, OperatorConfig>;

/** Names of the operators that anonymize, as Presidio lists them. */
export const ANONYMIZER_NAMES: readonly string[] = [...ANONYMIZERS.keys()];

/** Names of the operators that lead back. */
export const DEANONYMIZER_NAMES: readonly string[] = [...DEANONYMIZERS.keys()];

/**
 * `{ENTITY: {type, …parameters}}`; none at all is an empty one.
 * @throws RedactionError `invalid_request` (Presidio's own message), `not_operable`
 */
export function readOperatorConfigs(value: PythonValue): OperatorConfigs {
  if (value === null || value === undefined) return new Map();
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) throw notOperable('an object');
  return new Map(Object.entries(value).map(([type, config]) => [type, readOperatorConfig(config as PythonValue)]));
}

/** `{type, …parameters}`. @throws RedactionError as `readOperatorConfigs` */
export function readOperatorConfig(value: PythonValue): OperatorConfig {
  const name = member(value, 'type');
  if (!isTruthy(name)) throw invalidParam('Invalid input, operator config must contain operator_name');
  const params = new Map(Object.entries(value as Record<string, PythonValue>));
  params.delete('type');
  return { name, params };
}

/** Results of an analyzer. @throws RedactionError as `readOperatorConfigs` */
export function readAnalyzerResults(value: PythonValue): Entity[] {
  if (value === null || value === undefined) {
    throw invalidParam('Invalid input, request must contain analyzer results');
  }
  return elementsOf(value).map(readAnalyzerResult);
}

/** Items of an anonymization; none at all is an empty list. @throws RedactionError as `readOperatorConfigs` */
export function readAnonymizedItems(value: PythonValue): Entity[] {
  return isTruthy(value) ? elementsOf(value).map(readEntity) : [];
}

/** What Python would walk over; anything else it cannot, or finds no results in. */
function elementsOf(value: PythonValue): readonly PythonValue[] {
  if (Array.isArray(value)) return value as readonly PythonValue[];
  if (isTruthy(value) || typeof value === 'number' || typeof value === 'boolean')
    throw notOperable('a list of results');
  return [];
}
