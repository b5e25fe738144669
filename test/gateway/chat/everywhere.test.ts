/** A value is found wherever it stands in a request: it never reaches the provider, and comes back to the caller where tokens are restored. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from './client.ts';
import { contentOf, errorOf } from './client.ts';
import { ChatStand, facts, section } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({ tenants: { seeing: '{ modalities: [image, file], url_hosts: ["*.example.com"] }' } });
  stand.mock.set({ content: (body) => `I read ${readings(body).match(PLACEHOLDER)?.[0] ?? 'nothing'}.` });
});
afterAll(() => stand.stop());

const MAIL = 'ada.lovelace@analytical.example.org';
const SECRET = 'AKIAQYLPMN5HNM4OZ56B';
const CARD = '4111111111111111';
const PLACEHOLDER = /<(?:EMAIL_ADDRESS|CREDIT_CARD)_[a-z]+>/;

const USER: Json = { role: 'user', content: 'hi' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const percent = (text: string): string => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');
const escaped = (text: string): string => text.replaceAll(/[@A-Z]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
const after = (...messages: Json[]): Json => ({ messages: [USER, ...messages, USER] });
const parts = (...content: Json[]): Json => ({ messages: [{ role: 'user', content }] });
const calls = (call: Json): Json => after({ role: 'assistant', content: null, tool_calls: [{ id: 'c', ...call }] });
const called = (args: string): Json => calls({ type: 'function', function: { name: 'f', arguments: args } });
const tool = (definition: Json): Json => ({
  messages: [USER],
  tools: [{ type: 'function', function: { name: 'f', ...definition } }],
});
const parameter = (schema: Json): Json => tool({ parameters: { type: 'object', properties: { a: schema } } });
const answerSchema = (schema: Json): Json => ({
  messages: [USER],
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
});

/** What a provider could make of the body: the text, its escapes undone, its base64 and percent encodings decoded. */
function readings(body: string): string {
  const plain = body.replaceAll(/\\+u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const decoded = plain.match(/[0-9A-Za-z+/=_-]{16,}/g)?.map((run) => Buffer.from(run, 'base64').toString()) ?? [];
  const unpercented = plain.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
  );
  return [body, plain, unpercented, ...decoded].join('\n');
}

