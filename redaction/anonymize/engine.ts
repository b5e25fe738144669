/** The anonymizer: spans of a text and an operator for each, to the changed text and where the changes are. */
import { RedactionError } from '../errors.ts';
import { codePointLength, codePointText } from './code-points.ts';
import type { CodePointText } from './code-points.ts';
import { mergeAcrossSpaces, resolveConflicts } from './conflicts.ts';
import type { ConflictResolution } from './conflicts.ts';
import { isGreater } from './entity.ts';
import type { Entity } from './entity.ts';
import { ANONYMIZERS, DEANONYMIZERS, OWN_ANONYMIZERS } from './operator-table.ts';
import type { RandomBytes, ValueOperator } from './operator-table.ts';
import type { OperatorConfig, OperatorConfigs } from './request.ts';
import { display, invalidParam, notOperable } from './python-value.ts';

/** One replaced span. Offsets in code points of the new text. */
export interface AnonymizedItem {
  readonly start: number;
  readonly end: number;
  readonly entity_type: string;
  readonly text: string;
  readonly operator: string;
}

/** Items from the end of the text to its start. */
export interface AnonymizedText {
  readonly text: string;
  readonly items: readonly AnonymizedItem[];
}

/** What an anonymization takes besides the text. */
export interface AnonymizeOptions {
  readonly random: RandomBytes;
  readonly conflictResolution?: ConflictResolution;
  /** Default true. */
  readonly mergeAcrossSpaces?: boolean;
}

/** Spans of different types may overlap and replacements may be long, so what is read and written is bounded. */
const MAX_WORK_CHARS = 16_000_000;

const REPLACE: OperatorConfig = { name: 'replace', params: new Map() };
const ALL_ANONYMIZERS: ReadonlyMap<string, ValueOperator> = new Map([...ANONYMIZERS, ...OWN_ANONYMIZERS]);

/**
 * Replaces every entity as its operator says; without one for its type as `DEFAULT` says, else by `<TYPE>`.
 * @throws RedactionError `invalid_request` (Presidio's own message), `not_operable`, `limit_exceeded`
 */
export function anonymizeText(
  text: string,
  entities: readonly Entity[],
  configs: OperatorConfigs,
  options: AnonymizeOptions,
): AnonymizedText {
  const source = codePointText(text);
  const resolved = resolveConflicts(entities, options.conflictResolution ?? 'merge_similar_or_contained');
  const merged = options.mergeAcrossSpaces === false ? resolved : mergeAcrossSpaces(resolved, source.slice);
  const all = configs.has('DEFAULT') ? configs : new Map([...configs, ['DEFAULT', REPLACE]]);
  const ordered = merged.sort((a, b) => (isGreater(a, b) ? -1 : isGreater(b, a) ? 1 : 0));
  return operate(source, ordered, all, ALL_ANONYMIZERS, options.random);
}

/**
 * The way back, for the items of an anonymization.
 * @throws RedactionError as `anonymizeText`, and `not_operable` for a type without operator
 */
export function deanonymizeText(
  text: string,
  entities: readonly Entity[],
  configs: OperatorConfigs,
  options: Pick<AnonymizeOptions, 'random'>,
): AnonymizedText {
  const ordered = entities.toSorted((a, b) => b.start - a.start);
  return operate(codePointText(text), ordered, configs, DEANONYMIZERS, options.random);
}

/** From the end to the start, so that what is still to be replaced keeps its offsets. */
function operate(
  source: CodePointText,
  entities: readonly Entity[],
  configs: OperatorConfigs,
  operators: ReadonlyMap<string, ValueOperator>,
  random: RandomBytes,
): AnonymizedText {
  const pieces: string[] = [];
  const changes: { entity: Entity; text: string; operator: string; fromEnd: number }[] = [];
  const spend = workBudget();
  let replacedFrom = source.length;
  let length = 0;
  for (const entity of entities) {
    checkPlace(entity, source.length);
    const config = configs.get(entity.entityType) ?? configs.get('DEFAULT');
    if (config === undefined) throw notOperable('an operator for every entity type');
    spend(entity.end - entity.start);
    const changed = applyConfig(config, entity.entityType, source.slice(entity.start, entity.end), operators, random);
    spend(changed.length);
    // Of two that overlap only the first part of the earlier one is left to be replaced; all of it was operated on.
    const between = entity.end < replacedFrom ? source.slice(entity.end, replacedFrom) : '';
    pieces.push(between, changed);
    length += codePointLength(between) + codePointLength(changed);
    replacedFrom = entity.start;
    changes.push({ entity, text: changed, operator: display(config.name), fromEnd: length });
  }
  const text = source.slice(0, replacedFrom) + pieces.toReversed().join('');
  return { text, items: changes.map((change) => itemOf(change, replacedFrom + length)) };
}

function itemOf(
  change: { entity: Entity; text: string; operator: string; fromEnd: number },
  length: number,
): AnonymizedItem {
  const start = length - change.fromEnd;
  return {
    start,
    end: start + codePointLength(change.text),
    entity_type: change.entity.entityType,
    text: change.text,
    operator: change.operator,
  };
}

function workBudget(): (chars: number) => void {
  let left = MAX_WORK_CHARS;
  return (chars) => {
    left -= chars;
    if (left >= 0) return;
    throw new RedactionError(
      'limit_exceeded',
      `Expected at most ${String(MAX_WORK_CHARS)} characters to be read and written, found more. Send less at once.`,
    );
  };
}

function checkPlace({ start, end }: Entity, length: number): void {
  if (length >= start && end <= length) return;
  throw invalidParam(
    `Invalid analyzer result, start: ${String(start)} and end: ${String(end)}, while text length is only ${String(length)}.`,
  );
}

function applyConfig(
  config: OperatorConfig,
  entityType: string,
  text: string,
  operators: ReadonlyMap<string, ValueOperator>,
  random: RandomBytes,
): string {
  const { name } = config;
  if (typeof name === 'object' && name !== null) throw notOperable('type to be the name of an operator');
  const operator = typeof name === 'string' ? operators.get(name) : undefined;
  if (operator === undefined) throw invalidParam(`Invalid operator class '${display(name)}'.`);
  const params = new Map(config.params).set('entity_type', entityType);
  operator.validate(params);
  return operator.operate(text, params, random);
}
