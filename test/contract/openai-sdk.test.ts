/** The official OpenAI SDK, once directly against an independent mock and once through the gateway: nothing may differ. */
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { RICH_ANSWER, RICH_STREAM, WEATHER_TOOLS } from './answers.ts';
import type { Endpoint } from './stand.ts';
import { ContractStand, expectSame, expectSameRequests, facts } from './stand.ts';

const MODEL = 'gpt-4o-mini';
const FIXED = { id: 'chatcmpl-fixed', created: 1_700_000_000, systemFingerprint: 'fp_1' };

let stand: ContractStand;

beforeAll(async () => {
  stand = await ContractStand.start('{ modalities: [image], url_hosts: [images.example.com] }');
  stand.mock.onMessage('hello', { ...FIXED, content: 'Grüße aus dem Modell. 👋 Line\nbreak and "quotes".' });
  stand.mock.onMessage('weather', {
    ...FIXED,
    toolCalls: [
      { id: 'call_a', name: 'get_weather', arguments: '{"city":"Oslo","unit":"C"}' },
      { id: 'call_b', name: 'get_weather', arguments: '{"city":"Zürich","unit":"C"}' },
    ],
  });
  stand.mock.onMessage('person', { ...FIXED, content: '{"name":"Ada","age":36}' });
  stand.mock.onMessage('picture', { ...FIXED, content: 'A cat.' });
});
afterEach(() => stand.prepare(null));
afterAll(() => stand.stop());

function client(endpoint: Endpoint, maxRetries = 0): OpenAI {
  return new OpenAI({ ...endpoint, maxRetries });
}

function ask<More extends object>(text: string, more: More = {} as More) {
  return { model: MODEL, messages: [{ role: 'user' as const, content: text }], ...more };
}

async function chunks(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const all: ChatCompletionChunk[] = [];
  for await (const chunk of stream) all.push(chunk);
  return all;
}

test('a chat completion', async () => {
  const runs = await stand.run((to) => client(to).chat.completions.create(ask('hello')));
  expectSame(runs);
  expect(runs.governed.choices[0]?.message.content).toContain('Grüße');
  const { decision, outcome } = facts(await stand.record(runs.client[0]));
  expect(decision).toMatchObject({ effect: 'allow', edits: [], stream: false });
  expect(outcome).toMatchObject({ status: 'ok', http_status: 200, response_effect: 'allow' });
});

test('every parameter, known to this version of the SDK or not', async () => {
  const request = ask('hello', {
    temperature: 1,
    top_p: 0.95,
    seed: 9_007_199_254_740_991,
    stop: ['\u2028', 'END'],
    max_completion_tokens: 50,
    logit_bias: { '50256': -100 },
    metadata: { order: '4711' },
    service_tier: 'default' as const,
    prompt_cache_key: 'k',
    reasoning_effort: 'low' as const,
    store: false,
    parallel_tool_calls: false,
    tools: WEATHER_TOOLS,
    tool_choice: { type: 'function' as const, function: { name: 'get_weather' } },
    web_search_options: {},
    // A parameter of tomorrow.
    brand_new: { nested: [1, { deep: null }], 'a/b~c': '' },
  });
  const runs = await stand.run((to) => client(to).chat.completions.create(request));
  expectSame(runs);
  expect(runs.upstream[0]?.body.toString()).toContain('"brand_new":{"nested":[1,{"deep":null}],"a/b~c":""}');
});

