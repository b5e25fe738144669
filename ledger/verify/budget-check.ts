import type { Booking, OpenDecision } from './call-check.ts';
import type { SnapshotBudget } from './snapshot.ts';

const DAY_MS = 86_400_000;

/** Day, week (from Monday) and month of a time in UTC, as counted by the append function. */
export function periodsOf(timeMs: number): readonly [number, number, number] {
  const day = Math.floor(timeMs / DAY_MS);
  const date = new Date(timeMs);
  return [day, Math.floor((day + 3) / 7), date.getUTCFullYear() * 12 + date.getUTCMonth()];
}

interface Sum {
  readonly budget: SnapshotBudget;
  readonly spent: [bigint, bigint, bigint];
  reserved: bigint;
}

/** Adds up what the entries booked and reserved, and compares it with the running totals. */
export class BudgetCheck {
  readonly #sums = new Map<string, Sum>();

  constructor(budgets: readonly SnapshotBudget[]) {
    for (const budget of budgets) {
      const created = periodsOf(budget.createdMs);
      const [day, week, month] = budget.periods.map((period, index) =>
        period === created[index] ? (budget.initial[index] ?? 0n) : 0n,
      );
      this.#sums.set(budget.scope, { budget, spent: [day ?? 0n, week ?? 0n, month ?? 0n], reserved: 0n });
    }
  }

  book({ scopes, nusd, dbTimeMs }: Booking): void {
    if (nusd === 0n) return;
    const periods = periodsOf(dbTimeMs);
    for (const scope of scopes) {
      const sum = this.#sums.get(scope);
      if (sum === undefined) continue;
      for (const index of [0, 1, 2] as const) {
        if (periods[index] === sum.budget.periods[index]) sum.spent[index] += nusd;
      }
    }
  }

  hold({ scopes, reserved }: OpenDecision): void {
    for (const scope of scopes) {
      const sum = this.#sums.get(scope);
      if (sum !== undefined) sum.reserved += reserved;
    }
  }

  /** One sentence per scope whose totals are not the sum of the entries. */
  problems(): string[] {
    const found: string[] = [];
    for (const [scope, { budget, spent, reserved }] of this.#sums) {
      for (const [index, name] of ['day', 'week', 'month'].entries()) {
        if (spent[index] === budget.spent[index]) continue;
        found.push(
          `budget ${scope} says ${String(budget.spent[index])} nano-USD spent this ${name}, its entries add up to ${String(spent[index])}`,
        );
      }
      if (reserved !== budget.reserved) {
        found.push(
          `budget ${scope} says ${String(budget.reserved)} nano-USD are reserved, its open calls add up to ${String(reserved)}`,
        );
      }
    }
    return found;
  }
}
