import type { JsonValue } from '../canonical.ts';
import { asObject } from '../verify/call-check.ts';
import { isoTime } from './viewed.ts';
import type { ViewedEntry } from './viewed.ts';

const COLUMNS = [
  'log', 'seq', 'hash', 'time', 'kind', 'call', 'writer', 'effect', 'status', 'code', 'model', 'deployment', 'provider',
  'input_tokens', 'output_tokens', 'booked_nusd', 'rules', 'facts',
] as const; // prettier-ignore

/** First line of entries.csv. */
export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`;

/** One entry as a line (RFC 4180). It is a view: `log`, `seq` and `hash` lead to the entry that counts. */
export function csvRow(entry: ViewedEntry, facts: JsonValue): string {
  const known = asObject(facts);
  const usage = asObject(known['usage']);
  const cells: Record<(typeof COLUMNS)[number], JsonValue | undefined> = {
    log: entry.log,
    seq: entry.seq,
    hash: entry.hash,
    time: isoTime(entry.timeMs),
    kind: entry.kind,
    call: entry.call,
    writer: entry.wid,
    effect: known['effect'],
    status: known['status'],
    code: known['code'],
    model: known['model'],
    deployment: known['deployment'],
    provider: known['provider'],
    input_tokens: usage['input_tokens'],
    output_tokens: usage['output_tokens'],
    booked_nusd: asObject(known['ledger'])['booked_nusd'],
    rules: Array.isArray(known['rules'])
      ? known['rules'].filter((rule) => typeof rule === 'string').join(' ')
      : undefined,
    facts: entry.facts,
  };
  return `${COLUMNS.map((name) => csvCell(cells[name])).join(',')}\r\n`;
}

/**
 * A cell that no spreadsheet takes for a formula: one that starts with = + - @, tab or carriage return gets an apostrophe in front
 * (OWASP, CSV injection). Always quoted when it holds anything but letters, digits and a few harmless signs.
 */
export function csvCell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /^[A-Za-z0-9._:/ -]*$/.test(safe) ? safe : `"${safe.replaceAll('"', '""')}"`;
}
