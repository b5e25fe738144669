import type { Effect } from './decide.ts';

/** Counts flips by what a reviewer asks for. Money is summed exactly; calls without a known cost are counted apart. */

export interface TallyRow {
  readonly key: string;
  readonly from: Effect;
  readonly to: Effect;
  readonly calls: number;
  /** Decimal nano-USD of the calls whose cost is known. */
  readonly costNusd: string;
  readonly unpriced: number;
}

/** Names of one dimension kept apart; callers choose some of them, so there may be any number. */
const MAX_KEYS = 500;
const OTHERS = '(others)';

interface Sum {
  readonly key: string;
  readonly from: Effect;
  readonly to: Effect;
  calls: number;
  nusd: bigint;
  unpriced: number;
}

export class Tally {
  readonly #sums = new Map<string, Sum>();

  /** A call counts once under each of its keys. */
  add(keys: readonly string[], from: Effect, to: Effect, costNusd: bigint | null): void {
    for (const key of new Set(keys)) {
      const sum = this.#find(key, from, to);
      sum.calls += 1;
      if (costNusd === null) sum.unpriced += 1;
      else sum.nusd += costNusd;
    }
  }

  /** Most calls first. */
  rows(): TallyRow[] {
    return [...this.#sums.values()]
      .toSorted((a, b) => b.calls - a.calls || (a.key < b.key ? -1 : 1))
      .map(({ nusd, ...row }) => ({ ...row, costNusd: String(nusd) }));
  }

  #find(wanted: string, from: Effect, to: Effect): Sum {
    const id = JSON.stringify([wanted, from, to]);
    const known = this.#sums.get(id);
    if (known !== undefined) return known;
    if (this.#sums.size >= MAX_KEYS && wanted !== OTHERS) return this.#find(OTHERS, from, to);
    const sum = { key: wanted, from, to, calls: 0, nusd: 0n, unpriced: 0 };
    this.#sums.set(id, sum);
    return sum;
  }
}
