import { readFileSync } from 'node:fs';
import { calcPrice, waitForUpdate } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { GENAI_VERSION, genaiSchedule, priceAt } from '../../costs/genai.ts';
import { createPriceBook, CostsError, nusdFromUsd, priceProvider, type PriceOverride } from '../../costs/index.ts';

const NOV_2026 = Date.parse('2026-11-15T12:00:00Z');
const book = createPriceBook();

describe('published prices', () => {
  test('are exact integers of nano-USD per million tokens', () => {
    const price = book.find({ provider: 'openai', model: 'gpt-4o-mini', atMs: NOV_2026 });
    expect(price).toMatchObject({
      id: 'genai:openai/gpt-4o-mini@initial',
      currency: 'USD',
      source: 'genai',
      contextTokens: 128_000,
    });
    expect(price?.rates).toMatchObject({ input: 150_000_000n, cached_input: 75_000_000n, output: 600_000_000n });
    // Without a rate of their own, tokens written to the cache are charged as input.
    expect(price?.rates.cache_write).toBe(150_000_000n);
    expect(price?.unmetered).toEqual(['storage_searches_kcount', 'web_searches_kcount']);
  });

  test('follow the date of the call', () => {
    const before = book.find({ provider: 'openai', model: 'o3', atMs: Date.parse('2025-06-09T23:59:59.999Z') });
    const after = book.find({ provider: 'openai', model: 'o3', atMs: Date.parse('2025-06-10T00:00:00Z') });
    expect([before?.id, before?.rates.input]).toEqual(['genai:openai/o3@initial', 10_000_000_000n]);
    expect([after?.id, after?.rates.input]).toEqual(['genai:openai/o3@2025-06-10', 2_000_000_000n]);
    expect(before?.version).not.toBe(after?.version);
  });

  test('follow the time of day where the provider bills that way', () => {
    const at = (time: string) =>
      book.find({ provider: 'deepseek', model: 'deepseek-chat', atMs: Date.parse(`2025-08-01T${time}Z`) });
    expect(at('00:30:00')?.id).toBe('genai:deepseek/deepseek-chat@initial:00:30-16:30');
    expect(at('16:30:00')?.id).toBe('genai:deepseek/deepseek-chat@initial');
    expect(at('00:29:59.999')?.rates.input).not.toBe(at('00:30:00')?.rates.input);
  });

  test('carry context tiers for every meter', () => {
    const price = book.find({ provider: 'anthropic', model: 'claude-sonnet-4-5-20250929', atMs: NOV_2026 });
    expect(price?.rates).toMatchObject({ input: 3_000_000_000n, cache_write_1h: 6_000_000_000n });
    expect(price?.tiers).toHaveLength(1);
    expect(price?.tiers[0]).toMatchObject({
      aboveInputTokens: 200_000,
      rates: { input: 6_000_000_000n, output: 22_500_000_000n },
    });
  });

  test('are null, never zero, for what is not known', () => {
    expect(book.find({ provider: 'openai', model: 'no-such-model', atMs: NOV_2026 })).toBeNull();
    expect(book.find({ provider: 'my-openai', model: 'gpt-4o-mini', atMs: NOV_2026 })).toBeNull();
    expect(book.find({ provider: '__proto__', model: 'constructor', atMs: NOV_2026 })).toBeNull();
    // Priced per input token only: an answer's tokens would have no price.
    expect(book.find({ provider: 'openai', model: 'text-embedding-3-small', atMs: NOV_2026 })).toBeNull();
  });

  test('agree with the price source for every model, before and after every change', async () => {
    const providers = (await waitForUpdate()) ?? [];
    let compared = 0;
    for (const provider of providers) {
      for (const { id } of provider.models) {
        for (const day of [
          '2024-01-01T00:00:00Z',
          '2025-06-10T00:00:00Z',
          '2026-09-01T02:00:00Z',
          '2027-01-01T12:00:00Z',
        ]) {
          const theirs = calcPrice({}, id, { providerId: provider.id, timestamp: new Date(day) });
          const schedule = genaiSchedule(provider.id, id);
          const ours = schedule === null ? null : priceAt(schedule, Date.parse(day));
          if (ours === null || theirs === null) continue;
          const base = theirs.model_price['input_mtok'];
          expect(ours.rates.input).toBe(nusdFromUsd(typeof base === 'object' ? base.base : (base ?? Number.NaN)));
          expect(ours.id).toMatch(/^[a-z0-9._:/@-]{1,64}$/);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(4000);
  });

  test('have one id and version per distinct price', async () => {
    const seen = new Map<string, string>();
    for (const provider of (await waitForUpdate()) ?? []) {
      for (const { id } of provider.models) {
        for (const { price } of genaiSchedule(provider.id, id) ?? []) {
          const rates = JSON.stringify([price.rates, price.tiers], (_, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          );
          const key = `${price.id} ${price.version}`;
          expect(seen.get(key) ?? rates).toBe(rates);
          seen.set(key, rates);
        }
      }
    }
    expect(seen.size).toBeGreaterThan(1000);
  });

  test('name the installed release of the price data', () => {
    const installed = JSON.parse(readFileSync('node_modules/@pydantic/genai-prices/package.json', 'utf8')) as {
      version: string;
    };
    expect(GENAI_VERSION).toBe(installed.version);
  });
});

describe('configured prices', () => {
  const override: PriceOverride = {
    provider: 'openai',
    model: 'gpt-4o-mini',
    from: '2026-11-01',
    inputUsdPerMtok: '0.10',
    outputUsdPerMtok: 0.4,
  };
  const find = (overrides: PriceOverride[], day: string, serviceTier: string | null = null) =>
    createPriceBook({ overrides }).find({
      provider: 'openai',
      model: 'gpt-4o-mini',
      atMs: Date.parse(day),
      serviceTier,
    });

  test('win from their first day on, and the published price counts before', () => {
    expect(find([override], '2026-10-31')?.source).toBe('genai');
    const price = find([override], '2026-11-01');
    expect(price?.id).toBe('config:openai/gpt-4o-mini@2026-11-01');
    expect(price?.rates).toMatchObject({ input: 100_000_000n, cached_input: 100_000_000n, output: 400_000_000n });
  });

  test('may change again, in any order in the file', () => {
    const later = { ...override, from: '2026-12-01', inputUsdPerMtok: '0.05' };
    expect(find([later, override], '2026-11-30')?.rates.input).toBe(100_000_000n);
    expect(find([later, override], '2026-12-01')?.rates.input).toBe(50_000_000n);
  });

  test('are the only prices of a service tier', () => {
    expect(find([override], '2026-11-02', 'priority')).toBeNull();
    expect(find([override], '2026-11-02', 'default')?.source).toBe('config');
    const flex = { ...override, serviceTier: 'flex', inputUsdPerMtok: '0.05' };
    expect(find([override, flex], '2026-11-02', 'flex')?.rates.input).toBe(50_000_000n);
  });

  test('change the version when a rate changes under the same id', () => {
    const dearer = find([{ ...override, inputUsdPerMtok: '0.11' }], '2026-11-02');
    expect(dearer?.id).toBe(find([override], '2026-11-02')?.id);
    expect(dearer?.version).not.toBe(find([override], '2026-11-02')?.version);
  });

  test.each([
    [[{ ...override, from: '2026-02-30' }], 'expected a calendar day'],
    [[{ ...override, from: 'soon' }], 'expected a calendar day'],
    [[{ ...override, inputUsdPerMtok: '-1' }], 'expected a non-negative decimal'],
    [[override, { ...override }], 'expected one price per day'],
  ])('are refused when malformed (%#)', (overrides, message) => {
    expect(() => createPriceBook({ overrides })).toThrow(CostsError);
    expect(() => createPriceBook({ overrides })).toThrow(message);
  });
});

describe('where a provider is priced', () => {
  test.each([
    [{ kind: 'openai', baseUrl: 'https://api.openai.com/v1', hosting: 'external' }, 'openai'],
    [{ kind: 'openai', baseUrl: 'https://mine.openai.azure.com/openai/v1', hosting: 'external' }, 'azure'],
    [{ kind: 'openai', baseUrl: 'https://api.groq.com/openai/v1', hosting: 'external' }, 'groq'],
    [{ kind: 'anthropic', baseUrl: 'https://api.anthropic.com', hosting: 'external' }, 'anthropic'],
    [{ kind: 'openai', baseUrl: 'https://llm.example.com/v1', hosting: 'external' }, null],
    [{ kind: 'anthropic', baseUrl: 'https://llm.example.com', hosting: 'external' }, null],
    [{ kind: 'openai', baseUrl: 'https://api.openai.com/v1', hosting: 'private' }, null],
    [{ kind: 'openai', baseUrl: 'http://127.0.0.1:11434/v1', hosting: 'local' }, null],
    [{ kind: 'sandbox', baseUrl: '', hosting: 'local' }, 'sandbox'],
  ] as const)('%j', (provider, expected) => {
    expect(priceProvider(provider)).toBe(expected);
  });

  test('names of the configuration are mapped, and a missing one is unpriced', () => {
    const mapped = createPriceBook({
      providers: new Map([
        ['corp', 'openai'],
        ['openai', null],
        ['try', 'sandbox'],
      ]),
    });
    const source = (provider: string, model: string) =>
      mapped.find({ provider, model, atMs: NOV_2026 })?.source ?? null;
    expect(source('corp', 'gpt-4o-mini')).toBe('genai');
    expect(source('openai', 'gpt-4o-mini')).toBeNull();
    expect(source('else', 'gpt-4o-mini')).toBeNull();
    expect(source('try', 'sandbox')).toBe('builtin');
  });

  test('the sandbox has a small price of its own', () => {
    const price = book.find({ provider: 'sandbox', model: 'echo', atMs: NOV_2026 });
    expect(price).toMatchObject({
      id: 'builtin:sandbox/echo@2026-01-01',
      rates: { input: 150_000_000n, output: 600_000_000n },
    });
  });
});
