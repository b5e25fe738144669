import { CostsError } from './errors.ts';
import type { Schedule } from './genai.ts';
import { nusdFromUsd } from './money.ts';
import { makePrice, type Price, type Rates } from './price.ts';

/**
 * A price agreed with a provider or computed for an own model, from the configuration. Amounts are USD per million
 * tokens, as decimal text or number. In force from its first day (UTC) on, it wins over every other source.
 */
export interface PriceOverride {
  /** Name of the provider in the configuration. */
  readonly provider: string;
  /** Exact name of the provider's model. */
  readonly model: string;
  /** First day, `YYYY-MM-DD`. */
  readonly from: string;
  readonly inputUsdPerMtok: string | number;
  readonly outputUsdPerMtok: string | number;
  /** Null or absent: the input rate. */
  readonly cachedInputUsdPerMtok?: string | number | null;
  /** Null or absent: the input rate. */
  readonly cacheWriteUsdPerMtok?: string | number | null;
  /** The provider's service tier this price is for (`flex`, `priority`, …); null or absent: the standard tier. */
  readonly serviceTier?: string | null;
}

/**
 * Groups overrides into one schedule per provider, model and service tier.
 *
 * @throws CostsError `invalid_price` for a malformed date or amount, or two prices starting on the same day
 */
export function overrideSchedules(overrides: readonly PriceOverride[]): Map<string, Schedule> {
  const schedules = new Map<string, { price: Price; fromMs: number; window: null }[]>();
  for (const override of overrides) {
    const key = scheduleKey(override.provider, override.model, override.serviceTier ?? null);
    const schedule = schedules.get(key) ?? [];
    const fromMs = firstDay(override);
    if (schedule.some((entry) => entry.fromMs === fromMs)) {
      throw new CostsError(
        'invalid_price',
        `expected one price per day, found two for ${label(override)}; remove one or change its date`,
      );
    }
    schedule.push({ price: overridePrice(override), fromMs, window: null });
    schedules.set(key, schedule);
  }
  for (const schedule of schedules.values()) schedule.sort((a, b) => a.fromMs - b.fromMs);
  return schedules;
}

/** Map key of a model at a provider in a service tier; names cannot hold the separator's control character. */
export function scheduleKey(provider: string, model: string, serviceTier: string | null): string {
  return `${provider}\u0000${model}\u0000${serviceTier ?? ''}`;
}

function overridePrice(override: PriceOverride): Price {
  const input = nusdFromUsd(override.inputUsdPerMtok);
  const output = nusdFromUsd(override.outputUsdPerMtok);
  const cacheWrite = nusdFromUsd(override.cacheWriteUsdPerMtok ?? override.inputUsdPerMtok);
  const rates: Rates = {
    input,
    cached_input: nusdFromUsd(override.cachedInputUsdPerMtok ?? override.inputUsdPerMtok),
    cache_write: cacheWrite,
    cache_write_1h: cacheWrite,
    input_audio: input,
    output,
    output_audio: output,
    request: 0n,
  };
  const model = (override.serviceTier ?? null) === null ? override.model : `${override.model}:${override.serviceTier}`;
  const identity = {
    source: 'config',
    sourceVersion: 'config',
    provider: override.provider,
    model,
    effective: override.from,
  } as const;
  return makePrice(identity, { rates, tiers: [], contextTokens: null, unmetered: [] });
}

function firstDay(override: PriceOverride): number {
  const fromMs = /^\d{4}-\d{2}-\d{2}$/.test(override.from) ? Date.parse(override.from) : Number.NaN;
  if (Number.isNaN(fromMs) || !new Date(fromMs).toISOString().startsWith(override.from)) {
    throw new CostsError('invalid_price', `expected a calendar day YYYY-MM-DD for ${label(override)}`);
  }
  return fromMs;
}

function label(override: PriceOverride): string {
  return `the price of ${override.provider}/${override.model} from ${JSON.stringify(override.from)}`;
}
