import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEgress } from '../../../gateway/egress.ts';
import { createAnthropicUpstream } from '../../../gateway/upstream/anthropic.ts';
import { forwardWithFallback } from '../../../gateway/upstream/retry.ts';
import { DEFAULT_RETRY_POLICY, planAttempts } from '../../../gateway/upstream/route.ts';
import type { Deployment, SseEvent } from '../../../gateway/upstream/upstream.ts';
import {
  messageEnd,
  messageStart,
  startAnthropicServer,
  textBlock,
  toolBlock,
  wholeMessage,
} from './anthropic-server.ts';
import type { AnthropicServer } from './anthropic-server.ts';
import { callOf, chunksOf, collect, deployment, joinToolCalls } from './deployments.ts';

const egress = createEgress();
const upstream = createAnthropicUpstream({ egress, now: () => 1_700_000_000_999 });
const CHAT = { model: 'claude-test', messages: [{ role: 'user', content: 'hi' }] };
const STREAM = { ...CHAT, stream: true, stream_options: { include_usage: true } };
let server: AnthropicServer;
let to: Deployment;

beforeAll(async () => {
  server = await startAnthropicServer();
  to = deployment({ kind: 'anthropic', baseUrl: server.url, apiKey: 'sk-ant-secret' });
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(async () => {
  await egress.close();
  await server.close();
});

async function whole(content: string, stop: string, usage?: object): Promise<unknown> {
  server.reply = () => ({ body: wholeMessage(content, stop, usage) });
  return JSON.parse((await (await upstream.send(callOf(to, CHAT))).body()).toString());
}

async function streamed(...events: object[]): Promise<SseEvent[]> {
  server.reply = () => ({ events });
  return collect((await upstream.send(callOf(to, STREAM))).events());
}

describe('whole answers', () => {
  test('the request carries the key and version of the protocol', async () => {
    await whole('[{"type":"text","text":"hello"}]', 'end_turn');
    const [request] = server.requests;
    expect(request?.path).toBe('/v1/messages');
    expect(request?.headers).toMatchObject({ 'x-api-key': 'sk-ant-secret', 'anthropic-version': '2023-06-01' });
    expect(request?.headers.authorization).toBeUndefined();
  });

  test('text, thoughts and tool calls in one message', async () => {
    const content = `[ {"type":"thinking","thinking":"hm","signature":"s"}, {"type":"text","text":"a"},
      {"input": {"id":12345678901234567890,"s":"]}\\"{"},"type":"tool_use","id":"t1","name":"f"},{"type":"text","text":"b"} ]`;
    expect(await whole(content, 'tool_use')).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'claude-test',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'ab',
            refusal: null,
            tool_calls: [
              {
                id: 't1',
                type: 'function',
                function: { name: 'f', arguments: '{"id":12345678901234567890,"s":"]}\\"{"}' },
              },
            ],
            reasoning_content: 'hm',
            thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      },
    });
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'stop'],
    ['something_new', 'stop'],
  ])('stop_reason %s is finish_reason %s', async (stop, expected) => {
    expect(await whole('[]', stop)).toMatchObject({
      choices: [{ finish_reason: expected, message: { content: null } }],
    });
  });

  test('prompt tokens include what was read from and written to the cache', async () => {
    const usage = {
      input_tokens: 3,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 20,
      cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 15 },
      output_tokens: 7,
    };
    expect(await whole('[]', 'end_turn', usage)).toMatchObject({
      usage: {
        prompt_tokens: 123,
        completion_tokens: 7,
        total_tokens: 130,
        prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 20 },
        cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 15 },
      },
    });
  });

  test('what is no message is a bad answer', async () => {
    for (const body of ['', '<html>', '[]', '{}', '{"type":"error"}', '{"type":"message"}']) {
      server.reply = () => ({ body });
      const response = await upstream.send(callOf(to, CHAT));
      await expect(response.body()).rejects.toMatchObject({ code: 'upstream_error', reason: 'bad_answer' });
    }
  });

  test('errors keep their status and words in the shape of OpenAI', async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'r' };
    server.reply = () => ({ status: 529, body: JSON.stringify(error) });
    const response = await upstream.send(callOf(to, CHAT));
    expect([response.status, response.requestId, response.headers['x-request-id']]).toEqual([529, 'req_a1', 'req_a1']);
    expect(JSON.parse((await response.body()).toString())).toEqual({
      error: { message: 'Overloaded', type: 'overloaded_error', param: null, code: null },
    });
    server.reply = () => ({ status: 502, body: '<html>bad gateway</html>' });
    const proxy = await upstream.send(callOf(to, CHAT));
    expect(JSON.parse((await proxy.body()).toString())).toEqual({
      error: {
        message: 'The model provider answered with status 502.',
        type: 'upstream_error',
        param: null,
        code: null,
      },
    });
  });

  test('a request without an equal is refused before anything is sent', async () => {
    await expect(upstream.send(callOf(to, { ...CHAT, n: 2 }))).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'n',
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('streams', () => {
  test('the documented sequence, pings and unknown events skipped', async () => {
    const events = await streamed(
      messageStart({ input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 }),
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'brand_new_event' },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '!' } },
      { type: 'content_block_stop', index: 0 },
      ...messageEnd('end_turn', { output_tokens: 15 }),
    );
    const chunks = chunksOf(events);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hello' },
      { content: '!' },
      {},
      undefined,
    ]);
    expect(chunks.slice(0, 4).map((chunk) => [chunk.choices[0]?.finish_reason, chunk.usage])).toEqual([
      [null, null],
      [null, null],
      [null, null],
      ['stop', null],
    ]);
    expect(chunks[4]).toMatchObject({
      id: 'msg_1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'claude-test',
      choices: [],
      usage: {
        prompt_tokens: 30,
        completion_tokens: 15,
        total_tokens: 45,
        prompt_tokens_details: { cached_tokens: 5 },
      },
    });
  });

  test('tool calls get an index of their own among the blocks, interleaved and without input', async () => {
    const events = await streamed(
      messageStart(),
      ...textBlock(0, 'Let me see'),
      ...toolBlock(1, 't1', 'weather', '', '{"city": "S', 'F", "id": 12345678901234567890}'),
      ...toolBlock(2, 't2', 'now'),
      ...toolBlock(3, 't3', 'time', '{}'),
      ...messageEnd('tool_use'),
    );
    const chunks = chunksOf(events);
    expect(joinToolCalls(chunks)).toEqual([
      { id: 't1', name: 'weather', arguments: '{"city": "SF", "id": 12345678901234567890}' },
      { id: 't2', name: 'now', arguments: '{}' },
      { id: 't3', name: 'time', arguments: '{}' },
    ]);
    const named = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? []);
    expect(named.filter((call) => call.id !== undefined).map((call) => call.index)).toEqual([0, 1, 2]);
  });

  test('thoughts stream as reasoning, and come whole with their signature', async () => {
    const delta = (value: object): object => ({ type: 'content_block_delta', index: 0, delta: value });
    const events = await streamed(
      messageStart(),
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      delta({ type: 'thinking_delta', thinking: 'Let' }),
      delta({ type: 'thinking_delta', thinking: ' me' }),
      delta({ type: 'signature_delta', signature: 'sig' }),
      { type: 'content_block_stop', index: 0 },
      ...textBlock(1, 'ok'),
      ...messageEnd('end_turn'),
    );
    expect(
      chunksOf(events)
        .map((chunk) => chunk.choices[0]?.delta)
        .slice(1, 4),
    ).toEqual([
      { reasoning_content: 'Let' },
      { reasoning_content: ' me' },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Let me', signature: 'sig' }] },
    ]);
  });

  test('an error in the middle is an error event and no [DONE]', async () => {
    const events = await streamed(messageStart(), ...textBlock(0, 'He'), {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
    expect(JSON.parse(events.at(-1)?.data ?? '')).toEqual({
      error: { message: 'Overloaded', type: 'overloaded_error', param: null, code: null },
    });
    expect(events.some((event) => event.data === '[DONE]')).toBe(false);
  });

  test('an error as the first event lets another deployment answer', async () => {
    server.reply = () => {
      server.reply = () => ({ events: [messageStart(), ...textBlock(0, 'fine'), ...messageEnd('end_turn')] });
      return { events: [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }] };
    };
    const policy = { ...DEFAULT_RETRY_POLICY, attemptsPerDeployment: 1 };
    const result = await forwardWithFallback({
      attempts: planAttempts([deployment({ ...to, id: 'x/1' }), deployment({ ...to, id: 'x/2' })], policy),
      policy,
      stream: true,
      send: async (attempt) => upstream.send(callOf(attempt.deployment, STREAM)),
      signal: new AbortController().signal,
      now: () => 0,
      random: () => 0,
      sleep: async () => Promise.resolve(),
    });
    expect(result.attempts.map((attempt) => [attempt.deployment, attempt.status])).toEqual([
      ['x/1', 529],
      ['x/2', 200],
    ]);
  });

  test('a stream that closes before its end, or holds no JSON, is broken', async () => {
    await expect(streamed(messageStart(), ...textBlock(0, 'He'))).rejects.toMatchObject({ reason: 'broken_answer' });
    await expect(streamed(messageStart(), ...messageEnd('end_turn').slice(0, 1))).rejects.toMatchObject({
      reason: 'broken_answer',
    });
    await expect(streamed([] as unknown as object)).rejects.toMatchObject({ reason: 'bad_answer' });
    await expect(streamed({ type: 'message_start' })).rejects.toMatchObject({ reason: 'bad_answer' });
  });
});

