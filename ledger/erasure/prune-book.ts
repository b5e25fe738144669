import type { JsonValue } from '../canonical.ts';
import { asObject } from '../verify/call-check.ts';

/** An entry that decides about pruning. */
export interface PruneMatter {
  readonly seq: number;
  readonly kind: string;
  readonly facts: JsonValue;
}

/** Number of the log among the tenant's, by incarnation, and sequence. */
type Place = readonly [number, number];

interface PruneOrder {
  readonly log: string;
  readonly before: number;
  readonly place: Place;
  /** The newest hold that was in force; what was destroyed before it stays. */
  readonly held: Place;
}

const NOWHERE: Place = [-1, -1];

export function isPruneMatter(kind: string): boolean {
  return kind === 'erasure' || kind === 'hold' || kind === 'prune';
}

/**
 * What the prune entries of a tenant take away. The same rules as in the database (ledger.prunable_keys): a prune entry is about
 * bodies whose key an erasure before it destroyed; a hold in force keeps those that were destroyed before it was placed.
 */
export class PruneBook {
  readonly #erased = new Map<string, Place>();
  readonly #holds = new Map<string, Place>();
  readonly #orders: PruneOrder[] = [];

  /** In order: logs by incarnation, entries by sequence. */
  add(log: number, { seq, kind, facts }: PruneMatter): void {
    const place: Place = [log, seq];
    const { hold, action, log: target, before } = asObject(facts);
    if (kind === 'erasure')
      for (const key of namedKeys(facts)) if (!this.#erased.has(key)) this.#erased.set(key, place);
    if (kind === 'hold') this.#hold(typeof hold === 'string' ? hold : '', action === 'release' ? null : place);
    if (kind === 'prune' && typeof target === 'string' && typeof before === 'number')
      this.#orders.push({ log: target, before, place, held: [...this.#holds.values()].reduce(later, NOWHERE) });
  }

  /** The sequence before which the bodies of a log that a key seals are to be gone; 0 when nothing orders that. */
  before(log: string, key: string): number {
    const erased = this.#erased.get(key);
    if (erased === undefined) return 0;
    return this.#orders
      .filter((order) => order.log === log && isBefore(erased, order.place) && isBefore(order.held, erased))
      .reduce((most, { before }) => Math.max(most, before), 0);
  }

  #hold(id: string, place: Place | null): void {
    if (place === null) this.#holds.delete(id);
    else this.#holds.set(id, place);
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function later(a: Place, b: Place): Place {
  return isBefore(a, b) ? b : a;
}

/** The keys an erasure entry names. */
export function namedKeys(facts: JsonValue): string[] {
  const { keys } = asObject(facts);
  return Array.isArray(keys) ? keys.filter((key): key is string => typeof key === 'string') : [];
}
