/**
 * The scopes that have limits, kept in step with the configuration, and a snapshot of what is left in them. The snapshot
 * only feeds facts to policies and reports; whether a call fits is decided by the append transaction alone.
 */
import type { Sql } from 'postgres';
import type { BudgetState } from '../ledger/index.ts';
import { readBudgets, setBudgetScope } from '../ledger/index.ts';
import type { BudgetLimits, Config } from './config.ts';
import { hasLimit } from './config.ts';
import type { RecordEvent } from './access/events.ts';
import { budgetFacts } from './access/keys.ts';
import { DEPLOYMENT_TENANT } from './access/principal.ts';
import type { BudgetFact } from './pipeline/decide.ts';

/**
 * Writes the configured limits; a scope whose limits were taken out of the configuration loses them here too. A change is an
 * entry before it takes effect.
 */
export async function applyBudgets(sql: Sql, config: Config, record: RecordEvent): Promise<void> {
  const budgets: readonly ScopeLimits[] = [
    { scope: 'org', tenant: null, budget: config.organisation.budget },
    ...[...config.tenants.values()].map(({ id, budget }) => ({ scope: `tenant:${id}`, tenant: id, budget })),
  ];
  const states = await readBudgets(
    sql,
    budgets.map(({ scope }) => scope),
  );
  const known = new Map(states.map((state) => [state.scope, limitsOf(state)]));
  for (const { scope, tenant, budget } of budgets) {
    const before = known.get(scope);
    if (!hasLimit(budget) && before === undefined) continue;
    if (before !== undefined && sameLimits(before, budget)) continue;
    const was = before === undefined ? null : budgetFacts(before);
    await record({
      kind: 'budget',
      tenant: DEPLOYMENT_TENANT,
      facts: { scope, tenant, ...budgetFacts(budget), was },
      detail: {},
    });
    await setBudgetScope(sql, { scope, day: budget.dailyNusd, week: budget.weeklyNusd, month: budget.monthlyNusd });
  }
}

interface ScopeLimits {
  readonly scope: string;
  readonly tenant: string | null;
  readonly budget: BudgetLimits;
}

function limitsOf({ day, week, month }: BudgetState): BudgetLimits {
  return { dailyNusd: day.limit, weeklyNusd: week.limit, monthlyNusd: month.limit };
}

function sameLimits(a: BudgetLimits, b: BudgetLimits): boolean {
  return a.dailyNusd === b.dailyNusd && a.weeklyNusd === b.weeklyNusd && a.monthlyNusd === b.monthlyNusd;
}

/** Remembers the state of the scopes it was asked about and refreshes them together. */
export class BudgetSnapshot {
  readonly #sql: Sql;
  readonly #facts = new Map<string, BudgetFact>();
  #asked = new Set<string>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  facts(scopes: readonly string[]): BudgetFact[] {
    return scopes.flatMap((scope) => {
      this.#asked.add(scope);
      const fact = this.#facts.get(scope);
      return fact === undefined ? [] : [fact];
    });
  }

  async refresh(): Promise<void> {
    const asked = [...this.#asked];
    this.#asked = new Set();
    if (asked.length === 0) return;
    for (const state of await readBudgets(this.#sql, asked)) this.#facts.set(state.scope, factOf(state));
  }
}

/** The tightest period decides: integers, so that the input stays canonical. */
function factOf(state: BudgetState): BudgetFact {
  let ratio = 1_000_000n;
  for (const { limit, spent } of [state.day, state.week, state.month]) {
    if (limit === null) continue;
    const left = limit - spent - state.reserved;
    const share = limit <= 0n || left <= 0n ? 0n : (left * 1_000_000n) / limit;
    if (share < ratio) ratio = share;
  }
  const remaining = state.remaining === null || state.remaining < 0n ? 0n : state.remaining / 1000n;
  return {
    id: state.scope,
    remaining_ratio_ppm: Number(ratio),
    remaining_micro_usd: Number(
      remaining > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : remaining,
    ),
  };
}
