import { usdFromNusd } from './money.ts';
import type { CostLine, CostReport, CostTotals } from './report.ts';

/** Formats a report is printed in. */
export type ReportFormat = 'table' | 'csv' | 'json';

/** Columns of the CSV, in order; the JSON uses the same names. */
const COLUMNS = [
  'tenant',
  'month',
  'provider',
  'model',
  'deployment',
  'state',
  'price_id',
  'calls',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'cost_nusd',
  'cost_usd',
  'reserved_nusd',
  'estimated_calls',
  'estimated_nusd',
] as const;

type Column = (typeof COLUMNS)[number];

/**
 * Prints a report. Amounts are exact in every format: integers of nano-USD as decimal strings, US dollars with nine
 * places. A line whose cost is not known has an empty (CSV), `-` (table) or null (JSON) cost, not a zero.
 * - `table`: for people, with the total, the calls without a cost and the estimated share below
 * - `csv`: RFC 4180, one record a line of the report and no total (spreadsheets sum); cells a spreadsheet would run as a
 *   formula are prefixed with an apostrophe
 * - `json`: one object, total included
 */
export function formatReport(report: CostReport, format: ReportFormat): string {
  if (format === 'json') return `${JSON.stringify(jsonReport(report), null, 2)}\n`;
  return format === 'csv' ? csvReport(report) : tableReport(report);
}

function jsonReport(report: CostReport): object {
  return {
    tenant: report.tenant,
    month: report.month,
    currency: report.currency,
    lines: report.lines.map((line) => ({
      ...line,
      ...jsonAmounts(line),
      cost_nusd: knownCost(line) === null ? null : String(line.cost_nusd),
    })),
    total: { ...report.total, ...jsonAmounts(report.total), cost_usd: usdFromNusd(report.total.cost_nusd) },
    calls_by_state: report.calls_by_state,
    estimated_ppm: report.estimated_ppm,
  };
}

function jsonAmounts(totals: CostTotals): Record<'cost_nusd' | 'reserved_nusd' | 'estimated_nusd', string> {
  return {
    cost_nusd: String(totals.cost_nusd),
    reserved_nusd: String(totals.reserved_nusd),
    estimated_nusd: String(totals.estimated_nusd),
  };
}

function knownCost(line: CostLine): bigint | null {
  return line.state === 'settled' ? line.cost_nusd : null;
}

function csvReport(report: CostReport): string {
  const rows = report.lines.map((line) => {
    const cost = knownCost(line);
    const computed: Partial<Record<Column, string>> = {
      tenant: report.tenant,
      month: report.month,
      cost_nusd: cost === null ? '' : String(cost),
      cost_usd: cost === null ? '' : usdFromNusd(cost),
    };
    const values: Readonly<Partial<Record<Column, string | number | bigint | null>>> = { ...line, ...computed };
    return COLUMNS.map((column) => csvCell(String(values[column] ?? '')));
  });
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

/** RFC 4180 §2.5–2.7 quoting, after disarming what spreadsheets take for a formula. */
function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function tableReport(report: CostReport): string {
  const header = [
    'provider',
    'model',
    'state',
    'calls',
    'input',
    'cached',
    'output',
    'cost USD',
    'reserved USD',
    'price',
  ];
  const rows = report.lines.map((line) => {
    const cost = knownCost(line);
    return [...tableCounts(line.provider, line.model, line.state, line, cost), line.price_id ?? '-'];
  });
  const total = [...tableCounts('total', '', '', report.total, report.total.cost_nusd), ''];
  const table = alignColumns([header, ...rows, total].map((row) => row.map(printable)));
  return `Costs of ${printable(report.tenant)} in ${report.month} (UTC)\n\n${table}\n${remarks(report).join('\n')}\n`;
}

function tableCounts(
  provider: string,
  model: string,
  state: string,
  totals: CostTotals,
  cost: bigint | null,
): string[] {
  return [
    provider,
    model,
    state,
    String(totals.calls),
    String(totals.input_tokens),
    String(totals.cached_input_tokens),
    String(totals.output_tokens),
    cost === null ? '-' : usdFromNusd(cost),
    totals.reserved_nusd === 0n ? '-' : usdFromNusd(totals.reserved_nusd),
  ];
}

function remarks(report: CostReport): string[] {
  const { open, unknown, unpriced } = report.calls_by_state;
  const percent = `${Math.floor(report.estimated_ppm / 10_000)}.${String(Math.floor(report.estimated_ppm / 100) % 100).padStart(2, '0')}`;
  return [
    `${open} open and ${unknown} unknown calls: their cost is not in the total, their reservations are held.`,
    `${unpriced} unpriced calls: no price was known for the model on that day.`,
    `${percent} % of the cost rests on estimated token counts (${report.total.estimated_calls} calls).`,
  ];
}

/** Left-aligns names and right-aligns numbers. */
function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const isNumber = (column: number): boolean => column >= 3 && column <= 8;
  const cell = (value: string, column: number): string => {
    const width = widths[column] ?? 0;
    return isNumber(column) ? value.padStart(width) : value.padEnd(width);
  };
  return rows.map((row) => `${row.map(cell).join('  ').trimEnd()}\n`).join('');
}

/** Names come from configuration and providers: control characters must not reach a terminal. */
function printable(value: string): string {
  return value.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
