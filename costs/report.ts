import { CostsError } from './errors.ts';
import { readRecord, type CallCost, type CostRecord, type CallState } from './record.ts';

/** Sums over a set of calls. */
export interface CostTotals {
  calls: number;
  input_tokens: number;
  cached_input_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  /** Nano-USD of settled, priced calls. */
  cost_nusd: bigint;
  /** Nano-USD held for calls whose cost is not known yet: open and `unknown` ones. */
  reserved_nusd: bigint;
  /** Calls whose token counts are ours, and their part of `cost_nusd`. */
  estimated_calls: number;
  estimated_nusd: bigint;
}

/** Calls of one deployment at one price in one state. */
export interface CostLine extends CostTotals {
  readonly state: CallState;
  readonly provider: string;
  readonly model: string;
  readonly deployment: string;
  /** Id of the price; null where none was applied. */
  readonly price_id: string | null;
}

/** The calls of one tenant in one month. */
export interface CostReport {
  readonly tenant: string;
  readonly month: string;
  readonly currency: 'USD';
  /** Sorted by provider, model, deployment, state, price. */
  readonly lines: readonly CostLine[];
  /** Exact sums of the lines. */
  readonly total: CostTotals;
  readonly calls_by_state: Readonly<Record<CallState, number>>;
  /** Part of `total.cost_nusd` that rests on estimated counts, in millionths. */
  readonly estimated_ppm: number;
}

/**
 * First instant of a month and of the next one, UTC, unix ms: the range of calls a report covers.
 *
 * @param month `YYYY-MM`
 * @throws CostsError `invalid_month`
 */
export function monthRange(month: string): { fromMs: number; toMs: number } {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month);
  if (match === null)
    throw new CostsError('invalid_month', `expected a month like 2026-11, found ${JSON.stringify(month)}`);
  const [year, index] = [Number(match[1]), Number(match[2])];
  return { fromMs: Date.UTC(year, index - 1), toMs: Date.UTC(year, index) };
}

/**
 * Sums the calls of one tenant and month from what the ledger recorded. Every call appears in exactly one line; a call
 * without a known cost is a call on a line of its own state, never a zero. One pass, memory bounded by the number of
 * distinct lines.
 *
 * @param records as `readOutcomes` of the ledger yields them for `monthRange(month)`
 * @throws CostsError `invalid_month`, or `invalid_record` naming the call whose facts cannot be read
 */
export async function monthlyReport(
  records: Iterable<CostRecord> | AsyncIterable<CostRecord>,
  { tenant, month }: { readonly tenant: string; readonly month: string },
): Promise<CostReport> {
  monthRange(month);
  const lines = new Map<string, CostLine>();
  for await (const record of records) {
    const call = readRecord(record);
    if (call !== null) addCall(lineFor(lines, call), call);
  }
  return summarise(tenant, month, [...lines.values()].sort(byName));
}

function lineFor(lines: Map<string, CostLine>, call: CallCost): CostLine {
  const { state, provider, model, deployment, priceId } = call;
  const key = JSON.stringify([provider, model, deployment, state, priceId]);
  const line = lines.get(key) ?? { state, provider, model, deployment, price_id: priceId, ...emptyTotals() };
  lines.set(key, line);
  return line;
}

function addCall(line: CostLine, call: CallCost): void {
  line.calls += 1;
  line.input_tokens += call.inputTokens;
  line.cached_input_tokens += call.cachedInputTokens;
  line.cache_write_tokens += call.cacheWriteTokens;
  line.output_tokens += call.outputTokens;
  line.cost_nusd += call.costNusd ?? 0n;
  line.reserved_nusd += call.reservedNusd;
  line.estimated_calls += call.estimated ? 1 : 0;
  line.estimated_nusd += call.estimated ? (call.costNusd ?? 0n) : 0n;
}

function summarise(tenant: string, month: string, lines: readonly CostLine[]): CostReport {
  const total = emptyTotals();
  const states: Record<CallState, number> = { settled: 0, unpriced: 0, unknown: 0, open: 0 };
  for (const line of lines) {
    states[line.state] += line.calls;
    total.calls += line.calls;
    total.input_tokens += line.input_tokens;
    total.cached_input_tokens += line.cached_input_tokens;
    total.cache_write_tokens += line.cache_write_tokens;
    total.output_tokens += line.output_tokens;
    total.cost_nusd += line.cost_nusd;
    total.reserved_nusd += line.reserved_nusd;
    total.estimated_calls += line.estimated_calls;
    total.estimated_nusd += line.estimated_nusd;
  }
  const estimatedPpm = total.cost_nusd === 0n ? 0 : Number((total.estimated_nusd * 1_000_000n) / total.cost_nusd);
  return { tenant, month, currency: 'USD', lines, total, calls_by_state: states, estimated_ppm: estimatedPpm };
}

function emptyTotals(): CostTotals {
  return {
    calls: 0,
    input_tokens: 0,
    cached_input_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 0,
    cost_nusd: 0n,
    reserved_nusd: 0n,
    estimated_calls: 0,
    estimated_nusd: 0n,
  };
}

/** Code-unit order, so that two machines with different locales print the same report. */
function byName(a: CostLine, b: CostLine): number {
  const key = (line: CostLine): string[] => [
    line.provider,
    line.model,
    line.deployment,
    line.state,
    line.price_id ?? '',
  ];
  const [left, right] = [key(a), key(b)];
  const at = left.findIndex((part, index) => part !== right[index]);
  if (at === -1) return 0;
  return (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}
