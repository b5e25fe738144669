/** Which budgets a call is charged to: only scopes that have a limit, because every scope costs a row in the append. */
import { hasLimit, type BudgetLimits, type Config } from '../config.ts';

export function budgetScopes(
  config: Pick<Config, 'organisation' | 'tenants'>,
  tenant: string,
  key: { readonly id: string; readonly budget: BudgetLimits } | null,
): string[] {
  const scopes: string[] = [];
  const limits = config.tenants.get(tenant)?.budget;
  if (hasLimit(config.organisation.budget)) scopes.push('org');
  if (limits !== undefined && hasLimit(limits)) scopes.push(`tenant:${tenant}`);
  if (key !== null && hasLimit(key.budget)) scopes.push(`key:${key.id}`);
  return scopes;
}