const PLACES: readonly (readonly [place: string, body: (value: string) => Json])[] = [
  ['a system prompt', (v) => ({ messages: [{ role: 'system', content: `You help ${v}.` }, USER] })],
  ['a developer message', (v) => ({ messages: [{ role: 'developer', content: [{ type: 'text', text: v }] }, USER] })],
  ['an earlier answer', (v) => after({ role: 'assistant', content: `I wrote to ${v}.` })],
  [
    'an earlier answer in parts',
    (v) => after({ role: 'assistant', content: [{ type: 'refusal', refusal: `not ${v}` }] }),
  ],
  ['an earlier reasoning', (v) => after({ role: 'assistant', content: 'x', reasoning_content: `so ${v}` })],
  ['the name of who speaks', (v) => ({ messages: [{ role: 'user', name: v, content: 'hi' }] })],
  ['arguments of a tool call', (v) => called(JSON.stringify({ to: [{ address: v }] }))],
  ['arguments with escapes', (v) => called(`{"to":"${escaped(v)}"}`)],
  ['a member name in arguments', (v) => called(JSON.stringify({ [v]: true }))],
  ['arguments that break off', (v) => called(`{"to":"${v}`)],
  ['JSON in arguments in arguments', (v) => called(JSON.stringify({ arguments: `{"to":"${escaped(v)}"}` }))],
  [
    'the older function call',
    (v) => after({ role: 'assistant', function_call: { name: 'f', arguments: `{"a":"${v}"}` } }),
  ],
  ['input of a custom tool', (v) => calls({ type: 'custom', custom: { name: 'f', input: `to ${v}` } })],
  ['a tool’s result', (v) => after({ role: 'tool', tool_call_id: 'c', content: `found ${v}` })],
  [
    'JSON in a tool’s result',
    (v) => after({ role: 'tool', tool_call_id: 'c', content: `{"rows":[{"x":"${escaped(v)}"}]}` }),
  ],
  ['a tool’s result in parts', (v) => after({ role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: v }] })],
  ['the description of a tool', (v) => tool({ description: `Ask ${v} first.` })],
  ['the description of a parameter', (v) => parameter({ type: 'string', description: `such as ${v}` })],
  ['an enum', (v) => parameter({ enum: ['x', v] })],
  ['a const', (v) => parameter({ const: v })],
  ['a default and examples', (v) => parameter({ default: v, examples: [v] })],
  ['the name of a parameter', (v) => parameter({ type: 'object', properties: { [v]: {} }, required: [v] })],
  ['the older list of functions', (v) => ({ messages: [USER], functions: [{ name: 'f', description: v }] })],
  [
    'the grammar of a custom tool',
    (v) => ({
      messages: [USER],
      tools: [{ type: 'custom', custom: { name: 'f', format: { grammar: { definition: `start: "${v}"` } } } }],
    }),
  ],
  ['the schema of the answer', (v) => answerSchema({ properties: { a: { description: v } } })],
  ['a definition in the schema of the answer', (v) => answerSchema({ $defs: { d: { enum: [v] } } })],
  ['metadata', (v) => ({ messages: [USER], metadata: { by: v } })],
  ['a name in metadata', (v) => ({ messages: [USER], metadata: { [v]: '1' } })],
  ['the user', (v) => ({ messages: [USER], user: v })],
  ['a stop sequence', (v) => ({ messages: [USER], stop: ['x', v] })],
  ['a prediction', (v) => ({ messages: [USER], prediction: { type: 'content', content: `Dear ${v}` } })],
  ['a member nobody knows', (v) => ({ messages: [USER], 'x-new': { deep: [[{ er: v }]] } })],
  [
    'a data: URL in base64',
    (v) => parts({ type: 'text', text: `see data:text/csv;base64,${base64(`id,mail\n1,${v}`)} ok` }),
  ],
  [
    'a data: URL in percents',
    (v) => parts({ type: 'text', text: `see data:text/plain;charset=utf-8,mail%20${percent(v)} ok` }),
  ],
  [
    'a data: URL of JSON',
    (v) => parts({ type: 'text', text: `data:application/json;base64,${base64(`{"mail":"${escaped(v)}"}`)}` }),
  ],
  [
    'a data: URL in a tool’s arguments',
    (v) => called(JSON.stringify({ file: `data:text/plain;base64,${base64(`to ${v}`)}` })),
  ],
  [
    'a data: URL in a member’s name',
    (v) => ({ messages: [USER], metadata: { [`data:text/plain;base64,${base64(`to ${v}`)}`]: '' } }),
  ],
  [
    'a data: URL in a data: URL',
    (v) =>
      parts({
        type: 'text',
        text: `data:text/html;base64,${base64(`<img src="data:text/plain;base64,${base64(`to ${v}`)}">`)}`,
      }),
  ],
];

describe.each(PLACES)('%s', (_, body) => {
  test('holds a secret: refused', async () => {
    const before = stand.mock.counters.requests;
    const answer = await stand.ask(body(SECRET));
    expect([answer.status, stand.mock.counters.requests - before]).toEqual([403, 0]);
    expect(errorOf(answer)['message']).toContain('AWS_ACCESS_KEY');
  });

  test('holds an address: a placeholder leaves, the address comes back', async () => {
    const answer = await stand.ask(body(MAIL));
    expect(answer.status).toBe(200);
    expect(readings(stand.upstreamBody)).not.toContain(MAIL);
    // What was disguised comes back as it was written.
    expect(readings(contentOf(answer) ?? '')).toContain(MAIL);
  });
});

test.each([
  ['a file’s name', { file: { filename: `for ${MAIL} only.pdf`, file_id: 'file-1' } }],
  ['a picture’s address', { image_url: { url: `https://images.example.com/a.png?for=${MAIL}` } }],
])('%s', async (_, part) => {
  const answer = await stand.ask(parts(part), {}, { tenant: 'seeing' });
  expect(answer.status).toBe(200);
  expect(readings(stand.upstreamBody)).not.toContain(MAIL);
  expect(contentOf(answer)).toBe(`I read ${MAIL}.`);
});