describe('against an independent mock', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let there: Deployment;

  beforeAll(async () => {
    mock.onMessage('weather', {
      toolCalls: [
        { name: 'weather', arguments: '{"city":"Paris"}' },
        { name: 'time', arguments: '{}' },
      ],
    });
    mock.onMessage('hello', { content: 'Hello from the mock, at some length.' });
    await mock.start();
    there = deployment({ kind: 'anthropic', baseUrl: mock.url });
  });
  afterAll(async () => mock.stop());

  const request = (content: string, stream: boolean): object => ({
    model: 'claude-sonnet-4-5',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content },
    ],
    tools: ['weather', 'time'].map((name) => ({
      type: 'function',
      function: { name, parameters: { type: 'object', properties: {} } },
    })),
    stream,
  });

  test('text, whole and streamed', async () => {
    const response = await upstream.send(callOf(there, request('hello', false)));
    expect(response.status).toBe(200);
    const completion = JSON.parse((await response.body()).toString()) as {
      choices: { message: { content: string } }[];
    };
    expect(completion.choices[0]?.message.content).toBe('Hello from the mock, at some length.');
    const chunks = chunksOf(await collect((await upstream.send(callOf(there, request('hello', true)))).events()));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(text).toBe('Hello from the mock, at some length.');
  });

  test('parallel tool calls, whole and streamed', async () => {
    const expected = [
      { name: 'weather', arguments: '{"city":"Paris"}' },
      { name: 'time', arguments: '{}' },
    ];
    const response = await upstream.send(callOf(there, request('weather', false)));
    const completion = JSON.parse((await response.body()).toString()) as {
      choices: { message: { tool_calls: { function: object }[] }; finish_reason: string }[];
    };
    expect(completion.choices[0]?.message.tool_calls.map((call) => call.function)).toEqual(expected);
    expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
    const chunks = chunksOf(await collect((await upstream.send(callOf(there, request('weather', true)))).events()));
    expect(joinToolCalls(chunks)).toMatchObject(expected);
  });
});
