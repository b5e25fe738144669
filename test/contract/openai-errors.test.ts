/** Errors, retries and aborts of the official SDK: what it makes of an answer must not depend on the gateway. */
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint, Runs } from './stand.ts';
import { ContractStand, expectSame, expectSameRequests, facts } from './stand.ts';

const MODEL = 'gpt-4o-mini';
const HELLO = { model: MODEL, messages: [{ role: 'user' as const, content: 'hello' }] };
const WITH_USAGE = { stream: true as const, stream_options: { include_usage: true } };

let stand: ContractStand;

beforeAll(async () => {
  stand = await ContractStand.start();
  const fixed = { id: 'chatcmpl-fixed', created: 1_700_000_000 };
  stand.mock.onMessage('hello', { ...fixed, content: 'Hello there.' });
  stand.mock.onMessage('slow', { ...fixed, content: 'word '.repeat(2000) }, { latency: 30 });
  stand.mock.onMessage('think first', { ...fixed, content: 'late' }, { chaos: { latencyMs: 30_000 } });
  stand.mock.onMessage(
    'break',
    { ...fixed, content: 'this answer never ends properly' },
    { latency: 20, truncateAfterChunks: 3 },
  );
});
afterAll(() => stand.stop());

function client(endpoint: Endpoint, maxRetries = 0): OpenAI {
  return new OpenAI({ ...endpoint, maxRetries });
}

/** Class and public fields of what the SDK threw. */
async function failure(work: Promise<unknown>): Promise<object> {
  const error: unknown = await work.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error('expected an error of the SDK', { cause: error });
  const { constructor, status, code, param, type, message, error: body } = error;
  return { name: constructor.name, status, code, param, type, message, body };
}

