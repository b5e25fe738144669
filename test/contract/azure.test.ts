/** The SDK's client for Azure, which names the model in the path and sends the key in another header. */
import { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from './stand.ts';
import { ContractStand, facts } from './stand.ts';

const HELLO = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'hello' }] };

let stand: ContractStand;

beforeAll(async () => {
  stand = await ContractStand.start();
  stand.mock.onMessage('hello', { id: 'chatcmpl-fixed', created: 1_700_000_000, content: 'Hello there.' });
});
afterAll(() => stand.stop());

function client({ baseURL, apiKey }: Endpoint, deployment?: string): AzureOpenAI {
  const endpoint = baseURL.replace(/\/v1$/, '');
  return new AzureOpenAI({
    endpoint,
    apiKey,
    apiVersion: '2026-01-01',
    maxRetries: 0,
    ...(deployment === undefined ? {} : { deployment }),
  });
}

test('a completion', async () => {
  const runs = await stand.run((to) => client(to).chat.completions.create(HELLO));
  expect(runs.governed).toEqual(runs.direct);
  expect(runs.client[0]?.path).toBe('/openai/deployments/gpt-4o-mini/chat/completions?api-version=2026-01-01');
  expect(runs.upstream[0]?.body).toEqual(runs.directTraffic[0]?.body);
  expect(runs.client[0]?.response).toEqual(runs.directTraffic[0]?.response);
});

test('a stream', async () => {
  const runs = await stand.run(async (to) => {
    const stream = await client(to).chat.completions.create({
      ...HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: object[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  });
  expect(runs.governed).toEqual(runs.direct);
  expect(runs.upstream[0]?.body).toEqual(runs.directTraffic[0]?.body);
});

test('a client bound to one deployment: the path decides, whatever the body calls the model', async () => {
  const first = stand.answered.length;
  const answer = await client(stand.governed, 'gpt-4o-mini').chat.completions.create({
    ...HELLO,
    model: 'something else',
  });
  expect(answer.choices[0]?.message.content).toBe('Hello there.');
  expect(JSON.parse(stand.seen.at(-1)?.body.toString() ?? '')).toEqual(HELLO);
  const { decision } = facts(await stand.record(stand.answered[first]));
  expect(decision).toMatchObject({ model: 'gpt-4o-mini', edits: ['model'] });
  await expect(client(stand.governed, 'gpt-unknown').chat.completions.create(HELLO)).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});
