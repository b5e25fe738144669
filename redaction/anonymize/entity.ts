/** The spans the anonymizer works on, read from the results of an analyzer or of an earlier anonymization. */
import { display, invalidParam, isTruthy, member, notOperable, requireType } from './python-value.ts';
import type { PythonValue } from './python-value.ts';

/** A span of a text and what it is. Offsets in code points. */
export interface Entity {
  entityType: string;
  start: number;
  end: number;
  score: number;
}

/** An analyzer's result. @throws RedactionError `invalid_request`, `not_operable` */
export function readAnalyzerResult(value: PythonValue): Entity {
  const entity = readEntity(value);
  const score = member(value, 'score');
  requireExists(score, 'analyzer result', 'score');
  // Anything goes as long as nothing is compared with it; comparing is what fails.
  return { ...entity, score: typeof score === 'number' || typeof score === 'boolean' ? Number(score) : Number.NaN };
}

/** An item of an anonymization: has no score. @throws RedactionError `invalid_request`, `not_operable` */
export function readEntity(value: PythonValue): Entity {
  const start = member(value, 'start');
  const end = member(value, 'end');
  const entityType = member(value, 'entity_type');
  requireExists(start, 'result', 'start');
  requireType(start, 'start', 'number');
  requireExists(end, 'result', 'end');
  requireType(end, 'end', 'number');
  if (!isTruthy(entityType)) throw invalidParam('Invalid input, result must contain entity_type');
  const [from, to] = [offset(start), offset(end)];
  if (from < 0 || to < 0) throw invalidParam('Invalid input, result start and end must be positive');
  if (from > to) {
    throw invalidParam(
      `Invalid input, start index '${display(start)}' must be smaller than end index '${display(end)}'`,
    );
  }
  if (typeof entityType === 'object') throw notOperable('entity_type to be a string');
  return { entityType: display(entityType), start: from, end: to, score: 0 };
}

function requireExists(value: PythonValue, holder: string, name: string): void {
  if (value === null || value === undefined) throw invalidParam(`Invalid input, ${holder} must contain ${name}`);
}

/** An empty value of another type passes the check of types and fails here, where it is compared. */
function offset(value: PythonValue): number {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  throw notOperable('start and end to be numbers');
}

/** Whether `a` covers all of `b`. */
export function contains(a: Entity, b: Entity): boolean {
  return a.start <= b.start && a.end >= b.end;
}

export function equalIndices(a: Entity, b: Entity): boolean {
  return a.start === b.start && a.end === b.end;
}

/** Order of position: by start, then by end. */
export function isGreater(a: Entity, b: Entity): boolean {
  return a.start === b.start ? a.end > b.end : a.start > b.start;
}

/** Number of characters both have. */
export function intersects(a: Entity, b: Entity): number {
  if (a.end < b.start || b.end < a.start) return 0;
  return Math.min(a.end, b.end) - Math.max(a.start, b.start);
}

/** Whether `a` gives way to `b`: it lies inside, or has the same place and no better score. */
export function hasConflict(a: Entity, b: Entity): boolean {
  return equalIndices(a, b) ? compareScores(a, b) <= 0 : contains(b, a);
}

/** @throws RedactionError `not_operable` when a score is not a number */
export function compareScores(a: Entity, b: Entity): number {
  if (Number.isNaN(a.score) || Number.isNaN(b.score)) throw notOperable('scores to be numbers');
  return a.score === b.score ? 0 : a.score - b.score;
}
