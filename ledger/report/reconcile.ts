import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { LedgerError } from '../error.ts';
import type { KeyRing } from '../keyring.ts';
import { openSections } from '../sections.ts';
import { readEntries } from '../stored.ts';
import type { StoredEntry } from '../stored.ts';
import { asObject } from '../verify/call-check.ts';
import { textOf } from './events.ts';
import type { EvidenceReport, ReportCell } from './report.ts';
import { readUsageFile } from './usage-file.ts';
import type { BilledCall } from './usage-file.ts';

/** A provider's usage export is compared with the outcomes of a time. */
export interface ReconcileOptions {
  readonly provider: string;
  /** Path of a CSV file, one call a row (docs/self-evidence.md). */
  readonly usage: string;
  /** Tenants whose calls the provider's account serves. */
  readonly tenants: readonly string[];
  /** [fromMs, toMs) of the outcomes, unix ms; outcomes a day before and after are looked at before a billed call counts as unseen. */
  readonly fromMs: number;
  readonly toMs: number;
}

const MAX_BILLED = 2_000_000;
const DAY_MS = 86_400_000;

/** The calls the provider billed that the ledger does not know, and the other way round. */
export async function reconcileReport(
  sql: postgres.Sql,
  keys: KeyRing,
  options: ReconcileOptions,
): Promise<EvidenceReport> {
  const book = new Reconciliation(await readBilled(options.usage), options);
  for (const tenant of options.tenants) await readOutcomesOf(sql, keys, tenant, options, book);
  return book.report();
}

async function readBilled(path: string): Promise<Map<string, BilledCall>> {
  const billed = new Map<string, BilledCall>();
  for await (const call of readUsageFile(path)) {
    billed.set(call.requestId, call);
    if (billed.size > MAX_BILLED)
      throw new LedgerError(
        'invalid_value',
        `expected at most ${String(MAX_BILLED)} calls in one usage export, found more`,
      );
  }
  return billed;
}

async function readOutcomesOf(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  { fromMs, toMs }: ReconcileOptions,
  book: Reconciliation,
): Promise<void> {
  const logs = await sql<{ log: string; first: string; end: string }[]>`
    select log, ledger.first_at(log, ${fromMs - DAY_MS}) as first, ledger.first_at(log, ${toMs + DAY_MS}) as end
    from ledger.logs where tenant = ${tenant} order by inc`;
  for (const { log, first, end } of logs) {
    for await (const entry of readEntries(sql, log, Number(first), Number(end) - 1)) {
      if (entry.kind !== 'outcome' && entry.kind !== 'late_outcome') continue;
      const { sections } = await openSections(entry, tenant, keys);
      const outcome = sections.get('outcome');
      const { request_id: id } = asObject(outcome === undefined ? null : (JSON.parse(outcome.text) as JsonValue));
      book.add(tenant, entry, asObject(JSON.parse(entry.facts) as JsonValue), textOf(id));
    }
  }
}

class Reconciliation {
  readonly #billed: Map<string, BilledCall>;
  readonly #options: ReconcileOptions;
  readonly #rows: ReportCell[][] = [];
  #matched = 0;
  #unnamed = 0;

  constructor(billed: Map<string, BilledCall>, options: ReconcileOptions) {
    this.#billed = billed;
    this.#options = options;
  }

  add(tenant: string, entry: StoredEntry, facts: { [name: string]: JsonValue }, id: string | null): void {
    const { provider, fromMs, toMs } = this.#options;
    if (facts['provider'] !== provider) return;
    const isInside = entry.timeMs >= fromMs && entry.timeMs < toMs;
    const billed = id === null ? undefined : this.#billed.get(id);
    const place = [tenant, entry.call, entry.seq] as const;
    if (id !== null && billed !== undefined) {
      this.#billed.delete(id);
      this.#matched += 1;
      this.#compare(id, place, asObject(facts['usage']), billed);
      return;
    }
    if (!isInside) return;
    if (id === null) this.#unnamed += 1;
    // A call that the provider refused costs nothing and is on no bill.
    else if (facts['status'] === 'ok') this.#rows.push(['seen, not billed', id, ...place, null]);
  }

  #compare(
    id: string,
    place: readonly [string, string, number],
    usage: { [name: string]: JsonValue },
    billed: BilledCall,
  ): void {
    const parts = [
      ['input', countOf(usage['input_tokens']), billed.inputTokens],
      ['output', countOf(usage['output_tokens']), billed.outputTokens],
    ] as const;
    const apart = parts
      .filter(([, ours, theirs]) => ours !== null && theirs !== null && ours !== theirs)
      .map(([name, ours, theirs]) => `${name} ${String(ours)} here, ${String(theirs)} billed`);
    if (apart.length > 0) this.#rows.push(['tokens differ', id, ...place, apart.join('; ')]);
  }

  report(): EvidenceReport {
    const unseen = [...this.#billed.values()].map((call): ReportCell[] => [
      'billed, never seen', call.requestId, null, null, null, tokensOf(call),
    ]); // prettier-ignore
    const rows = [...unseen, ...this.#rows];
    const count = (what: string): number => rows.filter(([kind]) => kind === what).length;
    const found = ['billed, never seen', 'seen, not billed', 'tokens differ'].map(
      (what) => [what, count(what)] as const,
    );
    return {
      name: 'reconcile',
      title: `${this.#options.provider}: ${String(this.#matched)} calls are on the bill and in the ledger`,
      columns: ['what', 'request id', 'tenant', 'call', 'entry', 'detail'],
      rows,
      findings: found.filter(([, n]) => n > 0).map(([what, n]) => `${String(n)} calls: ${what}.`),
      limits: [
        `${String(this.#unnamed)} outcomes of the time carry no request id of the provider and cannot be on either side.`,
        'Calls with another account or key of the provider than the one on the bill.',
      ],
    };
  }
}

function countOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

function tokensOf({ inputTokens, outputTokens }: BilledCall): string | null {
  return inputTokens === null && outputTokens === null
    ? null
    : `${String(inputTokens)} in, ${String(outputTokens)} out`;
}
