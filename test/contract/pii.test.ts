/** With personal data in the prompt the provider sees placeholders, and the caller gets the values back. */
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WEATHER_TOOLS } from './answers.ts';
import { ContractStand, facts } from './stand.ts';

const MODEL = 'gpt-4o-mini';
const ADDRESS = 'ada.lovelace@analytical.example.org';
const PHONE = '+44 20 7946 0958';
const PLACEHOLDER = /<(?:EMAIL_ADDRESS|PHONE_NUMBER)_[a-z]+>/g;

let stand: ContractStand;
let client: OpenAI;

beforeAll(async () => {
  stand = await ContractStand.start();
  client = new OpenAI({ ...stand.governed, maxRetries: 0 });
  const heard = (request: { messages: { content: unknown }[] }): string => String(request.messages.at(-1)?.content);
  stand.mock.onMessage('tool', (request) => {
    const [address = ''] = heard(request).match(PLACEHOLDER) ?? [];
    const mail = { to: address, note: `cc: "${address}"` };
    return {
      toolCalls: [
        { id: 'call_a', name: 'send_mail', arguments: JSON.stringify(mail) },
        { id: 'call_b', name: 'log', arguments: JSON.stringify({ text: 'sent' }) },
      ],
    };
  });
  stand.mock.onMessage('', (request) => ({ content: `I will write to ${heard(request)} today.` }));
});
afterAll(() => stand.stop());

function ask(text: string) {
  return { model: MODEL, messages: [{ role: 'user' as const, content: text }] };
}

function expectHidden(): string {
  const body = stand.seen.at(-1)?.body.toString() ?? '';
  expect(body).not.toContain(ADDRESS);
  expect(body).not.toContain('analytical');
  expect(body).not.toContain(PHONE);
  return body;
}

test('in a whole answer', async () => {
  const answer = await client.chat.completions.create(ask(`${ADDRESS} or ${PHONE}`));
  expect(answer.choices[0]?.message.content).toBe(`I will write to ${ADDRESS} or ${PHONE} today.`);
  expect(expectHidden()).toMatch(/"content":"<EMAIL_ADDRESS_[a-z]+> or <PHONE_NUMBER_[a-z]+>"/);
  const record = await stand.record(stand.answered.at(-1));
  const { decision, outcome } = facts(record);
  expect(decision).toMatchObject({ effect: 'allow', edits: ['redact'] });
  expect(outcome).toMatchObject({ restored: 2 });
  expect(record.decision?.sections['findings']).toMatchObject({
    applied: expect.arrayContaining([
      { type: 'EMAIL_ADDRESS', operator: 'tokenize', count: 1 },
      { type: 'PHONE_NUMBER', operator: 'tokenize', count: 1 },
    ]),
  });
});

test('in a stream, however the provider cuts the placeholder', async () => {
  const stream = await client.chat.completions.create({ ...ask(ADDRESS), stream: true });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  expect(text).toBe(`I will write to ${ADDRESS} today.`);
  expectHidden();
  expect(facts(await stand.record(stand.answered.at(-1))).outcome).toMatchObject({ restored: 1, status: 'ok' });
});

test.each([false, true])('inside the arguments of a tool call, streamed: %s', async (stream) => {
  const request = { ...ask(`use the tool for ${ADDRESS}`), tools: WEATHER_TOOLS };
  const message = stream
    ? await client.chat.completions.stream(request).finalMessage()
    : (await client.chat.completions.create(request)).choices[0]?.message;
  const calls = (message?.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.arguments : ''));
  expect(calls.map((text) => JSON.parse(text) as unknown)).toEqual([
    { to: ADDRESS, note: `cc: "${ADDRESS}"` },
    { text: 'sent' },
  ]);
  expectHidden();
});

test('the same value keeps its placeholder over turns, so that a provider’s prompt cache still hits', async () => {
  await client.chat.completions.create(ask(ADDRESS));
  const [first] = expectHidden().match(PLACEHOLDER) ?? [];
  const history = [...ask(ADDRESS).messages, { role: 'assistant' as const, content: `I will write to ${ADDRESS}` }];
  await client.chat.completions.create({
    model: MODEL,
    messages: [...history, { role: 'user', content: `and ${ADDRESS.toUpperCase()}?` }],
  });
  const tokens = expectHidden().match(PLACEHOLDER) ?? [];
  expect(first).toBeDefined();
  expect(tokens.slice(0, 2)).toEqual([first, first]);
  expect(tokens).toHaveLength(3);
});

test('a placeholder that was not made for this request is not turned into anything', async () => {
  await client.chat.completions.create(ask(ADDRESS));
  const [placeholder = ''] = expectHidden().match(PLACEHOLDER) ?? [];
  const answer = await client.chat.completions.create(ask(`who is ${placeholder}?`));
  expect(answer.choices[0]?.message.content).toBe(`I will write to who is ${placeholder}? today.`);
});
