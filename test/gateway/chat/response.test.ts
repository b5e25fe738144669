/** What comes back is governed too: secrets cut out, tool calls whole, nothing that cannot be read released. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Answer, Json } from './client.ts';
import { chunksOf, contentOf, errorOf, json, streamedText } from './client.ts';
import { ChatStand, facts, MODEL, section } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({ tenants: { masked: '{ response: { pii: mask } }' } });
});
afterEach(() => stand.mock.reset());
afterAll(() => stand.stop());

const SECRET = 'AKIAQYLPMN5HNM4OZ56B';
const MAIL = 'ada@example.org';
const TOOL: Json = { type: 'function', function: { name: 'send', parameters: { type: 'object' } } };

function argumentsOf(answer: Answer): string[] {
  type Calls = { index: number; function: { arguments?: string } }[];
  const type = answer.headers['content-type'] ?? '';
  if (type.startsWith('application/json')) {
    const [choice] = json(answer)['choices'] as { message: { tool_calls: Calls } }[];
    return (choice?.message.tool_calls ?? []).map((call) => call.function.arguments ?? '');
  }
  const joined: string[] = [];
  for (const chunk of chunksOf(answer)) {
    for (const { delta } of chunk['choices'] as { delta: { tool_calls?: Calls } }[]) {
      for (const { index, function: part } of delta.tool_calls ?? [])
        joined[index] = (joined[index] ?? '') + (part.arguments ?? '');
    }
  }
  return joined;
}

const STREAMED = [false, true];

test.each(STREAMED)('a secret in an answer is cut out, streamed: %s', async (stream) => {
  stand.mock.next({ content: `The key is ${SECRET}, keep it safe.` });
  const answer = await stand.ask('what is the key?', { stream });
  expect(stream ? streamedText(answer) : contentOf(answer)).toBe('The key is , keep it safe.');
  expect(answer.text).not.toContain('AKIA');
  const record = await stand.record(answer);
  expect(section(record.outcome, 'findings')).toMatchObject({
    found: [{ type: 'AWS_ACCESS_KEY', count: 1 }],
    applied: [{ type: 'AWS_ACCESS_KEY', operator: 'redact', count: 1 }],
  });
  expect(JSON.stringify(record)).not.toContain(SECRET);
});

/** A stream of this text in pieces of so many characters. */
function pieces(text: string, size: number): string {
  const chunk = (delta: Json, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'x', model: MODEL, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const cuts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  return `${cuts.map((content) => chunk({ content }, null)).join('')}${chunk({}, 'stop')}data: [DONE]\n\n`;
}

test('wherever a stream is cut, the caller receives the same', async () => {
  const text = `a ${SECRET} b ${MAIL} c +44 20 7946 0958 d`;
  const seen = new Set<string>();
  for (const size of [1, 2, 3, 5, 8, 13, 21, 34, 200]) {
    stand.mock.next({ raw: pieces(text, size) });
    seen.add(streamedText(await stand.ask('?', { stream: true }, { tenant: 'masked' })));
  }
  expect([...seen]).toEqual([`a  b ${'*'.repeat(MAIL.length)} c ${'*'.repeat(16)} d`]);
});

test.each(STREAMED)('log probabilities do not spell out what was cut, streamed: %s', async (stream) => {
  const logprobs = { content: [{ token: SECRET, logprob: -0.1, bytes: [65], top_logprobs: [] }] };
  const choice = stream
    ? { index: 0, delta: { content: `x ${SECRET} y ` }, logprobs, finish_reason: null }
    : { index: 0, message: { role: 'assistant', content: `x ${SECRET} y` }, logprobs, finish_reason: 'stop' };
  const whole = JSON.stringify({ id: 'x', model: MODEL, choices: [choice], usage: null });
  const end = JSON.stringify({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  stand.mock.next({ raw: stream ? `data: ${whole}\n\ndata: ${end}\n\ndata: [DONE]\n\n` : whole });
  const answer = await stand.ask('?', { stream, logprobs: true });
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain('AKIA');
  expect(answer.text).toContain('x ');
});

test('nor those of a stream, token by token', async () => {
  const tokens = ['x ', 'AK', 'IAQY', 'LPMN5HNM4', 'OZ56B', ' y'];
  const chunk = (token: string): string =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content: token }, logprobs: { content: [{ token, logprob: -0.5, bytes: [...Buffer.from(token)], top_logprobs: [] }] }, finish_reason: null }] })}\n\n`;
  const end = `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
  stand.mock.next({ raw: tokens.map(chunk).join('') + end });
  const answer = await stand.ask('?', { stream: true, logprobs: true });
  type Choice = { logprobs?: { content: { token: string }[] } | null };
  const spelled = chunksOf(answer)
    .flatMap((part) => part['choices'] as Choice[])
    .flatMap(({ logprobs }) => logprobs?.content ?? [])
    .map(({ token }) => token);
  expect(streamedText(answer)).toBe('x  y');
  expect(spelled.filter((token) => /[A-Z]/.test(token))).toEqual([]);
});

