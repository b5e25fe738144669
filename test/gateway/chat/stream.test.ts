/** Streams: framing, the usage chunk in all its shapes, errors before and after the first byte. */
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Answer, Json } from './client.ts';
import { chunksOf, errorOf, eventsOf, streamedText } from './client.ts';
import { ChatStand, facts, MODEL } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    models: ['{ name: alias, deployments: [{ provider: mock, model: mock-model }] }'],
    sections: 'timeouts: { first_byte_ms: 1500, idle_ms: 1500 }',
  });
});
afterEach(() => stand.mock.reset());
afterAll(() => stand.stop());

const WITH_USAGE = { stream: true, stream_options: { include_usage: true } };
const HEAD = `"id":"c1","object":"chat.completion.chunk","created":1,"model":"${MODEL}"`;
const USAGE =
  '{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}';

function event(choices: string, more = ''): string {
  return `data: {${HEAD},"choices":[${choices}]${more}}\n\n`;
}
function text(content: string, index = 0): string {
  return `{"index":${index},"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}`;
}
const ROLE = event('{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}');
const STOP = event('{"index":0,"delta":{},"finish_reason":"stop"}');
const DONE = 'data: [DONE]\n\n';

function stream(raw: string, more: Json = WITH_USAGE): Promise<Answer> {
  stand.mock.next({ raw });
  return stand.ask('hi', more);
}

test('framing: headers, one event per event, one [DONE], bytes as the provider sent them', async () => {
  const raw = [
    ROLE,
    event(text('Hel')),
    event(text('lo 😀 ')),
    event(text('there.')),
    STOP,
    event('', `,"usage":${USAGE}`),
    DONE,
  ].join('');
  const answer = await stream(raw);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'transfer-encoding': 'chunked',
    'x-request-id': 'req_mock',
    'x-countersign-receipt': expect.any(String),
    'server-timing': expect.stringContaining('policy;dur='),
  });
  expect(answer.headers['content-length']).toBeUndefined();
  expect(answer.text).toBe(raw);
  expect(answer.text.match(/\[DONE\]/g)).toHaveLength(1);
  const { outcome } = facts(await stand.record(answer));
  expect(outcome).toMatchObject({
    status: 'ok',
    finish_reason: 'stop',
    stream: true,
    usage: { input_tokens: 10, cached_input_tokens: 4, output_tokens: 5, estimated: false },
    released_bytes: Buffer.byteLength(raw) - DONE.length,
  });
});

test('headers leave before the first event', async () => {
  stand.mock.next({ chunkDelayMs: 400, chunks: 2 });
  const url = `${stand.gateway.dataUrl}/v1/chat/completions`;
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }], ...WITH_USAGE });
  const headers = { authorization: `Bearer ${stand.key()}`, 'content-length': body.length };
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    const outgoing = request(url, { method: 'POST', headers }, (incoming) => {
      order.push(`headers, provider done: ${stand.mock.counters.answered > 0}`);
      incoming.once('data', () => order.push(`data, provider done: ${stand.mock.counters.answered > 0}`));
      incoming.on('end', () => resolve()).resume();
    });
    outgoing.end(body);
  });
  expect(order).toEqual(['headers, provider done: false', 'data, provider done: false']);
});

test.each([
  ['CRLF line ends', (raw: string) => raw.replaceAll('\n', '\r\n')],
  ['CR line ends', (raw: string) => raw.replaceAll('\n', '\r')],
  ['no space after the colon', (raw: string) => raw.replaceAll('data: ', 'data:')],
  [
    'comments between and inside of events',
    (raw: string) => `: OPENROUTER PROCESSING ada@example.org\n\n${raw.replaceAll('data: ', ': secret note\ndata: ')}`,
  ],
  ['named and numbered events', (raw: string) => raw.replaceAll('data: ', 'event: message\nid: 7\nretry: 10\ndata: ')],
  ['data over several lines', (raw: string) => raw.replaceAll('"choices"', '\ndata: "choices"')],
  ['no blank line after the last event', (raw: string) => raw.slice(0, -1)],
])('a stream with %s says the same to the caller', async (_, change) => {
  const raw = [ROLE, event(text('Hello ')), event(text('there.')), STOP, event('', `,"usage":${USAGE}`), DONE].join('');
  const answer = await stream(change(raw));
  const plain = answer.text.replaceAll(/\r\n|\r/g, '\n');
  expect(streamedText({ ...answer, text: plain.replaceAll('data:{', 'data: {') })).toBe('Hello there.');
  expect(plain.match(/data: ?\[DONE\]\n\n$/)).not.toBeNull();
  expect(plain).not.toMatch(/OPENROUTER|secret note|ada@example/);
  expect(facts(await stand.record(answer)).outcome).toMatchObject({ status: 'ok', usage: { input_tokens: 10 } });
});