test.each([
  [
    'metadata',
    (number: string) => `{"model":"mock-model","messages":[{"role":"user","content":"hi"}],"metadata":{"n":${number}}}`,
  ],
  [
    'an enum',
    (number: string) =>
      `{"model":"mock-model","messages":[{"role":"user","content":"hi"}],"tools":[{"function":{"name":"f","parameters":{"enum":[1,${number}]}}}]}`,
  ],
  ['arguments', (number: string) => JSON.stringify({ model: 'mock-model', ...called(`{"n":${number}}`) })],
])('a card as a number in %s', async (_, body) => {
  for (const number of [
    CARD,
    `${CARD}.0`,
    `-${CARD}`,
    '4.111111111111111E15',
    '41111111111111110e-1',
    '0.04111111111111111000e+00017',
  ]) {
    const answer = await stand.send({ body: body(number) });
    expect([number, answer.status]).toEqual([number, 200]);
    expect([number, stand.upstreamBody.includes(number)]).toEqual([number, false]);
    expect(contentOf(answer)).toContain(CARD);
  }
});

test('policy sees of an address its scheme, its host and whether that is private', async () => {
  const addresses = ['https://eu.example.com/cat.png?sig=abc', 'http://10.0.0.5:8080/x'];
  const answer = await stand.ask(parts(...addresses.map((url) => ({ type: 'image_url', image_url: { url } }))));
  expect(answer.status).toBe(403);
  const record = await stand.record(answer);
  const { base } = section(record.decision, 'input') as { base?: { request: Json } };
  expect(base?.request['urls']).toEqual([
    { scheme: 'https', host: 'eu.example.com', private: false },
    { scheme: 'http', host: '10.0.0.5', private: true },
  ]);
  expect(JSON.stringify(base)).not.toMatch(/cat\.png|sig=|8080/);
});

/** Parts of other dialects that compatible servers read. */
test.each([
  ['file', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64('\u0089PNG') } }],
  ['remote_url', { type: 'image', source: { type: 'url', url: 'https://images.example.com/a.png' } }],
  ['file', { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64('%PDF') } }],
  ['file', { type: 'document', source: { type: 'file', file_id: 'file-1' } }],
  ['file', { inline_data: { mime_type: 'image/png', data: base64('\u0089PNG') } }],
  ['file', { inlineData: { mimeType: 'audio/wav', data: base64('RIFF') } }],
  ['remote_url', { file_data: { mime_type: 'video/mp4', file_uri: 'https://images.example.com/a.mp4' } }],
  ['remote_url', { type: 'audio_url', audio_url: { url: 'https://images.example.com/a.wav' } }],
  ['image', { type: 'image_file', image_file: { file_id: 'file-1' } }],
])('%s in the part %j is not scanned and refused', async (what, part) => {
  const answer = await stand.ask(parts({ type: 'text', text: 'look' }, part));
  expect(answer.status).toBe(403);
  expect(facts(await stand.record(answer)).decision['unscanned']).toMatchObject([{ what }]);
});

test('speech of an earlier answer, which the provider keeps, is not scanned and refused', async () => {
  const answer = await stand.ask(after({ role: 'assistant', audio: { id: 'audio_abc123' } }));
  expect(answer.status).toBe(403);
  expect(facts(await stand.record(answer)).decision['unscanned']).toMatchObject([{ what: 'audio' }]);
});

describe('there is no history on the server', () => {
  test.each([
    ['POST', '/v1/embeddings'],
    ['POST', '/v1/responses'],
    ['GET', '/v1/responses/resp_1'],
    ['POST', '/v1/conversations'],
    ['GET', '/v1/conversations/conv_1/items'],
    ['POST', '/v1/threads'],
    ['GET', '/v1/chat/completions/chatcmpl-mock'],
    ['POST', '/v1/completions'],
    ['POST', '/v1/messages'],
    ['POST', '/v1/files'],
    ['POST', '/v1/audio/transcriptions'],
  ])('%s %s is no endpoint', async (method, path) => {
    const before = stand.mock.counters.requests;
    const answer = await stand.ask({ input: MAIL, previous_response_id: 'resp_1' }, {}, { method, path });
    expect([answer.status, stand.mock.counters.requests - before]).toEqual([404, 0]);
    expect(errorOf(answer)).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('/v1/chat/completions'),
    });
  });

  test.each(['previous_response_id', 'conversation'])(
    '%s brings back no value of an earlier request',
    async (member) => {
      await stand.ask(`mail ${MAIL}`);
      const placeholder = PLACEHOLDER.exec(stand.upstreamBody)?.[0] ?? '';
      stand.mock.next({ content: `to ${placeholder}` });
      const answer = await stand.ask('and now?', { [member]: 'chatcmpl-mock', store: true });
      expect([answer.status, contentOf(answer)]).toEqual([200, `to ${placeholder}`]);
      expect(placeholder).toMatch(PLACEHOLDER);
    },
  );
});