test('a streamed completion with usage', async () => {
  const runs = await stand.run(async (to) =>
    chunks(
      await client(to).chat.completions.create({
        ...ask('hello'),
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  );
  expectSame(runs);
  expect(runs.governed.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
});

test('a streamed completion without usage: asked for upstream, taken out again', async () => {
  const runs = await stand.run(async (to) =>
    chunks(await client(to).chat.completions.create({ ...ask('hello'), stream: true })),
  );
  expect(runs.governed).toEqual(runs.direct);
  expect(runs.client[0]?.response).toEqual(runs.directTraffic[0]?.response);
  const sent = runs.directTraffic[0]?.body.toString() ?? '';
  expect(runs.upstream[0]?.body.toString()).toBe(sent.replace(/\}$/, ',"stream_options":{"include_usage":true}}'));
  const { decision, outcome } = facts(await stand.record(runs.client[0]));
  expect(decision['edits']).toEqual(['stream_options.include_usage']);
  expect(outcome['usage']).toMatchObject({ estimated: false });
});

test('parallel tool calls, whole', async () => {
  const runs = await stand.run((to) =>
    client(to).chat.completions.create(ask('weather in two places', { tools: WEATHER_TOOLS })),
  );
  expectSame(runs);
  const calls = runs.governed.choices[0]?.message.tool_calls ?? [];
  expect(calls.map((call) => (call.type === 'function' ? call.function.arguments : null))).toEqual([
    '{"city":"Oslo","unit":"C"}',
    '{"city":"Zürich","unit":"C"}',
  ]);
});

test('parallel tool calls, streamed and put together by the SDK', async () => {
  const runs = await stand.run(async (to) => {
    const stream = client(to).chat.completions.stream({
      ...ask('weather in two places', { tools: WEATHER_TOOLS }),
      stream_options: { include_usage: true },
    });
    const deltas: string[] = [];
    stream.on('tool_calls.function.arguments.delta', (delta) => deltas.push(`${delta.index} ${delta.arguments_delta}`));
    return { final: await stream.finalChatCompletion(), deltas };
  });
  expectSame(runs);
  expect(runs.governed.final.choices[0]?.message.tool_calls).toHaveLength(2);
  expect(runs.governed.deltas.length).toBeGreaterThan(4);
});

test('the turn after a tool call, with its result', async () => {
  const runs = await stand.run((to) =>
    client(to).chat.completions.create({
      model: MODEL,
      tools: WEATHER_TOOLS,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{ "city":"Oslo" }' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_a', content: '{"temperature": -3.50}' },
      ],
    }),
  );
  expectSame(runs);
});

test('structured output', async () => {
  const format = zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person');
  const runs = await stand.run((to) => client(to).chat.completions.parse(ask('a person', { response_format: format })));
  expectSame(runs);
  expect(runs.governed.choices[0]?.message.parsed).toEqual({ name: 'Ada', age: 36 });
});

test('images inline and by address', async () => {
  const pixel = `data:image/png;base64,${Buffer.from('not really a picture').toString('base64')}`;
  const parts = [
    { type: 'text' as const, text: 'what is in the picture?' },
    { type: 'image_url' as const, image_url: { url: pixel, detail: 'low' as const } },
    { type: 'image_url' as const, image_url: { url: 'https://images.example.com/cat.png' } },
  ];
  const runs = await stand.run((to) =>
    client(to).chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: parts }] }),
  );
  expectSame(runs);
  const { decision } = facts(await stand.record(runs.client[0]));
  expect(decision['unscanned']).toEqual([
    { what: 'image', path: '/messages/0/content/1/image_url/url' },
    { what: 'remote_url', path: '/messages/0/content/2/image_url/url' },
  ]);
});

test('several choices with log probabilities', async () => {
  stand.prepare(RICH_ANSWER);
  const runs = await stand.run((to) =>
    client(to).chat.completions.create(ask('hello', { n: 2, logprobs: true, top_logprobs: 2 })),
  );
  expectSame(runs);
  expect(runs.governed.choices).toHaveLength(2);
  expect(runs.governed.choices[1]?.logprobs?.content?.[0]).toMatchObject({ token: 'Yes', logprob: -0.31725305 });
});

test('several choices with log probabilities, interleaved in a stream', async () => {
  stand.prepare(RICH_STREAM);
  const runs = await stand.run(async (to) =>
    chunks(
      await client(to).chat.completions.create({
        ...ask('hello', { n: 2, logprobs: true }),
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  );
  expectSame(runs);
  const text = (index: number): string =>
    runs.governed
      .flatMap(({ choices }) => choices.filter((c) => c.index === index).map((c) => c.delta.content ?? ''))
      .join('');
  expect([text(0), text(1)]).toEqual(['No way.', 'Yes way.']);
});

test('the list of models is the gateway’s own', async () => {
  const page = await client(stand.governed).models.list();
  expect(page.data.map(({ id }) => id)).toEqual([MODEL]);
  await expect(client(stand.governed).models.retrieve(MODEL)).resolves.toMatchObject({ id: MODEL, owned_by: 'mock' });
});

test('requests differ from direct ones in nothing but the credential and the hop', async () => {
  const runs = await stand.run((to) => client(to).chat.completions.create(ask('hello')));
  expectSameRequests(runs);
  expect(runs.upstream[0]?.headers.authorization).toBe('Bearer sk-the-provider-key');
  expect(JSON.stringify(runs.upstream[0]?.headers)).not.toContain(stand.gateway.key);
  expect(runs.upstream[0]?.headers['content-type']).toBe('application/json');
});
