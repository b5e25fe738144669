import type postgres from 'postgres';
import { LedgerError } from './error.ts';

/** Limits in nano-USD per UTC day, ISO week (Monday to Sunday, UTC) and UTC calendar month; null or absent = no limit. */
export interface BudgetLimits {
  /** `org`, `tenant:<id>`, `key:<id>`, …; A-Z a-z 0-9 . _ : - */
  readonly scope: string;
  readonly day?: bigint | null;
  readonly week?: bigint | null;
  readonly month?: bigint | null;
}

/** One period of a scope: its limit (null = none) and what was spent in it, nano-USD. */
export interface BudgetPeriod {
  readonly limit: bigint | null;
  readonly spent: bigint;
}

/** A scope as of now: periods that ended count as 0. Nano-USD. */
export interface BudgetState {
  readonly scope: string;
  readonly day: BudgetPeriod;
  readonly week: BudgetPeriod;
  readonly month: BudgetPeriod;
  /** Held for open calls. */
  readonly reserved: bigint;
  /** What a new reservation may take at most, never below 0; null = no limit. */
  readonly remaining: bigint | null;
}

/**
 * Creates a scope or changes its limits. A new `org` or `tenant:<id>` starts from what the ledger shows for the running periods,
 * any other at 0.
 *
 * @returns true when the scope is new
 * @throws {LedgerError} `invalid_entry` for a scope name or a limit outside the allowed form
 */
export async function setBudgetScope(sql: postgres.Sql, { scope, day, week, month }: BudgetLimits): Promise<boolean> {
  const limits = [day ?? null, week ?? null, month ?? null];
  if (
    !/^[A-Za-z0-9._:-]{1,128}$/.test(scope) ||
    limits.some((limit) => limit !== null && (limit < 0n || limit > 10n ** 18n))
  ) {
    throw new LedgerError(
      'invalid_entry',
      'expected a scope of A-Z a-z 0-9 . _ : - and limits between 0 and 10^18 nano-USD, found another form',
    );
  }
  const [d, w, m] = limits.map((limit) => limit?.toString() ?? null);
  const [row] = await sql<{ created: boolean }[]>`
    select ledger.set_budget_scope(${scope}, ${d ?? null}::bigint, ${w ?? null}::bigint, ${m ?? null}::bigint) as created`;
  return row?.created === true;
}

interface BudgetRow {
  readonly scope: string;
  readonly limit_day: string | null;
  readonly limit_week: string | null;
  readonly limit_month: string | null;
  readonly spent_day: string;
  readonly spent_week: string;
  readonly spent_month: string;
  readonly reserved: string;
}

/** The scopes that exist, in the order asked for. */
export async function readBudgets(sql: postgres.Sql, scopes: readonly string[]): Promise<BudgetState[]> {
  const rows = await sql<BudgetRow[]>`select * from ledger.read_budgets(${[...scopes]})`;
  const states = new Map(rows.map((row) => [row.scope, toState(row)]));
  return scopes.flatMap((scope) => states.get(scope) ?? []);
}

function toState(row: BudgetRow): BudgetState {
  const period = (limit: string | null, spent: string): BudgetPeriod => ({
    limit: limit === null ? null : BigInt(limit),
    spent: BigInt(spent),
  });
  const day = period(row.limit_day, row.spent_day);
  const week = period(row.limit_week, row.spent_week);
  const month = period(row.limit_month, row.spent_month);
  const reserved = BigInt(row.reserved);
  let remaining: bigint | null = null;
  for (const { limit, spent } of [day, week, month]) {
    if (limit === null) continue;
    const left = limit - spent - reserved;
    if (remaining === null || left < remaining) remaining = left > 0n ? left : 0n;
  }
  return { scope: row.scope, day, week, month, reserved, remaining };
}
