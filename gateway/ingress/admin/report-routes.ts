/** Money: the monthly report from the ledger, and what is left of the budgets. */
import { z } from 'zod';
import { formatReport, monthlyReport, monthRange } from '../../../costs/index.ts';
import {
  readBudgets,
  readOutcomes,
  type BudgetPeriod,
  type BudgetState,
  type JsonValue,
} from '../../../ledger/index.ts';
import { listKeys } from '../../access/keys.ts';
import { hasLimit } from '../../config.ts';
import { GatewayError } from '../../errors.ts';
import { answer, route, type AdminCall, type AdminRoute } from './route.ts';

const costsQuery = z.object({
  month: z
    .string()
    .regex(/^\d{4}-\d{2}$/, { error: 'expected a month like 2026-11' })
    .describe('Month, UTC.'),
  format: z.enum(['json', 'csv', 'table']).default('json'),
});

const CONTENT_TYPES = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  table: 'text/plain; charset=utf-8',
} as const;

export const REPORT_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/costs',
    verb: 'costs.read',
    summary: 'Costs of a tenant in a month, computed from the ledger.',
    query: costsQuery,
    answers: { 200: 'The report.' },
    evidence: 'access',
    handle: async ({ deps, scope, query: { month, format } }) => {
      if (scope === null)
        throw new GatewayError('invalid_request', 'Name the tenant of the report.', { param: 'tenant' });
      const { fromMs, toMs } = monthRange(month);
      const report = await monthlyReport(readOutcomes(deps.sql, scope, fromMs, toMs), { tenant: scope, month });
      return { status: 200, text: formatReport(report, format), contentType: CONTENT_TYPES[format] };
    },
  }),
  route({
    method: 'GET',
    path: '/api/budgets',
    verb: 'costs.read',
    summary: 'Limits, spending and reservations of the organisation, tenants and keys, as of now.',
    answers: { 200: 'The scopes that have a limit.' },
    evidence: 'access',
    handle: async (call) => {
      const states = await readBudgets(call.deps.sql, await scopesOf(call));
      return answer({ budgets: states.map(budgetAnswer) });
    },
  }),
];

async function scopesOf({ deps, scope }: AdminCall<unknown, unknown>): Promise<string[]> {
  const { config } = deps.current();
  const tenants = scope === null ? [...config.tenants.keys()] : [scope];
  // The first page of keys: budgets of single keys are few, and each is also at its key.
  const keys = await listKeys(deps.sql, { tenant: scope });
  return [
    ...(scope === null ? ['org'] : []),
    ...tenants.map((tenant) => `tenant:${tenant}`),
    ...keys.filter((key) => hasLimit(key.budget)).map((key) => `key:${key.id}`),
  ];
}

function budgetAnswer({ scope, day, week, month, reserved, remaining }: BudgetState): JsonValue {
  const period = ({ limit, spent }: BudgetPeriod): JsonValue => ({
    limit_nusd: limit?.toString() ?? null,
    spent_nusd: spent.toString(),
  });
  return {
    scope,
    day: period(day),
    week: period(week),
    month: period(month),
    reserved_nusd: reserved.toString(),
    remaining_nusd: remaining?.toString() ?? null,
  };
}
