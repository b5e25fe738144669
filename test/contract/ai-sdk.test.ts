/** A second real client, the Vercel AI SDK in chat-completions mode: directly and through the gateway, nothing may differ. */
import { createOpenAI } from '@ai-sdk/openai';
import {
  APICallError,
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import type { LanguageModel } from 'ai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Endpoint } from './stand.ts';
import { ContractStand, expectSame, expectSameRequests, facts } from './stand.ts';

const ADDRESS = 'ada.lovelace@analytical.example.org';

let stand: ContractStand;

beforeAll(async () => {
  stand = await ContractStand.start('{ modalities: [image], url_hosts: [images.example.com] }');
  const fixed = { id: 'chatcmpl-fixed', created: 1_700_000_000 };
  const calls = [
    { id: 'call_a', name: 'weather', arguments: '{"city":"Oslo"}' },
    { id: 'call_b', name: 'weather', arguments: '{"city":"Zürich"}' },
  ];
  stand.mock.on({ userMessage: 'weather', hasToolResult: true }, { ...fixed, content: 'Cold in both.' });
  stand.mock.on({ userMessage: 'weather' }, { ...fixed, toolCalls: calls });
  stand.mock.onMessage('hello', { ...fixed, content: 'Grüße aus dem Modell. 👋' });
  stand.mock.onMessage('person', { ...fixed, content: '{"name":"Ada","age":36}' });
  stand.mock.onMessage('picture', { ...fixed, content: 'A cat.' });
  stand.mock.onMessage('slow', { ...fixed, content: 'word '.repeat(2000) }, { latency: 30 });
  stand.mock.onMessage('write to', (request) => ({
    ...fixed,
    content: `To: ${/<\w+>/.exec(JSON.stringify(request.messages.at(-1)?.content))?.[0]}.`,
  }));
});
afterAll(() => stand.stop());

function model(endpoint: Endpoint): LanguageModel {
  return createOpenAI(endpoint).chat('gpt-4o-mini');
}

const weather = tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => Promise.resolve({ city, celsius: -3.5 }),
});

/** What a caller makes of an answer, without times and the headers of the hop. */
const made = (result: {
  text: string;
  finishReason: string;
  usage: object;
  steps: readonly { toolCalls: unknown }[];
}) => ({
  text: result.text,
  finishReason: result.finishReason,
  usage: result.usage,
  calls: result.steps.map(({ toolCalls }) => toolCalls),
});

test('a text', async () => {
  const runs = await stand.run(async (to) =>
    made(await generateText({ model: model(to), system: 'Be brief.', prompt: 'hello', temperature: 0 })),
  );
  expectSame(runs);
  expect(runs.governed.text).toContain('Grüße');
});

test('a streamed text, part by part', async () => {
  const runs = await stand.run(async (to) => {
    const { textStream, usage, finishReason } = streamText({ model: model(to), prompt: 'hello' });
    const parts: string[] = [];
    for await (const part of textStream) parts.push(part);
    return { parts, usage: await usage, finishReason: await finishReason };
  });
  expectSame(runs);
  expect(runs.governed.parts.length).toBeGreaterThan(2);
  expect(runs.governed.usage.totalTokens).toBeGreaterThan(0);
});

test('parallel tools, run and answered, in one conversation of two requests', async () => {
  const runs = await stand.run(async (to) =>
    made(
      await generateText({
        model: model(to),
        prompt: 'weather in two places',
        tools: { weather },
        stopWhen: stepCountIs(3),
      }),
    ),
  );
  expectSame(runs);
  expect(runs.upstream).toHaveLength(2);
  expect(runs.governed.text).toBe('Cold in both.');
  expect(runs.governed.calls[0]).toHaveLength(2);
});

