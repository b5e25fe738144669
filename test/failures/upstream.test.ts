/** DESIGN §6: upstream 429, 5xx or timeout before the first byte; breaks mid-stream; stalls. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MockBehaviour } from '../support/mock-upstream.ts';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';

/** Three deployments, of which the policy allows the first and the last. */
const MODELS = `  - name: model
    deployments:
      - { provider: mock, model: first }
      - { provider: mock, model: elsewhere, region: us }
      - { provider: mock, model: second }`;
const PRICES = `prices:
  overrides:
    - { provider: mock, model: first, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }
    - { provider: mock, model: second, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }
`;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({
    models: MODELS,
    prices: PRICES,
    tenant: '  - { id: demo, policies: [baseline], parameters: { regions: [eu] } }',
    timeouts: 'first_byte_ms: 300, idle_ms: 300',
    attempts: 3,
  });
});
afterEach(() => {
  stand.mock.reset();
});
afterAll(() => stand.stop());

function askedModels(): string[] {
  return stand.mock.requests.map(({ body }) => (JSON.parse(body) as { model: string }).model);
}

interface OutcomeFacts {
  readonly status: string;
  readonly attempts: readonly { deployment: string; status: number | null; error: string | null; sent: boolean }[];
  readonly usage: { estimated: boolean; input_tokens: number; output_tokens: number };
  readonly [name: string]: unknown;
}

async function outcomeOf(call: string): Promise<OutcomeFacts> {
  const { outcome, open } = await stand.record(call);
  expect(open).toBe(false);
  return outcome?.sections['facts'] as unknown as OutcomeFacts;
}

/** What can go wrong before the first byte, and how an attempt is recorded. */
const FAILURES: readonly (readonly [string, MockBehaviour, { status: number | null; error: string | null }])[] = [
  ['429', { status: 429 }, { status: 429, error: null }],
  ['500', { status: 500 }, { status: 500, error: null }],
  ['503', { status: 503 }, { status: 503, error: null }],
  ['no answer in time', { hang: true }, { status: null, error: 'first_byte_timeout' }],
  ['headers only', { hangAfterHeaders: true }, { status: null, error: 'first_byte_timeout' }],
  ['connection closed', { reset: true }, { status: null, error: 'closed_early' }],
  ['not HTTP', { garbage: true }, { status: null, error: 'bad_answer' }],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, { status: null, error: 'bad_answer' }],
];

describe('upstream fails before the first byte: retry, then the next deployment within the allowed set', () => {
  describe.each(FAILURES)('%s', (name, failure, recorded) => {
    // For an answer in one piece headers are an answer that has begun: what follows is "breaks in the middle".
    const kinds = name === 'headers only' ? [true] : [false, true];
    test.each(kinds)('stream: %s', async (stream) => {
      stand.mock.next(failure, failure);
      const answer = await stand.chat({ stream });
      expect(answer.status).toBe(200);
      if (stream) expect(answer.text).toContain('[DONE]');
      expect(askedModels()).toEqual(['first', 'first', 'second']);
      const failed = { deployment: 'mock/first', sent: true, ...recorded };
      expect(await outcomeOf(answer.call)).toMatchObject({
        status: 'ok',
        deployment: 'mock/second',
        attempts: [failed, failed, { deployment: 'mock/second', status: 200, error: null, sent: true }],
      });
      const { decision } = await stand.record(answer.call);
      expect(decision?.sections['facts']).toMatchObject({ attempts_reserved: 3 });
    });
  });

  test('a stream whose first event is an error counts as not begun', async () => {
    stand.mock.next({ errorAfterChunks: 0 }, { errorAfterChunks: 0 });
    const answer = await stand.chat({ stream: true });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('mock overload');
    expect(askedModels()).toEqual(['first', 'first', 'second']);
    expect((await outcomeOf(answer.call)).attempts).toHaveLength(3);
  });
});

