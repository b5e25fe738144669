/** The other obligations: tools taken out, answers that disclose themselves, answers held until they are complete. */
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Json } from './client.ts';
import { chunksOf, contentOf, errorOf, eventsOf, json, streamedText } from './client.ts';
import { ChatStand, facts, MODEL, section } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    tenants: {
      guarded: '{ strip_tools: [shell, browser] }',
      open: '{ disclose: "You are talking to a machine." }',
      patient: '{ response: { buffer: true } }',
      short: '{ limits: { max_input_tokens: 50 } }',
    },
  });
});
afterEach(() => stand.mock.reset());
afterAll(() => stand.stop());

function tool(name: string): Json {
  return { type: 'function', function: { name, description: `does ${name}`, parameters: { type: 'object' } } };
}

async function sentWith(tools: Json[], more: Json = {}): Promise<{ sent: Json; edits: unknown; stripped: unknown }> {
  const answer = await stand.ask('hi', { tools, ...more }, { tenant: 'guarded' });
  expect(answer.status).toBe(200);
  const record = await stand.record(answer, 'guarded');
  return {
    sent: JSON.parse(stand.upstreamBody) as Json,
    edits: facts(record).decision['edits'],
    stripped: section(record.decision, 'findings')['stripped_tools'],
  };
}

test('forbidden tools are taken out, the others stay as they are', async () => {
  const tools = [tool('shell'), tool('search'), tool('browser'), tool('calc')];
  const { sent, edits, stripped } = await sentWith(tools, { tool_choice: 'auto', parallel_tool_calls: true });
  expect(sent).toMatchObject({ tools: [tool('search'), tool('calc')], tool_choice: 'auto', parallel_tool_calls: true });
  expect([edits, stripped]).toEqual([['strip_tools'], ['shell', 'browser']]);
});

test('with the last tool everything about tools goes', async () => {
  const { sent } = await sentWith([tool('shell')], { tool_choice: 'required', parallel_tool_calls: false });
  expect(Object.keys(sent).sort()).toEqual(['messages', 'model']);
});

test('a choice that forces a forbidden tool goes with it', async () => {
  const tools = [tool('shell'), tool('search')];
  const forced = (name: string): Json => ({ tool_choice: { type: 'function', function: { name } } });
  expect((await sentWith(tools, forced('shell'))).sent).toEqual({
    model: MODEL,
    messages: [{ role: 'user', content: 'hi' }],
    tools: [tool('search')],
  });
  expect((await sentWith(tools, forced('search'))).sent).toMatchObject(forced('search'));
});

test.each<[string, Json]>([
  ['a custom tool', { type: 'custom', custom: { name: 'shell' } }],
  ['a tool of the provider’s own', { type: 'browser' }],
  ['a tool in the flat form', { type: 'function', name: 'shell', parameters: {} }],
  ['a tool with a second name', { type: 'custom', function: { name: 'search' }, custom: { name: 'shell' } }],
  ['a harmless name beside the real one', { type: 'function', name: 'search', function: { name: 'shell' } }],
])('%s is found', async (_, forbidden) => {
  const { sent } = await sentWith([tool('calc'), forbidden]);
  expect(sent['tools']).toEqual([tool('calc')]);
});

test('the older way of offering functions is no way around', async () => {
  const functions = [
    { name: 'shell', parameters: {} },
    { name: 'search', parameters: {} },
  ];
  const partly = await sentWith([], { functions, function_call: { name: 'shell' } });
  expect(Object.keys(partly.sent).sort()).toEqual(['functions', 'messages', 'model', 'tools']);
  expect([partly.sent['functions'], partly.stripped]).toEqual([[functions[1]], ['shell']]);
  const { sent } = await sentWith([tool('search')], { functions: functions.slice(0, 1), function_call: 'auto' });
  expect(Object.keys(sent).sort()).toEqual(['messages', 'model', 'tools']);
});

test('of the tools the caller allowed only the forbidden ones go, and none left means none', async () => {
  const named = (name: string): Json => ({ type: 'function', function: { name } });
  const allow = (...names: string[]): Json => ({
    tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: names.map(named) } },
  });
  const tools = [tool('shell'), tool('search'), tool('calc')];
  expect((await sentWith(tools, allow('shell', 'search'))).sent).toMatchObject(allow('search'));
  expect((await sentWith(tools, allow('shell'))).sent).toMatchObject({ tool_choice: 'none' });
});

test('without a forbidden tool the bytes stay', async () => {
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }], tools: [tool('search')] });
  await stand.send({ body, tenant: 'guarded' });
  expect(stand.upstreamBody).toBe(body);
});

