/** What reaches the provider: the caller's own bytes, or those bytes with the named edits and nothing else. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf } from './client.ts';
import { ChatStand, facts, MODEL } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    models: ['{ name: alias, deployments: [{ provider: mock, model: vendor/model-2 }] }'],
    tenants: { capped: '{ limits: { max_output_tokens: 100 } }' },
  });
});
afterAll(() => stand.stop());

const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';

test.each([
  ['order and whitespace', ` {\n\t"stream" : false ,${MESSAGES} , "model":"${MODEL}"\r\n} \n`],
  ['number forms', `{"model":"${MODEL}",${MESSAGES},"temperature":1.0,"top_p":1e0,"x":[1e2,-0,-0.0,1E+2,0.10]}`],
  ['big integers', `{"model":"${MODEL}",${MESSAGES},"seed":9007199254740993,"big":123456789012345678901234567890}`],
  [
    'escapes',
    String.raw`{"model":"${MODEL}","messages":[{"role":"user","content":"\u00e9\/\ud83d\ude00\u0041 \b\f"}]}`,
  ],
  ['raw text', `{"model":"${MODEL}","messages":[{"role":"user","content":"é😀\u2028\u2029\u007f ﷽"}]}`],
  ['a lone surrogate', String.raw`{"model":"${MODEL}","messages":[{"role":"user","content":"a\ud800b"}]}`],
  ['an escaped member name', String.raw`{"mod\u0065l":"${MODEL}",${MESSAGES},"\u0078-new":true}`],
  [
    'unknown members, nested, empty and null',
    `{"model":"${MODEL}",${MESSAGES},"":{"":[{}]},"new":{"a":{"b":null}},"tools":[],"reasoning":{"effort":"low"},"user":""}`,
  ],
  [
    'members with the names of object prototypes',
    `{"model":"${MODEL}",${MESSAGES},"__proto__":{"n":5},"constructor":{"prototype":{"x":1}},"toString":null,"hasOwnProperty":1}`,
  ],
  [
    'cache marks and tool schemas',
    `{"model":"${MODEL}","messages":[{"role":"system","content":[{"type":"text","text":"t","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"auto"}`,
  ],
])('%s', async (_, body) => {
  const answer = await stand.send({ body });
  expect(answer.status).toBe(200);
  expect(stand.upstreamBody).toBe(body);
  const { decision } = facts(await stand.record(answer));
  expect(decision).toMatchObject({ effect: 'allow', code: null, edits: [], bytes: Buffer.byteLength(body) });
});

test('a member called __proto__ changes nothing of the request', async () => {
  const body = `{"__proto__":{"stream":"yes","n":500,"model":"other"},"model":"${MODEL}",${MESSAGES}}`;
  const answer = await stand.send({ body });
  expect(answer.status).toBe(200);
  expect(facts(await stand.record(answer)).decision).toMatchObject({ stream: false, model: MODEL });
});

test('a body nested as deep as allowed arrives as it is', async () => {
  const body = `{"model":"${MODEL}",${MESSAGES},"deep":${'['.repeat(60)}${']'.repeat(60)}}`;
  expect((await stand.send({ body })).status).toBe(200);
  expect(stand.upstreamBody).toBe(body);
});

test.each([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (body: string) => Buffer.from(body)],
])('a body in %s is unpacked', async (encoding, pack) => {
  const body = `{"model":"${MODEL}", ${MESSAGES}, "pad":"${'x'.repeat(5000)}"}`;
  const answer = await stand.send({ body: pack(body), headers: { 'content-encoding': encoding } });
  expect(answer.status).toBe(200);
  expect(stand.upstreamBody).toBe(body);
  expect(stand.mock.requests.at(-1)?.headers['content-encoding']).toBeUndefined();
});

test('a body in chunks, cut inside a character', async () => {
  const body = Buffer.from(`{"model":"${MODEL}","messages":[{"role":"user","content":"Grüße 😀"}]}`);
  const cut = body.indexOf(0xf0) + 2;
  const answer = await stand.send({ body: [body.subarray(0, 5), body.subarray(5, cut), body.subarray(cut)] });
  expect(answer.status).toBe(200);
  expect(stand.upstreamBody).toBe(body.toString());
  expect(stand.mock.requests.at(-1)?.headers).toMatchObject({ 'content-length': String(body.length) });
});

test('the model’s name is the only edit of an aliased call, and the answer names the model as the caller did', async () => {
  const answer = await stand.send({ body: `{ "model" : "alias", ${MESSAGES}, "temperature":1.0 }` });
  expect(stand.upstreamBody).toBe(`{ "model" : "vendor/model-2", ${MESSAGES}, "temperature":1.0 }`);
  expect(JSON.parse(answer.text)).toMatchObject({ model: 'alias' });
  const { decision, outcome } = facts(await stand.record(answer));
  expect(decision).toMatchObject({ edits: ['model'], model: 'alias', deployment: 'mock/vendor/model-2' });
  expect(outcome).toMatchObject({ deployment: 'mock/vendor/model-2' });
});

test.each([
  ['absent', `{"model":"${MODEL}",${MESSAGES},"stream":true}`, `,"stream_options":{"include_usage":true}}`],
  ['null', `{"model":"${MODEL}",${MESSAGES},"stream":true,"stream_options":null}`, null],
  ['empty', `{"model":"${MODEL}",${MESSAGES},"stream":true,"stream_options":{}}`, null],
  [
    'other members',
    `{"model":"${MODEL}",${MESSAGES},"stream":true,"stream_options":{ "include_obfuscation":false }}`,
    null,
  ],
  ['declined', `{"model":"${MODEL}",${MESSAGES},"stream":true,"stream_options":{"include_usage":false}}`, null],
])('usage of a stream is asked for when the caller’s stream_options are %s', async (_, body, ending) => {
  const answer = await stand.send({ body });
  expect(answer.status).toBe(200);
  const sent = JSON.parse(stand.upstreamBody) as { stream_options: object };
  const asked = JSON.parse(body) as { stream_options?: object };
  expect(sent).toEqual({ ...asked, stream_options: { ...asked.stream_options, include_usage: true } });
  expect(stand.upstreamBody.startsWith(body.slice(0, body.indexOf('"stream":true')))).toBe(true);
  if (ending !== null) expect(stand.upstreamBody).toBe(body.slice(0, -1) + ending);
  expect(answer.text).not.toContain('"usage":{');
  expect(facts(await stand.record(answer)).decision['edits']).toEqual(['stream_options.include_usage']);
});

test.each([
  ['no limit', '', `,"max_tokens":100}`, 'max_tokens'],
  ['a higher limit', ',"max_tokens":5000', `,"max_tokens":100}`, 'max_tokens'],
  [
    'a higher limit under its newer name',
    ',"max_completion_tokens": 101',
    `,"max_completion_tokens": 100}`,
    'max_completion_tokens',
  ],
])('the tenant’s cap on output replaces %s', async (_, limit, ending, edit) => {
  const body = `{"model":"${MODEL}",${MESSAGES}${limit}}`;
  const answer = await stand.send({ tenant: 'capped', body });
  expect(answer.status).toBe(200);
  expect(stand.upstreamBody).toBe(`{"model":"${MODEL}",${MESSAGES}${ending}`);
  expect(facts(await stand.record(answer, 'capped')).decision).toMatchObject({
    edits: [edit],
    max_tokens: 100,
  });
});

test('a limit within the tenant’s cap is left alone', async () => {
  const body = `{"model":"${MODEL}",${MESSAGES},"max_tokens":1e1}`;
  const answer = await stand.send({ tenant: 'capped', body });
  expect(stand.upstreamBody).toBe(body);
  expect(facts(await stand.record(answer, 'capped')).decision).toMatchObject({ edits: [], max_tokens: 10 });
});

test('headers of the request: the provider’s own credential, nothing of the hop, nothing of the caller', async () => {
  const answer = await stand.send({
    body: `{"model":"${MODEL}",${MESSAGES}}`,
    headers: {
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      'x-countersign-tenant': 'other',
      'openai-organization': 'org-of-the-caller',
      te: 'trailers',
      'x-client-request-id': 'mine',
    },
  });
  expect(answer.status).toBe(200);
  const { headers } = stand.mock.requests.at(-1) ?? { headers: {} };
  expect(Object.keys(headers).sort()).toEqual([
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
    'user-agent',
    'x-client-request-id',
  ]);
  expect(headers).toMatchObject({
    authorization: 'Bearer sk-provider-0123456789abcdef',
    'accept-encoding': 'identity',
    'x-client-request-id': answer.headers['x-countersign-call'],
  });
});

test('the caller’s text never stands in for an edit that fails: a duplicate member is refused, not guessed', async () => {
  const before = stand.mock.counters.requests;
  const answer = await stand.send({ body: `{"model":"alias","model":"${MODEL}",${MESSAGES}}` });
  expect(answer.status).toBe(400);
  expect(errorOf(answer)['code']).toBe('invalid_request');
  expect(stand.mock.counters.requests).toBe(before);
});
