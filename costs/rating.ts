import { CostsError } from './errors.ts';
import { divideHalfEven, divideUp, RATE_UNITS } from './money.ts';
import { METERS, type Meter, type Price, type Rates } from './price.ts';
import type { Usage } from './usage.ts';

/** One meter of one call. */
export interface RatedLine {
  readonly meter: Meter;
  readonly units: number;
  /** Nano-USD per million units, after choosing the context tier. */
  readonly rate: bigint;
  /** `units × rate / 1 000 000`, rounded half-even once. */
  readonly nusd: bigint;
}

/** The cost of one call. */
export interface Rated {
  /** One line per meter with units, in the order of `METERS`. */
  readonly lines: readonly RatedLine[];
  /** Exact sum of the lines. */
  readonly nusd: bigint;
}

/**
 * The cost of one call. The context tier is chosen by the whole prompt (cached part included) and applies to every
 * token of the call, as providers that publish tiers bill.
 *
 * @throws CostsError `invalid_usage` when counts are not integers ≥ 0 or parts exceed their total
 */
export function rate(price: Price, usage: Usage): Rated {
  const units = splitUsage(usage);
  const rates = ratesFor(price, usage.input_tokens);
  const lines: RatedLine[] = [];
  let total = 0n;
  for (const meter of METERS) {
    const count = units[meter];
    if (count === 0 || (meter === 'request' && rates.request === 0n)) continue;
    const nusd = divideHalfEven(BigInt(count) * rates[meter], RATE_UNITS);
    lines.push({ meter, units: count, rate: rates[meter], nusd });
    total += nusd;
  }
  return { lines, nusd: total };
}

/** The lines as a JSON value for the ledger: with price id and version an auditor recomputes the cost from it alone. */
export function ratedFacts(rated: Rated): { meter: string; units: number; rate: string; nusd: string }[] {
  return rated.lines.map(({ meter, units, rate: applied, nusd }) => ({
    meter,
    units,
    rate: String(applied),
    nusd: String(nusd),
  }));
}

/**
 * An amount that no call with at most this many tokens can exceed, for reservations: every token at the most expensive
 * rate of any tier within reach, rounded up, plus what rounding line by line can add.
 *
 * @param bound.inputTokens upper bound, see `inputTokenBound`
 * @param bound.outputTokens upper bound over all choices: the output cap times `n`
 */
export function worstCase(
  price: Price,
  bound: { readonly inputTokens: number; readonly outputTokens: number },
): bigint {
  requireCount(bound.inputTokens, 'inputTokens');
  requireCount(bound.outputTokens, 'outputTokens');
  const { input, output, request } = highestRates(price, bound.inputTokens);
  const most = BigInt(bound.inputTokens) * input + BigInt(bound.outputTokens) * output + request;
  return divideUp(most, RATE_UNITS) + BigInt(METERS.length);
}

interface HighestRates {
  readonly input: bigint;
  readonly output: bigint;
  readonly request: bigint;
}

/** Of prices without tiers, which every call of a model asks for again. */
const flatRates = new WeakMap<Price, HighestRates>();

function highestRates(price: Price, inputTokens: number): HighestRates {
  const known = flatRates.get(price);
  if (known !== undefined) return known;
  const tiers = price.tiers.filter((tier) => inputTokens > tier.aboveInputTokens).map((tier) => tier.rates);
  const highest = (...meters: readonly Meter[]): bigint =>
    [price.rates, ...tiers].flatMap((rates) => meters.map((meter) => rates[meter])).reduce((a, b) => (a > b ? a : b));
  const rates = {
    input: highest('input', 'cached_input', 'cache_write', 'cache_write_1h', 'input_audio'),
    output: highest('output', 'output_audio'),
    request: highest('request'),
  };
  if (price.tiers.length === 0) flatRates.set(price, rates);
  return rates;
}

function ratesFor(price: Price, inputTokens: number): Rates {
  return price.tiers.findLast((tier) => inputTokens > tier.aboveInputTokens)?.rates ?? price.rates;
}

/** Splits totals into meters that do not overlap, so that no token is charged twice. */
function splitUsage(usage: Usage): Record<Meter, number> {
  const hourWrites = usage.cache_write_1h_tokens ?? 0;
  const inputAudio = usage.input_audio_tokens ?? 0;
  const outputAudio = usage.output_audio_tokens ?? 0;
  const units = {
    input: usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens - inputAudio,
    cached_input: usage.cached_input_tokens,
    cache_write: usage.cache_write_tokens - hourWrites,
    cache_write_1h: hourWrites,
    input_audio: inputAudio,
    output: usage.output_tokens - outputAudio,
    output_audio: outputAudio,
    request: 1,
  };
  requireCount(usage.input_tokens, 'input_tokens');
  requireCount(usage.output_tokens, 'output_tokens');
  for (const meter of METERS) requireCount(units[meter], meter);
  return units;
}

function requireCount(value: number, name: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new CostsError(
    'invalid_usage',
    `expected ${name} to be an integer from 0 to 2^53-1 after removing its parts, found ${value}`,
  );
}
