import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT, type EntryKind } from '../entry.ts';
import { asObject } from '../verify/call-check.ts';

/** Which entries a control asks for, decided from header and facts alone: never from anything that can be withheld or erased. */
export interface ControlQuery {
  /** In the tenant's log, in the deployment's, or in both. */
  readonly log: 'tenant' | 'deployment' | 'both';
  readonly kinds: readonly EntryKind[];
  /** All of them must hold. */
  readonly where?: readonly FactRule[];
}

/** A rule about one member of the facts. */
export interface FactRule {
  /** Name of the member; `a.b` for one inside another. */
  readonly fact: string;
  /** One of these values; for a list: one of its elements. Absent: the member is there and neither null, empty nor false. */
  readonly is?: readonly string[];
}

/** One clause of a regime and the entries that support it. */
export interface Control {
  /** `<regime>-<clause>`, lower case. */
  readonly id: string;
  readonly regime: string;
  readonly clause: string;
  /** What the clause asks for, in our words. */
  readonly asks: string;
  /** What the entries are evidence of, and where that ends. */
  readonly supports: string;
  readonly source: string;
  /** Since when the clause applies, ISO date. */
  readonly inForce: string;
  readonly query: ControlQuery;
}

/** Does an entry answer a query? Facts are whatever was read; entries without readable facts answer none that asks for one. */
export function answersQuery(
  { kinds, log, where = [] }: ControlQuery,
  entry: { readonly tenant: string; readonly kind: string; readonly facts: JsonValue },
): boolean {
  const place = entry.tenant === DEPLOYMENT ? 'deployment' : 'tenant';
  if (log !== 'both' && log !== place) return false;
  return kinds.some((kind) => kind === entry.kind) && where.every((rule) => holds(rule, entry.facts));
}

function holds({ fact, is }: FactRule, facts: JsonValue): boolean {
  const value = fact.split('.').reduce<JsonValue>((inner, name) => memberOf(inner, name), facts);
  if (is === undefined) return isThere(value);
  const values = Array.isArray(value) ? value : [value];
  return values.some((each) => typeof each === 'string' && is.includes(each));
}

function memberOf(value: JsonValue, name: string): JsonValue {
  const object = asObject(value);
  return Object.hasOwn(object, name) ? (object[name] ?? null) : null;
}

function isThere(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== false && value !== '' && value !== 0;
}

/** The query as a sentence, for people and for the bundle. */
export function queryText({ kinds, log, where = [] }: ControlQuery): string {
  const places = { tenant: "the tenant's log", deployment: "the deployment's log", both: 'both logs' };
  const rules = where.map(({ fact, is }) =>
    is === undefined ? `facts.${fact} is set` : `facts.${fact} is ${is.join(' or ')}`,
  );
  return [`entries of kind ${kinds.join(', ')} in ${places[log]}`, ...rules].join(', where ');
}
