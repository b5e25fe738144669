import { CostsError } from './errors.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** One forwarded call as the ledger recorded it. */
export interface CostRecord {
  readonly call: string;
  /** `facts` of the outcome (a late outcome's when there is one); null while the call is open. */
  readonly facts: JsonValue;
  /** `facts` of the decision: the deployment and the reservation of a call without an outcome. */
  readonly decisionFacts?: JsonValue;
}

/**
 * - `settled`: answered (or broken off) and priced;
 * - `unpriced`: answered, but no price was known;
 * - `unknown`: closed by a survivor after its process died; its reservation stays until reconciled;
 * - `open`: no outcome yet.
 */
export type CallState = 'settled' | 'unpriced' | 'unknown' | 'open';

export interface CallCost {
  readonly state: CallState;
  readonly provider: string;
  readonly model: string;
  readonly deployment: string;
  readonly priceId: string | null;
  readonly costNusd: bigint | null;
  readonly reservedNusd: bigint;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly estimated: boolean;
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

/**
 * Reads what a report needs from a call's facts. Facts are ours, so what does not fit is an error and not a guess.
 *
 * @returns null for a call that was never forwarded (a decision that did not allow it)
 * @throws CostsError `invalid_record`
 */
export function readRecord(record: CostRecord): CallCost | null {
  const outcome = fields(record.facts);
  const decision = fields(record.decisionFacts);
  // What was applied: a denial that was only observed was forwarded, an answer to another enforcement point was not.
  const applied = text(decision['applied'] ?? decision['effect'] ?? 'allow');
  if (record.facts === null && applied !== 'allow') return null;
  const costNusd = money(record, outcome['cost_nusd']);
  const state = stateOf(record, outcome, costNusd);
  const pending = state === 'open' || state === 'unknown';
  const usage = fields(outcome['usage']);
  return {
    state,
    ...servedBy(outcome, decision),
    priceId: state === 'settled' ? text(outcome['price_id']) || null : null,
    costNusd: state === 'settled' ? costNusd : null,
    reservedNusd: pending
      ? (money(record, outcome['reserved_nusd'] ?? decision['reserved_nusd']) ?? costNusd ?? 0n)
      : 0n,
    inputTokens: units(record, usage['input_tokens']),
    cachedInputTokens: units(record, usage['cached_input_tokens']),
    cacheWriteTokens: units(record, usage['cache_write_tokens']),
    outputTokens: units(record, usage['output_tokens']),
    estimated: usage['estimated'] === true,
  };
}

function stateOf(record: CostRecord, outcome: Fields, costNusd: bigint | null): CallState {
  if (record.facts === null) return 'open';
  if (outcome['status'] === 'unknown') return 'unknown';
  return costNusd === null ? 'unpriced' : 'settled';
}

function servedBy(outcome: Fields, decision: Fields): Pick<CallCost, 'provider' | 'model' | 'deployment'> {
  const named = (name: string): string => text(outcome[name]) || text(decision[name]) || '-';
  return { provider: named('provider'), model: named('model'), deployment: named('deployment') };
}

function fields(value: JsonValue | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function units(record: CostRecord, value: JsonValue | undefined): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unreadable(record, 'token counts that are integers ≥ 0');
}

function money(record: CostRecord, value: JsonValue | undefined): bigint | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && /^\d{1,30}$/.test(value)) return BigInt(value);
  throw unreadable(record, 'amounts as decimal strings of nano-USD');
}

function unreadable(record: CostRecord, expected: string): CostsError {
  return new CostsError(
    'invalid_record',
    `expected ${expected} in the facts of call ${record.call}, found something else; verify the ledger`,
  );
}
