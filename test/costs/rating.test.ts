import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPriceBook, CostsError, rate, ratedFacts, worstCase, type Price, type Usage } from '../../costs/index.ts';

const AT = Date.parse('2026-11-15T12:00:00Z');
const book = createPriceBook();

function priceOf(provider: string, model: string): Price {
  const price = book.find({ provider, model, atMs: AT });
  if (price === null) throw new Error(`no price for ${provider}/${model}`);
  return price;
}

const mini = priceOf('openai', 'gpt-4o-mini');
const sonnet = priceOf('anthropic', 'claude-sonnet-4-5');
const usage = (input: number, output: number, more: Partial<Usage> = {}): Usage => ({
  input_tokens: input,
  cached_input_tokens: 0,
  cache_write_tokens: 0,
  output_tokens: output,
  estimated: false,
  ...more,
});
const lines = (price: Price, counted: Usage) =>
  rate(price, counted).lines.map(({ meter, units, nusd }) => [meter, units, nusd]);

describe('rate', () => {
  test('prices each meter on a line of its own and sums exactly', () => {
    const rated = rate(mini, usage(1000, 100));
    expect(ratedFacts(rated)).toEqual([
      { meter: 'input', units: 1000, rate: '150000000', nusd: '150000' },
      { meter: 'output', units: 100, rate: '600000000', nusd: '60000' },
    ]);
    expect(rated.nusd).toBe(210_000n);
  });

  test('cached tokens are part of the prompt and charged once', () => {
    expect(lines(mini, usage(1000, 0, { cached_input_tokens: 600 }))).toEqual([
      ['input', 400, 60_000n],
      ['cached_input', 600, 45_000n],
    ]);
  });

  test('cache writes for five minutes and for an hour have different rates', () => {
    expect(lines(sonnet, usage(1000, 0, { cache_write_tokens: 1000, cache_write_1h_tokens: 400 }))).toEqual([
      ['cache_write', 600, 2_250_000n],
      ['cache_write_1h', 400, 2_400_000n],
    ]);
  });

  test('audio tokens are priced as audio where the model has such a price', () => {
    const audio = priceOf('openai', 'gpt-4o-mini-realtime-preview');
    const [input, inputAudio, output, outputAudio] = rate(
      audio,
      usage(100, 50, { input_audio_tokens: 80, output_audio_tokens: 40 }),
    ).lines;
    expect([input?.units, inputAudio?.units, output?.units, outputAudio?.units]).toEqual([20, 80, 10, 40]);
    expect((inputAudio?.rate ?? 0n) > (input?.rate ?? 0n)).toBe(true);
  });

  test('a context tier applies to the whole call, above its limit and not at it', () => {
    expect(rate(sonnet, usage(200_000, 1)).nusd).toBe(600_000_000n + 15_000n);
    expect(rate(sonnet, usage(200_001, 1)).nusd).toBe(1_200_006_000n + 22_500n);
    // Cached tokens count towards the limit.
    expect(rate(sonnet, usage(200_001, 0, { cached_input_tokens: 200_001 })).lines[0]?.rate).toBe(600_000_000n);
  });

  test('rounds half to even once per line, not per sum', () => {
    const rates = { ...mini.rates, input: 500_000n, cached_input: 500_000n, output: 1_500_000n };
    expect(rate({ ...mini, rates }, usage(2, 1, { cached_input_tokens: 1 }))).toMatchObject({ nusd: 2n });
  });

  test('a price per request is charged once', () => {
    const price = { ...mini, rates: { ...mini.rates, request: 5_000_000_000_000n } };
    expect(lines(price, usage(0, 0))).toEqual([['request', 1, 5_000_000n]]);
  });

  test('nothing used costs nothing and has no lines', () => {
    expect(rate(mini, usage(0, 0))).toEqual({ lines: [], nusd: 0n });
  });

  test.each([
    usage(-1, 0),
    usage(1.5, 0),
    usage(Number.NaN, 0),
    usage(0, Number.MAX_SAFE_INTEGER + 1),
    usage(10, 0, { cached_input_tokens: 11 }),
    usage(10, 0, { cached_input_tokens: 6, cache_write_tokens: 6 }),
    usage(10, 0, { cache_write_tokens: 1, cache_write_1h_tokens: 2 }),
    usage(10, 1, { output_audio_tokens: 2 }),
  ])('refuses counts that do not add up (%#)', (counted) => {
    expect(() => rate(mini, counted)).toThrow(CostsError);
  });
});

const tokens = fc.nat({ max: 2_000_000 });
const anyUsage = fc
  .tuple(tokens, fc.array(fc.nat({ max: 1000 }), { minLength: 5, maxLength: 5 }), tokens)
  .map(([input, parts, output]): Usage => {
    const [cached = 0, write = 0, audio = 0, hour = 0, outputAudio = 0] = parts.map((part) => part / 1000);
    const cachedTokens = Math.floor(input * cached);
    const writeTokens = Math.floor((input - cachedTokens) * write);
    return usage(input, output, {
      cached_input_tokens: cachedTokens,
      cache_write_tokens: writeTokens,
      cache_write_1h_tokens: Math.floor(writeTokens * hour),
      input_audio_tokens: Math.floor((input - cachedTokens - writeTokens) * audio),
      output_audio_tokens: Math.floor(output * outputAudio),
    });
  });
const anyPrice = fc.constantFrom(
  mini,
  sonnet,
  priceOf('google', 'gemini-2.5-pro'),
  priceOf('openai', 'gpt-4o-mini-realtime-preview'),
);

describe('properties', () => {
  test('the cost is the sum of its lines, and units are conserved', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, (price, counted) => {
        const rated = rate(price, counted);
        const units = rated.lines.filter((line) => line.meter !== 'request').reduce((sum, line) => sum + line.units, 0);
        expect(rated.lines.reduce((sum, line) => sum + line.nusd, 0n)).toBe(rated.nusd);
        expect(units).toBe(counted.input_tokens + counted.output_tokens);
      }),
    );
  });

  test('no call within its bounds costs more than the reservation', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, tokens, tokens, (price, counted, moreInput, moreOutput) => {
        const bound = {
          inputTokens: counted.input_tokens + moreInput,
          outputTokens: counted.output_tokens + moreOutput,
        };
        expect(rate(price, counted).nusd <= worstCase(price, bound)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('an auditor recomputes every line from the recorded facts alone', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, (price, counted) => {
        for (const line of ratedFacts(rate(price, counted))) {
          const product = BigInt(line.units) * BigInt(line.rate);
          const twiceError = (product - BigInt(line.nusd) * 1_000_000n) * 2n;
          expect(twiceError <= 1_000_000n && twiceError >= -1_000_000n).toBe(true);
        }
      }),
    );
  });
});
