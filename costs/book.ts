import { sandboxSchedule } from './builtin.ts';
import { genaiSchedule, priceAt, type Schedule } from './genai.ts';
import { overrideSchedules, scheduleKey, type PriceOverride } from './override.ts';
import type { Price } from './price.ts';

/** Names of the tier every published price is for. */
const STANDARD_TIERS: ReadonlySet<string> = new Set(['auto', 'default', 'standard', 'standard_only', 'on_demand']);

/** Looked-up models kept in memory; model names come from the configuration, so this is a bound, not a working set. */
const MAX_CACHED = 10_000;

/** What is to be priced, and when. */
export interface PriceQuery {
  /** Name of the provider in the configuration. */
  readonly provider: string;
  /** The model sent to the provider (never the alias the caller asked for). */
  readonly model: string;
  /** The time of the call, unix ms: a call is priced by the day it was made. */
  readonly atMs: number;
  /** The tier the provider said it served, see `serviceTierFromOpenAi`. */
  readonly serviceTier?: string | null;
}

/** Finds the price in force for a model at a time. */
export interface PriceBook {
  /**
   * The price in force, or null when none is known: the call is then `unpriced`, never free. Precedence: configured
   * price, then the published one. A service tier other than the standard one has only configured prices.
   */
  find(query: PriceQuery): Price | null;
}

/** Where prices come from. */
export interface PriceBookOptions {
  readonly overrides?: readonly PriceOverride[];
  /**
   * Where each provider of the configuration is looked up, from `priceProvider`: an id of the price data, `sandbox`, or
   * null for unpriced. A provider that is missing here is unpriced. Without the map, names are taken as ids.
   */
  readonly providers?: ReadonlyMap<string, string | null>;
  /** Finds published prices: by default `@pydantic/genai-prices` and the built-in sandbox price. */
  readonly source?: (provider: string, model: string) => Schedule | null;
}

/**
 * @throws CostsError `invalid_price` when an override is malformed: a wrong price list stops the start
 */
export function createPriceBook(options: PriceBookOptions = {}): PriceBook {
  const overrides = overrideSchedules(options.overrides ?? []);
  const source = options.source ?? publishedSchedule;
  const cache = new Map<string, Schedule | null>();

  function published(provider: string, model: string): Schedule | null {
    const id = options.providers === undefined ? provider : (options.providers.get(provider) ?? null);
    if (id === null) return null;
    const key = scheduleKey(id, model, null);
    const known = cache.get(key);
    if (known !== undefined) return known;
    if (cache.size >= MAX_CACHED) cache.clear();
    const schedule = source(id, model);
    cache.set(key, schedule);
    return schedule;
  }

  function find({ provider, model, atMs, serviceTier = null }: PriceQuery): Price | null {
    const tier = serviceTier === null || STANDARD_TIERS.has(serviceTier) ? null : serviceTier;
    const own = overrides.get(scheduleKey(provider, model, tier));
    const configured = own === undefined ? null : priceAt(own, atMs);
    if (configured !== null || tier !== null) return configured;
    const schedule = published(provider, model);
    return schedule === null ? null : priceAt(schedule, atMs);
  }

  return { find };
}

function publishedSchedule(provider: string, model: string): Schedule | null {
  return provider === 'sandbox' ? sandboxSchedule(model) : genaiSchedule(provider, model);
}