test.each([
  [400, { message: 'Unsupported value', type: 'invalid_request_error', code: 'unsupported_value' }, 'BadRequestError'],
  [401, { message: 'Bad key', type: 'invalid_request_error', code: 'invalid_api_key' }, 'AuthenticationError'],
  [403, { message: 'No', type: 'permission_error', code: 'forbidden' }, 'PermissionDeniedError'],
  [404, { message: 'No such model', type: 'invalid_request_error', code: 'model_not_found' }, 'NotFoundError'],
  [422, { message: 'What', type: 'invalid_request_error', code: 'unprocessable' }, 'UnprocessableEntityError'],
  [429, { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' }, 'RateLimitError'],
  [500, { message: 'Oops', type: 'server_error', code: 'internal' }, 'InternalServerError'],
  [503, { message: 'Overloaded', type: 'server_error', code: 'overloaded' }, 'InternalServerError'],
])('the provider’s %i keeps its status and body', async (status, body, name) => {
  const runs = await stand.run((to) => {
    stand.mock.nextRequestError(status, body);
    return failure(client(to).chat.completions.create(HELLO));
  });
  expectSame(runs);
  expect(runs.governed).toMatchObject({ name, status, code: body.code });
  const { decision, outcome } = facts(await stand.record(runs.client[0]));
  expect(decision).toMatchObject({ effect: 'allow', edits: [] });
  expect(outcome).toMatchObject({ status: 'upstream_error', http_status: status });
});

test('an error before the first event of a stream is an error, not a stream', async () => {
  const runs = await stand.run((to) => {
    stand.mock.nextRequestError(404, {
      message: 'No such model',
      type: 'invalid_request_error',
      code: 'model_not_found',
    });
    return failure(client(to).chat.completions.create({ ...HELLO, ...WITH_USAGE }));
  });
  expectSame(runs);
});

test('a provider’s 429 is passed on and the SDK’s own retry succeeds', async () => {
  const runs = await stand.run((to) => {
    stand.mock.nextRequestError(429, { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    return client(to, 2).chat.completions.create(HELLO);
  });
  expectSame(runs);
  expect(runs.client.map(({ status }) => status)).toEqual([429, 200]);
  expect(runs.client[0]?.responseHeaders).toMatchObject({
    'retry-after': '1',
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-reset-tokens': '6m0s',
  });
  expect(runs.client[0]?.responseHeaders['x-should-retry']).toBeUndefined();
});

test('the gateway’s own refusals are errors of the SDK, and are not retried', async () => {
  const first = stand.answered.length;
  const governed = client(stand.governed, 3);
  expect(await failure(governed.chat.completions.create({ ...HELLO, model: 'gpt-unknown' }))).toMatchObject({
    name: 'NotFoundError',
    status: 404,
    code: 'model_not_found',
    param: 'model',
  });
  expect(await failure(governed.chat.completions.create({ ...HELLO, messages: [] }))).toMatchObject({
    name: 'BadRequestError',
    status: 400,
    param: 'messages',
  });
  const secret = { ...HELLO, messages: [{ role: 'user' as const, content: 'my key is AKIAQYLPMN5HNM4OZ56B' }] };
  expect(await failure(governed.chat.completions.create(secret))).toMatchObject({
    name: 'PermissionDeniedError',
    code: 'policy_denied',
    type: 'policy_denied',
    param: '/messages/0/content',
  });
  const stranger = client({ ...stand.governed, apiKey: 'sk-not-ours' }, 3);
  expect(await failure(stranger.chat.completions.create(HELLO))).toMatchObject({
    name: 'AuthenticationError',
    code: 'invalid_api_key',
  });
  expect(stand.answered.slice(first).map(({ status }) => status)).toEqual([404, 400, 403, 401]);
});

test('a stream that breaks off is an error in both, after the same text', async () => {
  const runs: Runs<string> = await stand.run(async (to) => {
    const stream = await client(to).chat.completions.create({
      ...WITH_USAGE,
      model: MODEL,
      messages: [{ role: 'user', content: 'break' }],
    });
    let text = '';
    try {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    } catch {
      return `${text} …`;
    }
    return text;
  });
  expectSameRequests(runs);
  expect(runs.governed).toMatch(/ …$/);
  expect(runs.client[0]?.response.toString()).not.toContain('[DONE]');
  const { outcome } = facts(await stand.record(runs.client[0]));
  expect(outcome).toMatchObject({ status: 'interrupted', code: 'upstream_error' });
});

test('an aborted stream stops the provider at once', async () => {
  const runs = await stand.run(async (to) => {
    const stream = await client(to).chat.completions.create({
      ...WITH_USAGE,
      model: MODEL,
      messages: [{ role: 'user', content: 'slow' }],
    });
    let seen = 0;
    for await (const _ of stream) {
      seen += 1;
      if (seen === 5) stream.controller.abort();
    }
    return seen;
  });
  expectSameRequests(runs);
  await expect.poll(() => runs.upstream[0]?.aborted, { timeout: 20_000 }).toBe(true);
  const { outcome } = facts(await stand.record(runs.client[0]));
  expect(outcome).toMatchObject({ status: 'aborted', usage: { estimated: true } });
  expect(outcome['released_bytes']).toBeGreaterThan(0);
});

test('a call aborted while the model thinks stops the provider too', async () => {
  const runs = await stand.run(async (to) => {
    const abort = new AbortController();
    const before = stand.seen.length;
    const pending = client(to).chat.completions.create(
      { model: MODEL, messages: [{ role: 'user', content: 'think first' }] },
      { signal: abort.signal },
    );
    await expect.poll(() => stand.seen.length, { timeout: 20_000 }).toBe(before + 1);
    abort.abort();
    return failure(pending);
  });
  expect(runs.governed).toEqual(runs.direct);
  expect(runs.governed).toMatchObject({ name: 'APIUserAbortError' });
  await expect.poll(() => runs.upstream[0]?.aborted, { timeout: 20_000 }).toBe(true);
  await expect.poll(() => stand.outcomes('aborted'), { timeout: 20_000 }).toBe(2);
});
