import { calcPrice, type ConditionalPrice, type ModelPrice } from '@pydantic/genai-prices';
import { nusdFromUsd } from './money.ts';
import { makePrice, METERS, type Meter, type Price, type Rates } from './price.ts';

/** Pinned release of the price data; a test compares it with the installed package. */
export const GENAI_VERSION = '0.1.8';

const DAY_MS = 86_400_000;

/** A price with the part of time it applies to. */
export interface DatedPrice {
  readonly price: Price;
  /** First instant (unix ms) the price applies; null when the source gives no first day. */
  readonly fromMs: number | null;
  /** Daily UTC window in ms since midnight, end excluded; it may cross midnight. */
  readonly window: { readonly startMs: number; readonly endMs: number } | null;
}

/** Prices of one model in the source's order: of those that apply at a time the last one counts. */
export type Schedule = readonly DatedPrice[];

/** Rate keys of the source that our meters cover, and how many millionths one unit of the source's rate is. */
const KEYS: Readonly<Record<Meter, { readonly key: string; readonly perMillion: bigint }>> = {
  input: { key: 'input_mtok', perMillion: 1n },
  cached_input: { key: 'cache_read_mtok', perMillion: 1n },
  cache_write: { key: 'cache_write_mtok', perMillion: 1n },
  cache_write_1h: { key: 'cache_write_1h_mtok', perMillion: 1n },
  input_audio: { key: 'input_audio_mtok', perMillion: 1n },
  output: { key: 'output_mtok', perMillion: 1n },
  output_audio: { key: 'output_audio_mtok', perMillion: 1n },
  request: { key: 'requests_kcount', perMillion: 1000n },
};

/** A meter without a rate of its own is charged at the rate of the meter it is a part of, as the source defines. */
const PARENT: Readonly<Partial<Record<Meter, Meter>>> = {
  cached_input: 'input',
  cache_write: 'input',
  cache_write_1h: 'cache_write',
  input_audio: 'input',
  output_audio: 'output',
};

/**
 * Looks a model up in the bundled price data of `@pydantic/genai-prices` and converts every rate exactly. Only the
 * package's rates are used: its totals are binary floating point. Nothing is fetched.
 *
 * @param provider id of the source, matched exactly ("openai"); its fuzzy matching would price unknown providers
 * @returns null when the provider or model is unknown, or when input or output has no token price
 */
export function genaiSchedule(provider: string, model: string): Schedule | null {
  const found = calcPrice({}, model, { providerId: provider });
  if (found === null || found.provider.id !== provider) return null;
  const conditions = Array.isArray(found.model.prices) ? found.model.prices : [{ prices: found.model.prices }];
  const identity = { provider, model: found.model.id, contextTokens: found.model.context_window ?? null };
  const schedule = conditions.map((condition) => datedPrice(identity, condition));
  return schedule.every((entry) => entry !== null) ? schedule : null;
}

function datedPrice(
  identity: { provider: string; model: string; contextTokens: number | null },
  { constraint, prices }: ConditionalPrice,
): DatedPrice | null {
  const rates = ratesAt(prices, 0);
  if (rates === null) return null;
  const starts = new Set(
    Object.values(prices).flatMap((value) => (typeof value === 'object' ? value.tiers.map((tier) => tier.start) : [])),
  );
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({ aboveInputTokens: start, rates: ratesAt(prices, start + 1) ?? rates }));
  const known = new Set<string>(METERS.map((meter) => KEYS[meter].key));
  const unmetered = Object.keys(prices)
    .filter((key) => !known.has(key))
    .sort();
  const { fromMs, window, effective } = applicability(constraint);
  const price = makePrice(
    { source: 'genai', sourceVersion: GENAI_VERSION, provider: identity.provider, model: identity.model, effective },
    { rates, tiers, contextTokens: identity.contextTokens, unmetered },
  );
  return { price, fromMs, window };
}

function ratesAt(prices: ModelPrice, inputTokens: number): Rates | null {
  const own = (meter: Meter): bigint | undefined => {
    const value = prices[KEYS[meter].key];
    if (value === undefined) return undefined;
    const usd =
      typeof value === 'number'
        ? value
        : (value.tiers.findLast((tier) => inputTokens > tier.start)?.price ?? value.base);
    return nusdFromUsd(usd) * KEYS[meter].perMillion;
  };
  const resolve = (meter: Meter): bigint | undefined => {
    const parent = PARENT[meter];
    return own(meter) ?? (parent === undefined ? undefined : resolve(parent));
  };
  const input = own('input');
  const output = own('output');
  if (input === undefined || output === undefined) return null;
  return Object.fromEntries(METERS.map((meter) => [meter, resolve(meter) ?? 0n])) as Record<Meter, bigint>;
}

function applicability(constraint: ConditionalPrice['constraint']): Omit<DatedPrice, 'price'> & { effective: string } {
  if (constraint === undefined) return { fromMs: null, window: null, effective: 'initial' };
  if (constraint.type === 'start_date') {
    return { fromMs: Date.parse(constraint.start_date), window: null, effective: constraint.start_date };
  }
  const { start_time, end_time } = constraint;
  const window = { startMs: msOfDay(start_time), endMs: msOfDay(end_time) };
  return { fromMs: null, window, effective: `initial:${start_time.slice(0, 5)}-${end_time.slice(0, 5)}` };
}

/** `HH:MM:SS` with an offset, as ms since UTC midnight. */
function msOfDay(time: string): number {
  return ((Date.parse(`1970-01-02T${time}`) % DAY_MS) + DAY_MS) % DAY_MS;
}

/** The price of a schedule that applies at `atMs`, or null when the schedule starts later. */
export function priceAt(schedule: Schedule, atMs: number): Price | null {
  const timeOfDayMs = ((atMs % DAY_MS) + DAY_MS) % DAY_MS;
  const applies = ({ fromMs, window }: DatedPrice): boolean => {
    if (fromMs !== null) return atMs >= fromMs;
    if (window === null) return true;
    const { startMs, endMs } = window;
    return startMs <= endMs
      ? timeOfDayMs >= startMs && timeOfDayMs < endMs
      : timeOfDayMs >= startMs || timeOfDayMs < endMs;
  };
  return schedule.findLast(applies)?.price ?? null;
}
