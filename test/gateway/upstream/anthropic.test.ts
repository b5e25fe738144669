import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEgress } from '../../../gateway/egress.ts';
import { createAnthropicUpstream } from '../../../gateway/upstream/anthropic.ts';
import type { Deployment } from '../../../gateway/upstream/upstream.ts';
import { startAnthropicServer, wholeMessage } from './anthropic-server.ts';
import type { AnthropicServer } from './anthropic-server.ts';
import { callOf, chunksOf, collect, deployment, joinToolCalls } from './deployments.ts';

const egress = createEgress();
const upstream = createAnthropicUpstream({ egress, now: () => 1_700_000_000_999 });
const CHAT = { model: 'claude-test', messages: [{ role: 'user', content: 'hi' }] };
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
