import { describe, expect, test } from 'vitest';
import { createSandboxUpstream } from '../../../gateway/upstream/sandbox.ts';
import { callOf, chunksOf, collect, deployment, joinToolCalls, TIMEOUTS } from './deployments.ts';
import type { Completion } from './deployments.ts';

const sandbox = createSandboxUpstream({ now: () => 1_700_000_000_000 });
const to = deployment({ kind: 'sandbox', baseUrl: '', apiKey: null });
const user = (content: unknown): object[] => [{ role: 'user', content }];

async function ask(body: object): Promise<Completion> {
  const response = await sandbox.send(callOf(to, { model: 'sandbox', ...body }));
  return JSON.parse((await response.body()).toString()) as Completion;
}

const contentOf = async (body: object): Promise<string | null | undefined> =>
  (await ask(body)).choices[0]?.message.content;
const tool = (name: string): object => ({ type: 'function', function: { name, parameters: {} } });

describe('the sandbox model', () => {
  test('says what it received, and the same every time', async () => {
    const request = { messages: [{ role: 'system', content: 'Be kind.' }, ...user('hello <EMAIL_1>')] };
    expect(await contentOf(request)).toBe('You said: hello <EMAIL_1>');
    expect(await ask(request)).toEqual(await ask(request));
  });

  test('names parts that are not text', async () => {
    const parts = [
      { type: 'text', text: 'look' },
      { type: 'image_url', image_url: { url: 'https://x/y.png' } },
    ];
    expect(await contentOf({ messages: user(parts) })).toBe('You said: look\n[image_url]');
  });

  test('shows the whole request when asked', async () => {
    const request = { model: 'sandbox', messages: user('hi\n/received'), temperature: 0.5 };
    expect(await contentOf(request)).toBe(`You said: hi\n/received\nReceived: ${JSON.stringify(request)}`);
  });

  test('counts four characters a token, rounded up', async () => {
    const { usage } = await ask({ messages: user('12345'), n: 2 });
    // "You said: 12345" is 15 characters, 4 tokens, twice.
    expect(usage).toEqual({ prompt_tokens: 2, completion_tokens: 8, total_tokens: 10 });
  });

  test('stops at the limit, never inside a character', async () => {
    const { choices, usage } = await ask({ messages: user('🌍🌍🌍'), max_completion_tokens: 3 });
    expect(choices[0]).toMatchObject({ message: { content: 'You said: 🌍' }, finish_reason: 'length' });
    expect(usage.completion_tokens).toBe(3);
    expect(await contentOf({ messages: user('a🌍🌍'), max_tokens: 3 })).toBe('You said: a');
    expect(await contentOf({ messages: user('x'), max_tokens: 100 })).toBe('You said: x');
  });

  test('calls only tools that are offered, with arguments that are JSON', async () => {
    const messages = user('call a with {"x":1}\ncall b with {"y":[2]}\ncall c with {}\ncall a with {oops}');
    const [choice] = (await ask({ messages, tools: [tool('a'), tool('b')] })).choices;
    expect(choice?.message.content).toBeNull();
    expect(choice?.message.tool_calls?.map((call) => call.function)).toEqual([
      { name: 'a', arguments: '{"x":1}' },
      { name: 'b', arguments: '{"y":[2]}' },
    ]);
    expect(await contentOf({ messages })).toMatch(/^You said: call a/);
    expect(await contentOf({ messages, tools: [tool('a')], tool_choice: 'none' })).toMatch(/^You said/);
    const serial = await ask({ messages, tools: [tool('a'), tool('b')], parallel_tool_calls: false });
    expect(serial.choices[0]?.message.tool_calls).toHaveLength(1);
  });

  test('calls the tool it must call', async () => {
    const tools = [tool('a'), tool('b')];
    const called = async (tool_choice: unknown): Promise<string[] | undefined> =>
      (await ask({ messages: user('hi'), tools, tool_choice })).choices[0]?.message.tool_calls?.map(
        (call) => call.function.name ?? '',
      );
    expect(await called('required')).toEqual(['a']);
    expect(await called({ type: 'function', function: { name: 'b' } })).toEqual(['b']);
    expect(await called('auto')).toBeUndefined();
  });

  test('repeats what its tools answered', async () => {
    const messages = [
      ...user('call a with {}'),
      { role: 'assistant', content: null, tool_calls: [] },
      { role: 'tool', tool_call_id: '1', content: 'four' },
      { role: 'tool', tool_call_id: '2', content: 'five' },
    ];
    expect(await contentOf({ messages, tools: [tool('a')] })).toBe('The tool answered: four\nThe tool answered: five');
  });

  test('answers in JSON when asked to', async () => {
    for (const type of ['json_object', 'json_schema']) {
      expect(await contentOf({ messages: user('a "b"'), response_format: { type } })).toBe('{"echo":"a \\"b\\""}');
    }
  });

  test('streams word by word, every choice on its own', async () => {
    const body = { messages: user('one  two\nthree'), n: 2, stream: true };
    const events = await collect((await sandbox.send(callOf(to, body))).events());
    const choices = chunksOf(events).flatMap((chunk) => chunk.choices);
    for (const index of [0, 1]) {
      const mine = choices.filter((choice) => choice.index === index);
      expect(mine.map((choice) => choice.delta.content ?? '').filter((text) => text !== '')).toEqual([
        'You ',
        'said: ',
        'one  ',
        'two\n',
        'three',
      ]);
      expect(mine.at(-1)?.finish_reason).toBe('stop');
    }
  });

  test('streams tool calls in pieces with a stable index', async () => {
    const args = '{"text":"a rather long argument"}';
    const body = { messages: user(`call a with ${args}\ncall b with {}`), tools: [tool('a'), tool('b')], stream: true };
    const chunks = chunksOf(await collect((await sandbox.send(callOf(to, body))).events()));
    expect(joinToolCalls(chunks)).toMatchObject([
      { name: 'a', arguments: args },
      { name: 'b', arguments: '{}' },
    ]);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
  });

  test('refuses what is no chat request as a provider would', async () => {
    for (const body of ['[]', '{}', '{"messages":[]}', '{"messages":[1],"n":0}', '{"messages":[1],"n":1e9}']) {
      const response = await sandbox.send(callOf(to, body));
      expect(response.status).toBe(400);
      expect(JSON.parse((await response.body()).toString())).toMatchObject({
        error: { type: 'invalid_request_error' },
      });
    }
  });

  test('takes its time when told to, within the timeouts of the call', async () => {
    const slow = createSandboxUpstream({ now: () => 0, firstByteDelayMs: 50, chunkDelayMs: 5 });
    const timeouts = { ...TIMEOUTS, firstByteMs: 20 };
    const body = { messages: user('hi'), stream: true };
    await expect(slow.send(callOf(to, body, { timeouts }))).rejects.toMatchObject({ reason: 'first_byte_timeout' });
    expect(chunksOf(await collect((await slow.send(callOf(to, body))).events())).length).toBeGreaterThan(3);
    const controller = new AbortController();
    const waiting = slow.send(callOf(to, body, { signal: controller.signal }));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'client_closed' });
  });
});
