/** Requests that are not acceptable: told what is wrong with them and where, recorded, never sent. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from './client.ts';
import { errorOf, send } from './client.ts';
import { ChatStand, facts, MODEL } from './stand.ts';

const WIRE_LIMIT = 20_000;
const UNPACKED_LIMIT = 50_000;

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    sections: `limits: { body_bytes: ${WIRE_LIMIT}, decompressed_bytes: ${UNPACKED_LIMIT} }`,
  });
});
afterAll(async () => {
  // Nothing of all this was sent to the provider.
  expect(stand.mock.counters.requests).toBe(0);
  await stand.stop();
});

const MESSAGES = [{ role: 'user', content: 'hi' }];

/** An OpenAI error, not to be retried, and one entry that says the request was refused before the policies. */
async function expectRefused(answer: Answer, status: number, code: string): Promise<void> {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(Object.keys(errorOf(answer)).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(errorOf(answer)).toMatchObject({ code, type: 'invalid_request_error' });
  expect(answer.headers['x-should-retry']).toBe('false');
  const record = await stand.record(answer);
  expect(record.outcome).toBeNull();
  expect(facts(record).decision).toMatchObject({ effect: 'refused', code, attempts_reserved: 0 });
  expect(answer.headers['x-countersign-receipt']).toContain(record.decision?.hash);
}

test.each<[string, Record<string, unknown>, string]>([
  ['no model', { messages: MESSAGES }, 'model'],
  ['an empty model', { model: '', messages: MESSAGES }, 'model'],
  ['a model that is a number', { model: 5, messages: MESSAGES }, 'model'],
  ['a model with an endless name', { model: 'm'.repeat(257), messages: MESSAGES }, 'model'],
  ['no messages', { model: MODEL }, 'messages'],
  ['empty messages', { model: MODEL, messages: [] }, 'messages'],
  ['messages that are text', { model: MODEL, messages: 'hi' }, 'messages'],
  ['messages that are an object', { model: MODEL, messages: { 0: MESSAGES[0] } }, 'messages'],
  ['a message that is text', { model: MODEL, messages: [...MESSAGES, 'hi'] }, 'messages[1]'],
  ['a message that is null', { model: MODEL, messages: [null] }, 'messages[0]'],
  ['a message without a role', { model: MODEL, messages: [{ content: 'hi' }] }, 'messages[0].role'],
  ['a role that is a number', { model: MODEL, messages: [{ role: 1, content: 'hi' }] }, 'messages[0].role'],
  ['stream as text', { model: MODEL, messages: MESSAGES, stream: 'true' }, 'stream'],
  ['stream as a number', { model: MODEL, messages: MESSAGES, stream: 1 }, 'stream'],
  ['stream_options as text', { model: MODEL, messages: MESSAGES, stream_options: 'all' }, 'stream_options'],
  ['n of zero', { model: MODEL, messages: MESSAGES, n: 0 }, 'n'],
  ['n beyond the limit', { model: MODEL, messages: MESSAGES, n: 129 }, 'n'],
  ['half an n', { model: MODEL, messages: MESSAGES, n: 1.5 }, 'n'],
  ['max_tokens of zero', { model: MODEL, messages: MESSAGES, max_tokens: 0 }, 'max_tokens'],
  ['max_tokens as text', { model: MODEL, messages: MESSAGES, max_tokens: '10' }, 'max_tokens'],
  ['max_tokens beyond counting', { model: MODEL, messages: MESSAGES, max_tokens: 1e300 }, 'max_tokens'],
  ['two limits', { model: MODEL, messages: MESSAGES, max_tokens: 5, max_completion_tokens: 5 }, 'max_tokens'],
  ['tools as an object', { model: MODEL, messages: MESSAGES, tools: {} }, 'tools'],
  ['a tool that is text', { model: MODEL, messages: MESSAGES, tools: ['f'] }, 'tools[0]'],
  ['a function that is text', { model: MODEL, messages: MESSAGES, tools: [{ function: 'f' }] }, 'tools[0].function'],
])('%s', async (_, body, param) => {
  const answer = await stand.send({ body: JSON.stringify(body) });
  await expectRefused(answer, 400, 'invalid_request');
  expect(errorOf(answer)['param']).toBe(param);
});

test.each<[string, string | Buffer]>([
  ['nothing', ''],
  ['no JSON', 'hello'],
  ['half a document', `{"model":"${MODEL}","messages":[`],
  ['two documents', '{} {}'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a byte order mark', `\ufeff{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}]}`],
  ['a trailing comma', `{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}],}`],
  ['NaN', `{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}],"x":NaN}`],
  ['a raw control character', `{"model":"${MODEL}","messages":[{"role":"user","content":"a\u0001b"}]}`],
  ['a duplicate member', `{"model":"${MODEL}","messages":[{"role":"user","content":"a","content":"b"}]}`],
  ['a duplicate member in disguise', String.raw`{"model":"${MODEL}","mod\u0065l":"x","messages":[{"role":"user"}]}`],
  [
    'nesting without end',
    `{"model":"${MODEL}","messages":[{"role":"user"}],"x":${'['.repeat(9000)}${']'.repeat(9000)}}`,
  ],
  ['unclosed nesting', '{"a":'.repeat(3000)],
  [
    'bytes that are not UTF-8',
    Buffer.from(`{"model":"${MODEL}","messages":[{"role":"user","content":"Gr\u00fc\u00dfe"}]}`, 'latin1'),
  ],
  ['an encoded surrogate', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
  ['UTF-16', Buffer.from(`{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}]}`, 'utf16le')],
])('a body that is %s', async (_, body) => {
  await expectRefused(await stand.send({ body }), 400, 'invalid_request');
});

const LONG = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'a'.repeat(WIRE_LIMIT) }] });
const PACKED_LONG = gzipSync(
  JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'a'.repeat(UNPACKED_LIMIT) }] }),
);
const BOMB = gzipSync(Buffer.alloc(8 * 1024 * 1024, 0x20));

