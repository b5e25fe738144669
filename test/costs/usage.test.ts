import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createPriceBook,
  estimatedUsage,
  estimateTokens,
  inputTokenBound,
  rate,
  serviceTierFromOpenAi,
  usageFromOpenAi,
} from '../../costs/index.ts';

/** input, cached, cache write, output */
const counts = (json: unknown): (number | undefined)[] | null => {
  const usage = usageFromOpenAi(json);
  return usage === null
    ? null
    : [usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens, usage.output_tokens];
};

describe('usage as providers report it', () => {
  test.each([
    ['OpenAI', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }, [10, 0, 0, 5]],
    [
      'OpenAI: cached inside the prompt, reasoning inside the completion',
      {
        prompt_tokens: 2006,
        completion_tokens: 300,
        total_tokens: 2306,
        prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0, accepted_prediction_tokens: 0 },
      },
      [2006, 1920, 0, 300],
    ],
    [
      'OpenRouter: cache writes named',
      {
        prompt_tokens: 100,
        completion_tokens: 1,
        total_tokens: 101,
        prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 70 },
      },
      [100, 20, 70, 1],
    ],
    [
      'DeepSeek',
      {
        prompt_tokens: 100,
        completion_tokens: 1,
        total_tokens: 101,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      },
      [100, 64, 0, 1],
    ],
    ['Moonshot', { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101, cached_tokens: 64 }, [100, 64, 0, 1]],
    [
      'xAI: reasoning beside the completion',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      [32, 0, 0, 103],
    ],
    [
      'Gemini: thinking only in the total',
      { prompt_tokens: 10, completion_tokens: 20, total_tokens: 530 },
      [10, 0, 0, 520],
    ],
    [
      'Anthropic translated, cache beside the prompt by the total',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 1015,
        cache_read_input_tokens: 600,
        cache_creation_input_tokens: 400,
      },
      [1010, 600, 400, 5],
    ],
    [
      'Anthropic translated, cache larger than the prompt',
      { prompt_tokens: 10, completion_tokens: 5, cache_read_input_tokens: 600 },
      [610, 600, 0, 5],
    ],
    ['no completion count, as for embeddings', { prompt_tokens: 8, total_tokens: 8 }, [8, 0, 0, 0]],
    [
      'total smaller than its parts is ignored',
      { prompt_tokens: 8, completion_tokens: 4, total_tokens: 0 },
      [8, 0, 0, 4],
    ],
  ])('%s', (_, usage, expected) => {
    expect(counts({ id: 'x', usage })).toEqual(expected);
    // A stream's usage chunk and the bare object read the same.
    expect(counts({ object: 'chat.completion.chunk', choices: [], usage })).toEqual(expected);
    expect(counts(usage)).toEqual(expected);
    expect(usageFromOpenAi(usage)?.estimated).toBe(false);
  });

  test('Groq streams', () => {
    expect(counts({ choices: [], x_groq: { usage: { prompt_tokens: 3, completion_tokens: 4 } } })).toEqual([
      3, 0, 0, 4,
    ]);
  });

  test('the hour part of a cache write', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 1,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
    };
    expect(usageFromOpenAi({ usage })).toMatchObject({ cache_write_tokens: 50, cache_write_1h_tokens: 30 });
  });

  test.each([
    [{}],
    [null],
    ['usage'],
    [[]],
    [{ usage: null }],
    [{ usage: {} }],
    [{ usage: { prompt_tokens: -1, completion_tokens: 1 } }],
    [{ usage: { prompt_tokens: 1.5, completion_tokens: 1 } }],
    [{ usage: { prompt_tokens: '1', completion_tokens: 1 } }],
    [{ usage: { prompt_tokens: 5 } }],
    [{ usage: { prompt_tokens: 5, total_tokens: 3 } }],
    [{ usage: { prompt_tokens: 2 ** 60, completion_tokens: 1 } }],
    [JSON.parse('{"__proto__": {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}}')],
  ])('%j is no usage', (json) => {
    expect(usageFromOpenAi(json)).toBeNull();
  });

  test('whatever a provider reports, it can be rated and no part exceeds its total', () => {
    const price = createPriceBook().find({ provider: 'sandbox', model: 'x', atMs: Date.parse('2026-11-01') });
    const number = fc.oneof(fc.nat(5000), fc.constantFrom(-1, 0.5, '7', null));
    const names = [
      'prompt_tokens',
      'completion_tokens',
      'total_tokens',
      'cached_tokens',
      'cache_read_input_tokens',
      'cache_creation_input_tokens',
    ];
    const details = fc.record(
      Object.fromEntries(
        ['cached_tokens', 'audio_tokens', 'cache_write_tokens', 'reasoning_tokens'].map((name) => [name, number]),
      ),
      { requiredKeys: [] },
    );
    const reported = fc.tuple(
      fc.record(Object.fromEntries(names.map((name) => [name, number])), { requiredKeys: ['prompt_tokens'] }),
      fc.record(
        {
          prompt_tokens_details: details,
          completion_tokens_details: details,
          cache_creation: fc.record({ ephemeral_1h_input_tokens: number }),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(reported, ([flat, nested]) => {
        const usage = usageFromOpenAi({ usage: { ...flat, ...nested } });
        if (usage !== null && price !== null) expect(rate(price, usage).nusd).toBeGreaterThanOrEqual(0n);
      }),
      { numRuns: 2000 },
    );
  });
});

test('service tiers', () => {
  expect(
    [{ service_tier: 'flex' }, { service_tier: null }, {}, null, { service_tier: 'a b' }].map(serviceTierFromOpenAi),
  ).toEqual(['flex', null, null, null, null]);
});

test('estimates say so', () => {
  expect(estimatedUsage({ inputTokens: 10, outputTokens: 3 })).toMatchObject({
    input_tokens: 10,
    output_tokens: 3,
    estimated: true,
  });
  expect([0, 1, 4, 5].map(estimateTokens)).toEqual([0, 1, 1, 2]);
});

test('bounds: bytes for text, the context for what the provider expands', () => {
  expect(inputTokenBound({ bodyBytes: 500, attachments: 0 }, { contextTokens: 128_000 })).toBe(500);
  expect(inputTokenBound({ bodyBytes: 500, attachments: 1 }, { contextTokens: 128_000 })).toBe(128_000);
  expect(inputTokenBound({ bodyBytes: 500, attachments: 1 }, { contextTokens: null })).toBe(2_000_000);
  expect(inputTokenBound({ bodyBytes: 500_000, attachments: 1 }, { contextTokens: 128_000 })).toBe(500_000);
});
