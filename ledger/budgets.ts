import type postgres from 'postgres';
import { LedgerError } from './error.ts';

/** Limits in nano-USD per UTC day, ISO week and calendar month; null = no limit. */
export interface BudgetLimits {
  readonly scope: string;
  readonly day?: bigint | null;
  readonly week?: bigint | null;
  readonly month?: bigint | null;
}

export interface BudgetPeriod {
  readonly limit: bigint | null;
  readonly spent: bigint;
}

/** A scope as of now: periods that ended count as 0. */
export interface BudgetState {
  readonly scope: string;
  readonly day: BudgetPeriod;
  readonly week: BudgetPeriod;
  readonly month: BudgetPeriod;
  /** Held for open calls, nano-USD. */
  readonly reserved: bigint;
  /** What a new reservation may take at most; null = no limit. */
  readonly remaining: bigint | null;
}

/** Creates a scope (`org` and `tenant:<id>` start from what the ledger shows for the running periods) or changes its limits. */
export async function setBudgetScope(sql: postgres.Sql, limits: BudgetLimits): Promise<void> {
  await sql`select ${limits.scope}`;
  throw new LedgerError('unavailable', 'not built yet');
}

/** Scopes that exist, in the order asked for. */
export async function readBudgets(sql: postgres.Sql, scopes: readonly string[]): Promise<BudgetState[]> {
  await sql`select ${scopes.length}`;
  return [];
}