test('parallel tools in a stream', async () => {
  const runs = await stand.run(async (to) => {
    const result = streamText({
      model: model(to),
      prompt: 'weather in two places',
      tools: { weather },
      stopWhen: stepCountIs(3),
    });
    const kinds: string[] = [];
    for await (const part of result.fullStream) kinds.push(part.type);
    return { text: await result.text, kinds: kinds.filter((kind) => !/^(start|finish)/.test(kind)) };
  });
  expectSame(runs);
  expect(runs.governed.kinds.filter((kind) => kind === 'tool-result')).toHaveLength(2);
});

test('a structured object, whole and streamed', async () => {
  const schema = jsonSchema<{ name: string; age: number }>({
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'number' } },
    required: ['name', 'age'],
    additionalProperties: false,
  });
  const whole = await stand.run(
    async (to) => (await generateObject({ model: model(to), schema, prompt: 'a person' })).object,
  );
  expectSame(whole);
  expect(whole.governed).toEqual({ name: 'Ada', age: 36 });
  expect(whole.upstream[0]?.body.toString()).toContain('"json_schema"');
  const streamed = await stand.run(async (to) => {
    const result = streamObject({ model: model(to), schema, prompt: 'a person' });
    const partial: unknown[] = [];
    for await (const part of result.partialObjectStream) partial.push(part);
    return { object: await result.object, partial };
  });
  expectSame(streamed);
  expect(streamed.governed.object).toEqual({ name: 'Ada', age: 36 });
});

test('images inline and by address', async () => {
  const runs = await stand.run(async (to) =>
    made(
      await generateText({
        model: model(to),
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'what is in the picture?' },
              { type: 'image', image: Buffer.from('not really a picture'), mediaType: 'image/png' },
              { type: 'image', image: new URL('https://images.example.com/cat.png') },
            ],
          },
        ],
      }),
    ),
  );
  expectSame(runs);
  expect(runs.upstream[0]?.body.toString()).toContain('https://images.example.com/cat.png');
});

test('an error of the provider', async () => {
  const runs = await stand.run(async (to) => {
    stand.mock.nextRequestError(400, {
      message: 'Unsupported',
      type: 'invalid_request_error',
      code: 'unsupported_value',
    });
    const error: unknown = await generateText({ model: model(to), prompt: 'hello', maxRetries: 0 }).catch(
      (cause: unknown) => cause,
    );
    return APICallError.isInstance(error) ? [error.statusCode, error.message, error.data, error.isRetryable] : error;
  });
  expectSame(runs);
  expect(runs.governed).toMatchObject([400, 'Unsupported', {}, false]);
});

test('a refusal of the gateway reads like an error of the provider', async () => {
  const error: unknown = await generateText({ model: model(stand.governed), prompt: 'AKIAQYLPMN5HNM4OZ56B' }).catch(
    (cause: unknown) => cause,
  );
  expect(APICallError.isInstance(error) && [error.statusCode, error.isRetryable]).toEqual([403, false]);
  expect(String(error)).toContain('AWS_ACCESS_KEY');
  expect(String(error)).not.toContain('AKIAQYLPMN5HNM4OZ56B');
});

test('an aborted stream stops the provider', async () => {
  const runs = await stand.run(async (to) => {
    const abort = new AbortController();
    const result = streamText({
      model: model(to),
      prompt: 'slow',
      abortSignal: abort.signal,
      onError: () => undefined,
    });
    let parts = 0;
    for await (const _ of result.textStream) {
      parts += 1;
      if (parts === 3) abort.abort();
    }
    return parts > 2;
  });
  expectSameRequests(runs);
  await expect.poll(() => runs.upstream[0]?.aborted, { timeout: 20_000 }).toBe(true);
  const { outcome } = facts(await stand.record(runs.client[0]));
  expect(outcome).toMatchObject({ status: 'aborted' });
});

test('personal data goes out as a placeholder and comes back as itself', async () => {
  const { textStream } = streamText({ model: model(stand.governed), prompt: `write to ${ADDRESS}` });
  let text = '';
  for await (const part of textStream) text += part;
  expect(text).toBe(`To: ${ADDRESS}.`);
  expect(stand.seen.at(-1)?.body.toString()).not.toContain('lovelace');
});
