import { formatReport, monthlyReport, monthRange, type ReportFormat } from '../../costs/index.ts';
import { readOutcomes } from '../../ledger/index.ts';
import { CliError } from '../errors.ts';
import { withReading } from '../key-desk.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

const FORMATS = ['table', 'csv', 'json'] as const satisfies readonly ReportFormat[];

async function report(context: VerbContext): Promise<Answer> {
  const config = context.project.config();
  const tenant = context.args.required('tenant');
  if (!config.tenants.has(tenant)) {
    throw new CliError(
      'not_found',
      `Expected a tenant of the configuration (${[...config.tenants.keys()].join(', ')}), found "${tenant.slice(0, 41)}".`,
    );
  }
  const month = context.args.text('month') ?? new Date(context.now()).toISOString().slice(0, 7);
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new CliError('usage', `--month: expected a month like 2026-11, found "${month.slice(0, 20)}".`);
  const { fromMs, toMs } = monthRange(month);
  const result = await withReading(context, { tenant, verb: 'costs.read' }, ({ sql }) =>
    monthlyReport(readOutcomes(sql, tenant, fromMs, toMs), { tenant, month }),
  );
  const format = FORMATS.find((name) => name === context.args.text('format')) ?? 'table';
  const data = JSON.parse(formatReport(result, 'json')) as Json;
  return { exit: 0, data, text: formatReport(result, format) };
}

export const verbs: readonly Verb[] = [
  {
    path: ['costs', 'report'],
    summary: 'Adds up what the calls of a tenant cost in a month, from the ledger alone.',
    options: {
      tenant: { value: 'ID', help: 'Tenant to report on.', required: true },
      month: { value: 'YYYY-MM', help: 'Month in UTC; default the current one.' },
      format: { value: 'FORMAT', help: 'How to print it; default table.', choices: FORMATS },
    },
    example: 'countersign costs report --tenant demo --month 2026-11 --format csv',
    details: 'Open calls and calls of unknown outcome are lines of their own: their cost is reserved, not known.',
    run: report,
  },
];
