import type { Schedule } from './genai.ts';
import { nusdFromUsd } from './money.ts';
import { makePrice, type Rates } from './price.ts';

const USD_PER_MTOK = { input: '0.15', cachedInput: '0.075', output: '0.60' } as const;

/**
 * Price of the deterministic `sandbox` models. Nobody bills for them: the price exists so that a trial shows how costs,
 * budgets and reports behave, at the level of a small hosted model. Local models have no price unless one is configured.
 */
export function sandboxSchedule(model: string): Schedule {
  const input = nusdFromUsd(USD_PER_MTOK.input);
  const output = nusdFromUsd(USD_PER_MTOK.output);
  const rates: Rates = {
    input,
    cached_input: nusdFromUsd(USD_PER_MTOK.cachedInput),
    cache_write: input,
    cache_write_1h: input,
    input_audio: input,
    output,
    output_audio: output,
    request: 0n,
  };
  const identity = {
    source: 'builtin',
    sourceVersion: '1',
    provider: 'sandbox',
    model,
    effective: '2026-01-01',
  } as const;
  const price = makePrice(identity, { rates, tiers: [], contextTokens: null, unmetered: [] });
  return [{ price, fromMs: Date.parse('2026-01-01'), window: null }];
}
