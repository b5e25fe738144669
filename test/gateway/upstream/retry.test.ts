import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEgress } from '../../../gateway/egress.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import { createOpenAiUpstream } from '../../../gateway/upstream/openai.ts';
import { forwardWithFallback } from '../../../gateway/upstream/retry.ts';
import type { ForwardOptions, Forwarded } from '../../../gateway/upstream/retry.ts';
import { DEFAULT_RETRY_POLICY, planAttempts } from '../../../gateway/upstream/route.ts';
import type { Deployment, Upstream } from '../../../gateway/upstream/upstream.ts';
import { startMockUpstream } from '../../support/mock-upstream.ts';
import type { MockUpstream } from '../../support/mock-upstream.ts';
import { callOf, chunksOf, collect, deployment, TIMEOUTS } from './deployments.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const policy = { ...DEFAULT_RETRY_POLICY, maxAttempts: 4, attemptsPerDeployment: 2 };

let first: MockUpstream;
let second: MockUpstream;
let upstream: Upstream;
let route: Deployment[];
const egress = createEgress();
const slept: number[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([startMockUpstream(), startMockUpstream()]);
  upstream = createOpenAiUpstream({ egress });
  route = [deployment({ id: 'a/m', baseUrl: first.url }), deployment({ id: 'b/m', baseUrl: second.url })];
});
beforeEach(() => {
  first.reset();
  second.reset();
  slept.length = 0;
});
afterAll(async () => {
  await egress.close();
  await Promise.all([first.close(), second.close()]);
});

async function forward(
  over: Partial<ForwardOptions> & { body?: object; firstByteMs?: number } = {},
): Promise<Forwarded> {
  const { body = CHAT, firstByteMs = 2_000, ...options } = over;
  const signal = options.signal ?? new AbortController().signal;
  const timeouts = { ...TIMEOUTS, firstByteMs };
  return forwardWithFallback({
    attempts: planAttempts(route, policy),
    policy,
    stream: 'stream' in body,
    send: async (attempt) => upstream.send(callOf(attempt.deployment, body, { signal, timeouts })),
    signal,
    now: () => performance.now(),
    random: () => 0.5,
    sleep: async (ms, ends) => {
      slept.push(ms);
      await delay(1, undefined, { signal: ends }).catch(() => undefined);
    },
    ...options,
  });
}

const outline = (result: Forwarded): string[] =>
  result.attempts.map((attempt) => `${attempt.deployment} ${String(attempt.status ?? attempt.error)}`);

describe('retries before the first byte', () => {
  test('a first good answer is the answer', async () => {
    const result = await forward();
    expect(outline(result)).toEqual(['a/m 200']);
    expect(result.ok && result.deployment.id).toBe('a/m');
  });

  test('a server error is repeated after a drawn pause, then answered', async () => {
    first.next({ status: 503 });
    expect(outline(await forward())).toEqual(['a/m 503', 'a/m 200']);
    expect(slept).toEqual([100]);
  });

  test('an overloaded deployment gives way to the next one, without a pause', async () => {
    first.set({ status: 529 });
    expect(outline(await forward())).toEqual(['a/m 529', 'a/m 529', 'b/m 200']);
    expect(slept).toEqual([100]);
  });

  test('waits as long as it was asked to, unless that is too long', async () => {
    first.next({ status: 429, retryAfterS: 3 });
    expect(outline(await forward())).toEqual(['a/m 429', 'a/m 200']);
    expect(slept).toEqual([3000]);
    first.next({ status: 429, retryAfterS: 60 });
    expect(outline(await forward())).toEqual(['a/m 429', 'b/m 200']);
  });

  test('silence and cut connections count as failures before the first byte', async () => {
    first.next({ hang: true }, { reset: true });
    second.next({ garbage: true });
    const result = await forward({ firstByteMs: 100 });
    expect(outline(result)).toEqual(['a/m first_byte_timeout', 'a/m closed_early', 'b/m bad_answer', 'b/m 200']);
    expect(result.attempts.map((attempt) => attempt.sent)).toEqual([true, true, true, true]);
  });

  test('an unreachable deployment is recorded as not sent', async () => {
    route.unshift(deployment({ id: 'down/m', baseUrl: 'http://127.0.0.1:9/v1' }));
    const result = await forward();
    route.shift();
    expect(result.attempts[0]).toMatchObject({ deployment: 'down/m', error: 'connect_failed', sent: false });
    expect(result.ok && result.deployment.id).toBe('a/m');
  });

  test("a refusal is the caller's to see: status and body of the upstream, no second try", async () => {
    first.set({ status: 400 });
    const result = await forward();
    expect(outline(result)).toEqual(['a/m 400']);
    if (!result.ok) throw result.error;
    expect(JSON.parse((await result.response.body()).toString())).toMatchObject({
      error: { type: 'invalid_request_error' },
    });
  });

  test('when everything fails the last answer is returned as it is', async () => {
    first.set({ status: 500 });
    second.set({ status: 429, retryAfterS: 1 });
    const result = await forward();
    expect(outline(result)).toEqual(['a/m 500', 'a/m 500', 'b/m 429', 'b/m 429']);
    expect(result.ok && result.response.status).toBe(429);
    expect(result.ok && result.response.headers['retry-after']).toBe('1');
  });

  test('discarded answers leave their connections usable', async () => {
    first.set({ status: 500 });
    second.set({ status: 500 });
    for (let round = 0; round < 5; round++) {
      const result = await forward();
      if (result.ok) await result.response.body();
    }
    expect(first.counters).toMatchObject({ requests: 10, aborted: 0 });
    expect(first.counters.connections).toBeLessThanOrEqual(2);
  });

  test('a gone caller ends it at once, also while waiting', async () => {
    const controller = new AbortController();
    first.set({ status: 503 });
    const result = await forward({
      signal: controller.signal,
      sleep: async () => {
        controller.abort();
        return Promise.resolve();
      },
    });
    expect(outline(result)).toEqual(['a/m 503']);
    expect(!result.ok && result.error.code).toBe('client_closed');
  });

  test('a failure of the call, not of the deployment, is not repeated', async () => {
    const spent = new GatewayError('ledger_unavailable', 'No further attempt could be recorded.');
    const result = await forward({ send: async () => Promise.reject(spent) });
    expect(outline(result)).toEqual(['a/m ledger_unavailable']);
    expect(!result.ok && result.error).toBe(spent);
    await expect(forward({ send: async () => Promise.reject(new TypeError('bug')) })).rejects.toThrow('bug');
  });

  test('a deployment that cannot express the request is passed over, and named only when nothing else is left', async () => {
    const refusal = new GatewayError('invalid_request', 'no such field', { param: 'logit_bias' });
    const send = upstream.send.bind(upstream);
    const picky: ForwardOptions['send'] = async (attempt) =>
      attempt.deployment.id === 'a/m' ? Promise.reject(refusal) : send(callOf(attempt.deployment, CHAT));
    expect(outline(await forward({ send: picky }))).toEqual(['a/m invalid_request', 'b/m 200']);
    const none = await forward({ send: async () => Promise.reject(refusal) });
    expect(outline(none)).toEqual(['a/m invalid_request', 'b/m invalid_request']);
    expect(!none.ok && none.error).toBe(refusal);
  });
});

