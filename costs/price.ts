import { hash } from 'node:crypto';

/**
 * What one call can be charged for. Token meters never overlap: `input` is what is left of the prompt after the more
 * specific ones, `output` likewise, so a token is counted on exactly one line.
 */
export const METERS = [
  'input',
  'cached_input',
  'cache_write',
  'cache_write_1h',
  'input_audio',
  'output',
  'output_audio',
  'request',
] as const;

/** Name of one meter. */
export type Meter = (typeof METERS)[number];

/** Nano-USD per million units, for every meter. */
export type Rates = Readonly<Record<Meter, bigint>>;

/** Rates that replace the base rates for the whole call once its input has more than `aboveInputTokens` tokens. */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly rates: Rates;
}

export type PriceSource = 'genai' | 'builtin' | 'config';

/** A dated price of one model, identified so that a recorded cost can be recomputed. */
export interface Price {
  /** `<source>:<provider>/<model>@<effective date>`, at most 64 characters of `[a-z0-9._:/@-]`. */
  readonly id: string;
  /** `<version of the source>-<first 16 hex digits of SHA-256 over every rate>`: the same version means the same rates. */
  readonly version: string;
  readonly currency: 'USD';
  readonly source: PriceSource;
  readonly rates: Rates;
  /** Context tiers, ascending. */
  readonly tiers: readonly PriceTier[];
  /** Most tokens the model can read, where the source knows. */
  readonly contextTokens: number | null;
  /** Names of rates in the source that depend on units no usage report carries (web searches, pages, …). */
  readonly unmetered: readonly string[];
}

export interface PriceIdentity {
  readonly source: PriceSource;
  readonly sourceVersion: string;
  readonly provider: string;
  readonly model: string;
  /** `YYYY-MM-DD`, or `initial` for a price whose first day the source does not know; a daily window may follow. */
  readonly effective: string;
}

export interface PriceTable {
  readonly rates: Rates;
  readonly tiers: readonly PriceTier[];
  readonly contextTokens: number | null;
  readonly unmetered: readonly string[];
}

/** Builds a price whose id and version follow from its content, so that a recorded price can be recomputed. */
export function makePrice(identity: PriceIdentity, table: PriceTable): Price {
  const name = `${identity.source}:${identity.provider}/${identity.model}@${identity.effective}`;
  const content = JSON.stringify([
    name,
    rateTexts(table.rates),
    table.tiers.map((tier) => [tier.aboveInputTokens, rateTexts(tier.rates)]),
  ]);
  return {
    id: boundedId(name),
    version: `${identity.sourceVersion}-${hash('sha256', content, 'hex').slice(0, 16)}`,
    currency: 'USD',
    source: identity.source,
    ...table,
  };
}

function rateTexts(rates: Rates): string[] {
  return METERS.map((meter) => String(rates[meter]));
}

/** Long or unusual names keep a readable start and end in a digest of the full name, so that ids stay distinct. */
function boundedId(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9._:/@-]/g, '-');
  if (plain === name && plain.length <= 64) return plain;
  return `${plain.slice(0, 55)}-${hash('sha256', name, 'hex').slice(0, 8)}`;
}