test.each<[string, string | Buffer | string[], string | null]>([
  ['by its declared length', LONG, null],
  ['by what came in chunks', [LONG.slice(0, 9000), LONG.slice(9000, 18_000), LONG.slice(18_000)], null],
  ['once unpacked', PACKED_LONG, 'gzip'],
  ['as a bomb', BOMB, 'gzip'],
  ['as a bomb in br', brotliCompressSync(Buffer.alloc(8 * 1024 * 1024)), 'br'],
])('a body that is too large %s', async (_, body, encoding) => {
  expect(BOMB.length).toBeLessThan(WIRE_LIMIT);
  const headers: Record<string, string> = encoding === null ? {} : { 'content-encoding': encoding };
  const answer = await stand.send({ body, headers });
  await expectRefused(answer, 413, 'request_too_large');
});

test.each([
  ['gzip', Buffer.from('not packed at all')],
  ['br', Buffer.from('{}')],
  ['gzip', gzipSync('{"model":').subarray(0, 15)],
])('a body that is not the %s it claims to be', async (encoding, body) => {
  await expectRefused(await stand.send({ body, headers: { 'content-encoding': encoding } }), 400, 'invalid_request');
});

test.each([['compress'], ['gzip, gzip'], ['aes128gcm'], ['x'.repeat(500)]])('content-encoding %s', async (encoding) => {
  const answer = await stand.send({ body: '{}', headers: { 'content-encoding': encoding } });
  await expectRefused(answer, 415, 'unsupported_media_type');
  expect(answer.text.length).toBeLessThan(400);
});

test.each([
  ['text/plain'],
  ['application/x-www-form-urlencoded'],
  ['multipart/form-data; boundary=x'],
  ['application/jsonp'],
])('content-type %s', async (type) => {
  const answer = await stand.send({ body: '{}', headers: { 'content-type': type } });
  await expectRefused(answer, 415, 'unsupported_media_type');
});

test('a model that does not exist', async () => {
  const answer = await stand.ask('hi', { model: 'gpt-nowhere' });
  await expectRefused(answer, 404, 'model_not_found');
  expect(errorOf(answer)['param']).toBe('model');
});

test('after a body that was too large the connection serves on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen: [number, boolean][] = [];
  for (const body of [LONG, '{', LONG, '{']) {
    const { status, reused } = await stand.send({ body, agent });
    seen.push([status, reused]);
  }
  agent.destroy();
  expect(seen).toEqual([
    [413, false],
    [400, true],
    [413, true],
    [400, true],
  ]);
});

test('a body that breaks off is nobody’s call: nothing is sent and nothing recorded', async () => {
  const { hostname, port } = new URL(stand.gateway.dataUrl);
  const before = await stand.ask('hi', { model: 'gpt-nowhere' });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stand.key()}\r\ncontent-length: 100\r\n\r\n{"mo`;
  const socket = connect(Number(port), hostname, () => socket.end(head));
  await once(socket.resume(), 'close');
  const after = await stand.ask('hi', { model: 'gpt-nowhere' });
  const seq = async (answer: Answer): Promise<number> => (await stand.record(answer)).decision?.seq ?? -1;
  expect(await seq(after)).toBe((await seq(before)) + 1);
});

test('without a key the body is not read and nothing is recorded but a count', async () => {
  const answer = await send(stand.gateway.dataUrl, { body: LONG, headers: { 'content-type': 'application/json' } });
  expect(answer.status).toBe(401);
  expect(errorOf(answer)['code']).toBe('invalid_api_key');
  expect(answer.headers['x-countersign-receipt']).toBeUndefined();
});