test('every way of reading the provider’s bytes gives the caller the same', async () => {
  const raw = Buffer.from([ROLE, event(text('Grüße 😀')), STOP, event('', `,"usage":${USAGE}`), DONE].join(''));
  stand.mock.set({ raw });
  const answers = await Promise.all(Array.from({ length: 4 }, () => stand.ask('hi', WITH_USAGE)));
  expect(new Set(answers.map((answer) => answer.text))).toEqual(new Set([raw.toString()]));
});

const CALLER_ASKED = [true, false];

test.each(CALLER_ASKED)('usage in a trailing chunk of its own, asked for by the caller: %s', async (asked) => {
  const withNull = (choices: string): string => event(choices, ',"usage":null');
  const body = [withNull(text('Hello.')), withNull('{"index":0,"delta":{},"finish_reason":"stop"}')].join('');
  const tail = event('', `,"usage":${USAGE}`);
  const answer = await stream(body + tail + DONE, asked ? WITH_USAGE : { stream: true });
  expect(answer.text).toBe(asked ? body + tail + DONE : body + DONE);
  expect(facts(await stand.record(answer)).outcome['usage']).toMatchObject({ input_tokens: 10, estimated: false });
});

test.each(CALLER_ASKED)('usage in the chunk of the finish reason, asked for by the caller: %s', async (asked) => {
  const raw = [
    event(text('Hello.')),
    event('{"index":0,"delta":{},"finish_reason":"stop"}', `,"usage":${USAGE}`),
    DONE,
  ].join('');
  const answer = await stream(raw, asked ? WITH_USAGE : { stream: true });
  expect(answer.text).toBe(raw);
  expect(facts(await stand.record(answer)).outcome['usage']).toMatchObject({
    input_tokens: 10,
    output_tokens: 5,
    estimated: false,
  });
});

test('cumulative usage in every chunk: the last one counts', async () => {
  const usage = (tokens: number): string =>
    `,"usage":{"prompt_tokens":10,"completion_tokens":${tokens},"total_tokens":${10 + tokens}}`;
  const raw = [
    event(text('Hel'), usage(1)),
    event(text('lo.'), usage(2)),
    event('{"index":0,"delta":{},"finish_reason":"stop"}', usage(3)),
    DONE,
  ].join('');
  const answer = await stream(raw, { stream: true });
  expect(streamedText(answer)).toBe('Hello.');
  expect(facts(await stand.record(answer)).outcome['usage']).toMatchObject({ output_tokens: 3, estimated: false });
});

test('usage after the finish reason but before more choices, as vLLM sends it with several', async () => {
  const two = '{"index":1,"delta":{},"finish_reason":"length"}';
  const raw = [event(`${text('a')},${text('b', 1)}`), STOP, event(two), event('', `,"usage":${USAGE}`), DONE].join('');
  const answer = await stream(raw);
  expect(answer.text).toBe(raw);
  expect([streamedText(answer, 0), streamedText(answer, 1)]).toEqual(['a', 'b']);
});

test('no usage at all is estimated and marked as such', async () => {
  const answer = await stream([event(text('Hello, this is the answer.')), STOP, DONE].join(''), { stream: true });
  const { outcome } = facts(await stand.record(answer));
  expect(outcome['usage']).toMatchObject({ estimated: true });
  expect((outcome['usage'] as { output_tokens: number }).output_tokens).toBeGreaterThan(0);
});

test('a provider that does not send [DONE] but a finish reason has finished', async () => {
  const answer = await stream([event(text('Hello.')), STOP].join(''));
  expect(eventsOf(answer).at(-1)).toBe('data: [DONE]');
});

test.each([
  ['', ''],
  [' and says [DONE]', DONE],
])('a provider that ends%s before every choice has its finish reason has not finished', async (_, tail) => {
  const second = event('{"index":1,"delta":{},"finish_reason":"length"}');
  const raw = event(text('Hello there. ')) + event(text('Half of an ans', 1)) + STOP;
  const whole = await stream(raw + second + DONE);
  expect(eventsOf(whole).at(-1)).toBe('data: [DONE]');
  await expectInterrupted(await stream(raw + tail), 'upstream_error');
});

