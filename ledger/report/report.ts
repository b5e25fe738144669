import { csvCell } from '../export/view-csv.ts';

/** One value of a report; null where nothing is known. */
export type ReportCell = string | number | null;

/** A report about the deployment itself, made from its entries. */
export interface EvidenceReport {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ReportCell[])[];
  /** What somebody has to look at, one sentence each; empty when nothing stands out. */
  readonly findings: readonly string[];
  /** What the report does not show. */
  readonly limits: readonly string[];
}

/** The rows as CSV (RFC 4180) in which no cell is a formula. */
export function reportCsv({ columns, rows }: EvidenceReport): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** The report as text in columns. */
export function reportTable({ title, columns, rows, findings, limits }: EvidenceReport): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => (cell === null ? '-' : printable(String(cell)))));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ').trimEnd()); // prettier-ignore
  const found = findings.length === 0 ? ['Nothing stands out.'] : ['To look at:', ...findings.map(bullet)];
  return [title, '', ...lines, '', ...found, 'Not shown:', ...limits.map(bullet)].join('\n');
}

function bullet(text: string): string {
  return `  - ${printable(text)}`;
}

/** Names and reasons come from outside: a terminal must not take them for commands. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\u00b7');
}