test.each([
  ['refusal', { refusal: `no ${SECRET}` }],
  ['reasoning_content', { content: 'ok', reasoning_content: `thinking of ${SECRET}` }],
  [
    'an annotation',
    {
      content: 'ok',
      annotations: [{ type: 'url_citation', url_citation: { title: SECRET, url: 'https://example.org' } }],
    },
  ],
  ['an unknown member', { content: 'ok', future: { deep: [SECRET] } }],
  ['the name of a member', { content: 'ok', future: { [SECRET]: 1 } }],
  ['a part of a content list', { content: [{ type: 'text', text: `a ${SECRET} b` }] }],
])('a secret in %s is found there too, whole and streamed', async (_, fields) => {
  const whole = {
    id: 'x',
    model: MODEL,
    choices: [{ index: 0, message: { role: 'assistant', ...fields }, finish_reason: 'stop' }],
  };
  stand.mock.next({ raw: JSON.stringify(whole) });
  const answer = await stand.ask('?');
  const chunk = {
    id: 'x',
    model: MODEL,
    choices: [{ index: 0, delta: { role: 'assistant', ...fields }, finish_reason: null }],
  };
  const end = { id: 'x', model: MODEL, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
  stand.mock.next({ raw: `data: ${JSON.stringify(chunk)}\n\ndata: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n` });
  const streamed = await stand.ask('?', { stream: true });
  for (const { status, text } of [answer, streamed]) {
    expect(status).toBe(200);
    expect(text).not.toContain('AKIA');
  }
});

test.each(STREAMED)('a tool call reaches the caller with its values restored, streamed: %s', async (stream) => {
  stand.mock.next({ status: 404 });
  await stand.ask(`mail ${MAIL}`);
  const token = /<EMAIL_ADDRESS_[a-z]+>/.exec(stand.upstreamBody)?.[0] ?? '';
  const first = `{"to":"${token}", "cc":["${token.replace('<', String.raw`\u003c`)}"],"n":1.50}`;
  stand.mock.next({
    toolCalls: [
      { name: 'send', arguments: first },
      { name: 'send', arguments: '{"to":"nobody"}' },
    ],
  });
  const answer = await stand.ask(`mail ${MAIL}`, { stream, tools: [TOOL] });
  expect(argumentsOf(answer).map((text) => JSON.parse(text) as unknown)).toEqual([
    { to: MAIL, cc: [MAIL], n: 1.5 },
    { to: 'nobody' },
  ]);
  expect(argumentsOf(answer)[0]).toContain('"n":1.50');
  const { outcome } = facts(await stand.record(answer));
  expect(outcome).toMatchObject({ status: 'ok', finish_reason: 'tool_calls', restored: 2 });
});

test.each([
  ['the older function_call', (text: string): Json => ({ function_call: { arguments: text } })],
  ['a custom tool', (text: string): Json => ({ tool_calls: [{ index: 0, type: 'custom', custom: { input: text } }] })],
])('a value is restored in %s of a stream', async (_, delta) => {
  stand.mock.next({ status: 404 });
  await stand.ask(`mail ${MAIL}`);
  const token = /<EMAIL_ADDRESS_[a-z]+>/.exec(stand.upstreamBody)?.[0] ?? '';
  const event = (part: Json, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: part, finish_reason: finish }] })}\n\n`;
  const text = `{"to":"${token}"}`;
  const raw = [delta(text.slice(0, 12)), delta(text.slice(12, 20)), delta(text.slice(20))].map((part) =>
    event(part, null),
  );
  stand.mock.next({ raw: `${raw.join('')}${event({}, 'function_call')}data: [DONE]\n\n` });
  const answer = await stand.ask(`mail ${MAIL}`, { stream: true });
  expect(answer.text).toContain(JSON.stringify(`{"to":"${MAIL}"}`));
  expect(answer.text).not.toContain('EMAIL_ADDRESS');
});

test.each(STREAMED)('a value that needs escaping inside arguments stays valid JSON, streamed: %s', async (stream) => {
  const odd = '"o\'neil+tag"@example.org';
  stand.mock.next({ status: 404 });
  await stand.ask(`mail ${odd} and o'neil+tag@example.org`);
  const tokens = stand.upstreamBody.match(/<EMAIL_ADDRESS_[a-z]+>/g) ?? [];
  stand.mock.next({ toolCalls: [{ name: 'send', arguments: JSON.stringify({ to: tokens }) }] });
  const answer = await stand.ask(`mail ${odd} and o'neil+tag@example.org`, { stream, tools: [TOOL] });
  const { to } = JSON.parse(argumentsOf(answer)[0] ?? '') as { to: string[] };
  expect(to.length).toBeGreaterThan(0);
  for (const value of to) expect(value).toContain('@example.org');
});