test('personal data in a tool that is taken out needs no redaction', async () => {
  const leaking = { ...tool('shell'), note: 'ada@example.org' };
  const { sent, edits } = await sentWith([leaking, tool('search')]);
  expect(sent['tools']).toEqual([tool('search')]);
  expect(edits).toEqual(['strip_tools']);
});

test('a request estimated above the tenant’s limit is denied', async () => {
  const answer = await stand.ask('word '.repeat(200), {}, { tenant: 'short' });
  expect([answer.status, errorOf(answer)['code'], errorOf(answer)['param']]).toEqual([
    403,
    'policy_denied',
    '/messages',
  ]);
  expect(stand.mock.counters.requests).toBe(0);
});

test('a disclosure stands before the text of every choice', async () => {
  const choice = (index: number, content: string | null): Json => ({
    index,
    message: { role: 'assistant', content },
    finish_reason: 'stop',
  });
  stand.mock.next({
    raw: JSON.stringify({ id: 'x', choices: [choice(0, 'One.'), choice(1, 'Two.'), choice(2, null)], usage: null }),
  });
  const answer = await stand.ask('hi', { n: 3 }, { tenant: 'open' });
  const contents = (json(answer)['choices'] as { message: { content: string | null } }[]).map(
    ({ message }) => message.content,
  );
  const said = 'You are talking to a machine.\n\n';
  expect(contents).toEqual([`${said}One.`, `${said}Two.`, null]);
});

test('a disclosure opens a stream once, in its first text', async () => {
  stand.mock.next({ content: 'A streamed answer.', chunks: 5 });
  const answer = await stand.ask('hi', { stream: true }, { tenant: 'open' });
  expect(streamedText(answer)).toBe('You are talking to a machine.\n\nA streamed answer.');
  expect(answer.text.match(/machine/g)).toHaveLength(1);
  expect(eventsOf(answer).at(-1)).toBe('data: [DONE]');
});

test('a tool call has no text to disclose anything in', async () => {
  stand.mock.set({ toolCalls: [{ name: 'f', arguments: '{"a":1}' }] });
  for (const stream of [false, true]) {
    const answer = await stand.ask('hi', { stream, tools: [tool('f')] }, { tenant: 'open' });
    expect(answer.text).not.toContain('machine');
    expect(answer.text).toContain('tool_calls');
  }
});

/** Milliseconds do not count here, only what had happened when the first text arrived. */
async function firstTextBeforeEnd(tenant: string): Promise<boolean> {
  stand.mock.next({ chunks: 8, chunkDelayMs: 60, content: 'word '.repeat(40) });
  const url = `${stand.gateway.dataUrl}/v1/chat/completions`;
  const body = JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const headers = { authorization: `Bearer ${stand.key(tenant)}`, 'content-length': body.length };
  const done = stand.mock.counters.answered;
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'POST', headers }, (incoming) => {
      let early: boolean | null = null;
      incoming.on('data', (part: Buffer) => {
        if (early === null && part.includes('word')) early = stand.mock.counters.answered === done;
      });
      incoming.on('end', () => resolve(early === true));
    });
    outgoing.end(body);
  });
}

test('a stream is held until it is complete where the tenant wants that, and flows otherwise', async () => {
  expect(await firstTextBeforeEnd('demo')).toBe(true);
  expect(await firstTextBeforeEnd('patient')).toBe(false);
});

test('a held stream is the same stream', async () => {
  const answers = [
    await stand.ask('hi', { stream: true }),
    await stand.ask('hi', { stream: true }, { tenant: 'patient' }),
  ];
  expect(answers[1]?.text).toBe(answers[0]?.text);
  expect(chunksOf(answers[1] ?? answers[0] ?? (await stand.ask('')))).not.toHaveLength(0);
  expect(contentOf(await stand.ask('hi', {}, { tenant: 'patient' }))).toBe('Hello from the mock model.');
});

test('of a held stream that fails nothing was released', async () => {
  stand.mock.next({ breakAfterChunks: 6, chunks: 8, chunkDelayMs: 30, content: 'word '.repeat(40) });
  const answer = await stand.ask('hi', { stream: true }, { tenant: 'patient' });
  expect(answer.text).not.toContain('word');
  expect(answer.text).toContain('"code":"upstream_error"');
  const { outcome } = facts(await stand.record(answer, 'patient'));
  expect(outcome).toMatchObject({ status: 'interrupted', released_bytes: 0, usage: { estimated: true } });
});