describe('upstream fails before the first byte at every attempt', () => {
  test.each([false, true])(
    'an error of its own: its status and error, each attempt recorded; stream: %s',
    async (stream) => {
      stand.mock.set({ status: 503 });
      const answer = await stand.chat({ stream });
      expect(answer.status).toBe(503);
      expect(askedModels()).toEqual(['first', 'first', 'second']);
      expect(await outcomeOf(answer.call)).toMatchObject({
        status: 'upstream_error',
        http_status: 503,
        cost_nusd: '0',
        attempts: [{ status: 503 }, { status: 503 }, { status: 503 }],
      });
    },
  );

  test.each([false, true])('silence: 504 upstream_timeout, settled at what was sent; stream: %s', async (stream) => {
    stand.mock.set({ hang: true });
    const answer = await stand.chat({ stream });
    expect([answer.status, answer.code]).toEqual([504, 'upstream_timeout']);
    const facts = await outcomeOf(answer.call);
    expect(facts).toMatchObject({ status: 'upstream_timeout', usage: { estimated: true, output_tokens: 0 } });
    expect(facts.usage.input_tokens).toBeGreaterThan(0);
    expect(facts.attempts).toHaveLength(3);
  });

  test('connections that die: the provider may have worked, so it is not settled at nothing', async () => {
    stand.mock.set({ reset: true });
    const answer = await stand.chat();
    expect([answer.status, answer.code]).toEqual([502, 'upstream_error']);
    const facts = await outcomeOf(answer.call);
    expect(facts).toMatchObject({ status: 'upstream_error', usage: { estimated: true } });
    expect(facts.usage.input_tokens).toBeGreaterThan(0);
  });
});

const LONG = Array.from({ length: 40 }, (_, n) => `word${String(n)}`).join(' ');

describe('upstream breaks or stalls mid-stream: error event, no [DONE], outcome interrupted, usage so far', () => {
  test.each([
    ['breaks', { breakAfterChunks: 5 }, 'upstream_error'],
    ['stalls', { stallAfterChunks: 5 }, 'upstream_timeout'],
    ['reports an error', { errorAfterChunks: 5 }, 'upstream_error'],
    ['ends without a finish reason', {}, 'upstream_error'],
  ] as const)('%s', async (how, behaviour, code) => {
    const whole = `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"word0 word1 "},"finish_reason":null}]}\n\n`;
    const raw = how === 'ends without a finish reason' ? { raw: whole, contentType: 'text/event-stream' } : {};
    stand.mock.next({ content: LONG, chunks: 10, chunkDelayMs: 2, ...behaviour, ...raw });
    const answer = await stand.chat({ stream: true });
    expect([answer.status, answer.code]).toEqual([200, code]);
    expect(answer.text).toContain('word0');
    expect(answer.text).not.toContain('[DONE]');
    // Once an answer has begun there is no second try.
    expect(stand.mock.counters.requests).toBe(1);
    const facts = await outcomeOf(answer.call);
    expect(facts).toMatchObject({ status: 'interrupted', code, usage: { estimated: true }, unpriced: false });
    expect(facts.usage.output_tokens).toBeGreaterThan(0);
    expect(facts['released_bytes']).toBeGreaterThan(0);
    expect(BigInt(String(facts['cost_nusd']))).toBeGreaterThan(0n);
  });
});

describe('upstream breaks or stalls in the middle of an answer in one piece: nothing released', () => {
  test.each([
    ['breaks', { breakAfterChunks: 1 }, 502, 'upstream_error'],
    ['stalls', { stallAfterChunks: 1 }, 504, 'upstream_timeout'],
    ['stalls after its headers', { hangAfterHeaders: true }, 504, 'upstream_timeout'],
  ] as const)('%s', async (_, behaviour, status, code) => {
    stand.mock.next({ content: LONG, ...behaviour });
    const answer = await stand.chat();
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.text).not.toContain('word0');
    const facts = await outcomeOf(answer.call);
    expect(facts).toMatchObject({ code, released_bytes: 0, usage: { estimated: true } });
    expect(facts.usage.input_tokens).toBeGreaterThan(0);
  });
});