test.each(STREAMED)('a secret inside the arguments of a tool call is cut out, streamed: %s', async (stream) => {
  stand.mock.next({
    toolCalls: [{ name: 'send', arguments: `{"token":"${SECRET}","a":"\\u0041KIAQYLPMN5HNM4OZ56B"}` }],
  });
  const answer = await stand.ask('?', { stream, tools: [TOOL] });
  expect(argumentsOf(answer).map((text) => JSON.parse(text) as unknown)).toEqual([{ token: '', a: '' }]);
  expect(answer.text).not.toContain('KIAQ');
});

test('a tool call whose arguments are not JSON is passed on as the model wrote it, but for secrets', async () => {
  for (const stream of STREAMED) {
    stand.mock.next({ toolCalls: [{ name: 'send', arguments: `{"to": "half of ${SECRET}` }] });
    const answer = await stand.ask('?', { stream, tools: [TOOL] });
    expect(argumentsOf(answer)).toEqual(['{"to": "half of ']);
  }
});

test('a tool call that breaks off does not reach the caller in part', async () => {
  const piece = (text: string): string =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'send', arguments: text } }] }, finish_reason: null }] })}\n\n`;
  stand.mock.next({ raw: piece('{"to":') + piece('"all"') });
  const answer = await stand.ask('?', { stream: true, tools: [TOOL] });
  expect(answer.text).not.toContain('tool_calls');
  expect(answer.text).toContain('"code":"upstream_error"');
  expect(answer.text).not.toContain('[DONE]');
});

test.each([
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ['no JSON', 'Hello.'],
  ['an array', '[]'],
  ['a duplicate member', '{"choices":[],"choices":[]}'],
  ['half an answer', '{"choices":['],
])('an answer that is %s is withheld', async (_, raw) => {
  stand.mock.next({ raw });
  const answer = await stand.ask('?');
  expect([answer.status, errorOf(answer)['code']]).toEqual([502, 'upstream_error']);
  expect(facts(await stand.record(answer)).outcome).toMatchObject({
    status: 'upstream_error',
    code: 'upstream_error',
    usage: { estimated: true },
  });
});

test.each([
  [{ message: 'overloaded', type: 'overloaded_error' }, 529],
  [{ message: 'too many', code: 429 }, 429],
  [{ message: 'something', type: 'odd' }, 502],
])('an error under status 200 gets the status it means: %j', async (error, status) => {
  stand.mock.next({ raw: JSON.stringify({ error }) });
  const answer = await stand.ask('?');
  expect([answer.status, json(answer)]).toEqual([status, { error }]);
  expect(facts(await stand.record(answer)).outcome).toMatchObject({ status: 'upstream_error', http_status: 200 });
});

test('an error of the provider is read as well: a secret it quotes is cut out', async () => {
  const error = {
    error: {
      message: `Incorrect API key provided: ${SECRET}.`,
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  };
  stand.mock.next({ status: 401, raw: JSON.stringify(error) });
  const answer = await stand.ask('?');
  expect(answer.status).toBe(401);
  expect(errorOf(answer)['message']).toBe('Incorrect API key provided: .');
});

test('usage the provider counts is rated as it was counted', async () => {
  stand.mock.next({ usage: { prompt_tokens: 1234, completion_tokens: 56 } });
  const answer = await stand.ask('?');
  expect(json(answer)['usage']).toMatchObject({ prompt_tokens: 1234, completion_tokens: 56 });
  expect(facts(await stand.record(answer)).outcome).toMatchObject({
    usage: { input_tokens: 1234, output_tokens: 56, estimated: false },
    cost_nusd: null,
    unpriced: true,
  });
});