test('an empty finish reason is none', async () => {
  const raw = [
    event(text('Hello ').replace('null', '""')),
    event(text('there.').replace('null', '""')),
    STOP,
    DONE,
  ].join('');
  const answer = await stream(raw);
  expect(answer.text).toBe(raw);
  expect(facts(await stand.record(answer)).outcome).toMatchObject({ status: 'ok', finish_reason: 'stop' });
});

test('the alias is what every chunk calls the model', async () => {
  stand.mock.next({ raw: [ROLE, event(text('Hello.')), STOP, DONE].join('').replaceAll(MODEL, 'vendor-model-2026') });
  const answer = await stand.ask('hi', { ...WITH_USAGE, model: 'alias' });
  expect(new Set(chunksOf(answer).map((chunk) => chunk['model']))).toEqual(new Set(['alias']));
});

test('a refused stream is an error, not a stream', async () => {
  const answer = await stand.ask('AKIAQYLPMN5HNM4OZ56B', WITH_USAGE);
  expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'policy_denied']);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
});

test('an error instead of a stream keeps the provider’s status and body', async () => {
  stand.mock.next({ status: 400 });
  const answer = await stand.ask('hi', WITH_USAGE);
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(errorOf(answer)['message']).toBe('mock failure 400');
});

test('an error as the first event of a 200 is an error, so that another deployment could be tried', async () => {
  const answer = await stream('data: {"error":{"message":"overloaded","type":"overloaded_error","code":null}}\n\n');
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(answer.text).not.toContain('[DONE]');
});

/** After the first byte: an error event, then the end; no [DONE], and the entry says how the call ended. */
async function expectInterrupted(answer: Answer, code: string): Promise<void> {
  expect(answer.status).toBe(200);
  expect(answer.complete).toBe(true);
  const last = eventsOf(answer).at(-1) ?? '';
  expect(JSON.parse(last.replace('data: ', ''))).toMatchObject({ error: { code, message: expect.any(String) } });
  expect(answer.text).not.toContain('[DONE]');
  expect(answer.text.match(/"error"/g)).toHaveLength(1);
  const { outcome } = facts(await stand.record(answer));
  expect(outcome).toMatchObject({ status: 'interrupted', code, usage: { estimated: true } });
  expect(outcome['released_bytes']).toBeGreaterThan(0);
}

test('the connection to the provider breaks', async () => {
  stand.mock.next({ breakAfterChunks: 3, chunks: 6, chunkDelayMs: 60 });
  await expectInterrupted(await stand.ask('hi', WITH_USAGE), 'upstream_error');
});

test('the provider falls silent', async () => {
  stand.mock.next({ stallAfterChunks: 3, chunks: 6, chunkDelayMs: 60 });
  await expectInterrupted(await stand.ask('hi', WITH_USAGE), 'upstream_timeout');
});

test('the provider reports an error', async () => {
  stand.mock.next({ errorAfterChunks: 3, chunks: 6, chunkDelayMs: 60 });
  await expectInterrupted(await stand.ask('hi', WITH_USAGE), 'upstream_error');
});

test.each([
  ['ends without a finish reason', ''],
  ['says [DONE] without a finish reason', DONE],
  ['sends an event that is no JSON', 'data: {"choices":[\n\n'],
  ['sends an event that is an array', 'data: []\n\n'],
  ['repeats a member', `data: {"choices":[],"choices":[]}\n\n`],
])('the provider %s', async (_, tail) => {
  stand.mock.next({ raw: ROLE + event(text('Hello there, this is long enough. ')) + tail });
  const answer = await stand.ask('hi', WITH_USAGE);
  if (answer.status !== 200) {
    // Seen before the first byte left: then it is a plain error.
    expect(errorOf(answer)['code']).toBe('upstream_error');
    return;
  }
  await expectInterrupted(answer, 'upstream_error');
});

test('a provider that answers a stream in one piece is not passed off as one', async () => {
  stand.mock.next({ raw: '{"id":"x","object":"chat.completion","choices":[]}', contentType: 'application/json' });
  const answer = await stand.ask('hi', WITH_USAGE);
  expect(answer.text).not.toContain('[DONE]');
  expect(errorOf(answer)['code']).toBe('upstream_error');
});

test('silence before the first byte is a timeout', async () => {
  stand.mock.next({ hang: true });
  const answer = await stand.ask('hi', WITH_USAGE);
  expect([answer.status, errorOf(answer)['code']]).toEqual([504, 'upstream_timeout']);
  expect(facts(await stand.record(answer)).outcome).toMatchObject({
    status: 'upstream_timeout',
    usage: { estimated: true },
  });
});