describe('streams', () => {
  const STREAM = { ...CHAT, stream: true };

  test('pass through with their first events', async () => {
    const result = await forward({ body: STREAM });
    if (!result.ok) throw result.error;
    const chunks = chunksOf(await collect(result.response.events()));
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.length).toBeGreaterThan(4);
  });

  test('an error before the first content is a failure before the first byte', async () => {
    first.set({ errorAfterChunks: 0 });
    const result = await forward({ body: STREAM });
    expect(outline(result)).toEqual(['a/m 529', 'a/m 529', 'b/m 200']);
  });

  test('and is shown as an ordinary error when nothing else is left', async () => {
    first.set({ errorAfterChunks: 0 });
    second.set({ raw: 'data: {"error":{"message":"bad","type":"BadRequestError","code":400}}\n\n' });
    const result = await forward({ body: STREAM });
    expect(outline(result)).toEqual(['a/m 529', 'a/m 529', 'b/m 400']);
    if (!result.ok) throw result.error;
    expect(result.response.headers['content-type']).toBe('application/json');
    expect(JSON.parse((await result.response.body()).toString())).toMatchObject({ error: { message: 'bad' } });
  });

  test('a break or silence before the first content is repeated, one after it is not', async () => {
    first.next({ breakAfterChunks: 0, chunkDelayMs: 1 }, { hangAfterHeaders: true });
    const result = await forward({ body: STREAM, firstByteMs: 150 });
    expect(outline(result).slice(0, 2)).toEqual(['a/m broken_answer', 'a/m first_byte_timeout']);
    expect(result.ok && result.deployment.id).toBe('b/m');
    first.next({ breakAfterChunks: 2, chunkDelayMs: 5 });
    const broken = await forward({ body: STREAM });
    expect(outline(broken)).toEqual(['a/m 200']);
    if (!broken.ok) throw broken.error;
    await expect(collect(broken.response.events())).rejects.toThrow(/broke in the middle/);
  });

  test('a model that falls silent after its role is not waited for: the stream begins', async () => {
    first.set({ stallAfterChunks: 0 });
    const controller = new AbortController();
    const result = await forward({ body: STREAM, policy: { ...policy, holdMs: 10 }, signal: controller.signal });
    if (!result.ok) throw result.error;
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of result.response.events()) {
        seen.push(event.data);
        controller.abort();
      }
    })();
    await expect(reading).rejects.toThrow(/caller closed/);
    expect(seen).toHaveLength(1);
  });

  test('JSON instead of a stream, an empty stream and a redirect are bad answers', async () => {
    first.next({ raw: '{"error":{}}', contentType: 'application/json' }, { raw: '' });
    second.next({ status: 302, headers: { location: 'http://169.254.169.254/' } });
    const result = await forward({ body: STREAM });
    expect(outline(result)).toEqual(['a/m bad_answer', 'a/m bad_answer', 'b/m bad_answer', 'b/m 200']);
  });

  test('a stream given up after its peek is cut', async () => {
    first.set({ chunks: 100, chunkDelayMs: 5 });
    const result = await forward({ body: STREAM });
    if (!result.ok) throw result.error;
    result.response.discard();
    await expect.poll(() => first.counters.aborted).toBe(1);
  });
});
