/** The endpoint as HTTP: paths and methods, headers both ways, connections. */
import { Agent } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { contentOf, errorOf, exchange, json, send } from './client.ts';
import { ChatStand, facts, MODEL, PROVIDER_KEY } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start();
});
afterEach(() => stand.mock.reset());
afterAll(() => stand.stop());

const BODY = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }] });

test.each([
  '/v1/chat/completions',
  '/v1/chat/completions/',
  '/chat/completions',
  '/chat/completions/',
  '/openai/v1/chat/completions',
  '/v1/chat/completions?api-version=1',
])('POST %s', async (path) => {
  const answer = await stand.send({ path, body: BODY });
  expect([answer.status, contentOf(answer)]).toEqual([200, 'Hello from the mock model.']);
});

test('a path that names the model needs none in the body, and outranks it', async () => {
  const path = `/openai/deployments/${MODEL}/chat/completions?api-version=2026-01-01`;
  const headers = { 'api-key': stand.key() };
  for (const body of ['{"messages":[{"role":"user","content":"hi"}]}', BODY.replace(MODEL, 'another'), BODY]) {
    const answer = await send(stand.gateway.dataUrl, { path, body, headers });
    expect(answer.status).toBe(200);
    expect(JSON.parse(stand.upstreamBody)).toEqual(JSON.parse(BODY));
    const { decision } = facts(await stand.record(answer));
    expect(decision).toMatchObject({ model: MODEL, edits: body === BODY ? [] : ['model'] });
  }
  expect(stand.upstreamBody).toBe(BODY);
  expect((await send(stand.gateway.dataUrl, { path, method: 'GET', headers })).status).toBe(405);
  const unknown = await send(stand.gateway.dataUrl, { path: path.replace(MODEL, 'nowhere'), body: BODY, headers });
  expect([unknown.status, errorOf(unknown)['code']]).toEqual([404, 'model_not_found']);
});

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
  '%s is refused, and told which method to use',
  async (method) => {
    for (const path of ['/v1/chat/completions', '/v1/chat/completions/', '/chat/completions']) {
      const answer = await stand.send({ method, path });
      expect([path, answer.status]).toEqual([path, 405]);
      expect(answer.headers.allow).toBe('POST');
      expect(errorOf(answer)).toMatchObject({ code: 'method_not_allowed', type: 'invalid_request_error' });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  },
);

test('HEAD has the answer of GET without its body', async () => {
  const printed = vi.spyOn(console, 'error');
  const chat = await stand.send({ method: 'HEAD' });
  expect([chat.status, chat.text, chat.headers.allow]).toEqual([405, '', 'POST']);
  const models = await stand.send({ method: 'HEAD', path: '/v1/models' });
  expect([models.status, models.text]).toEqual([200, '']);
  expect(Number(models.headers['content-length'])).toBeGreaterThan(10);
  expect((await stand.send({ method: 'HEAD', path: '/healthz' })).status).toBe(200);
  expect((await stand.send({ method: 'HEAD', path: '/nowhere' })).status).toBe(404);
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});

test.each(['/v1', '/v1/completions', '/v2/chat/completions', '/v1/chat/completions/x', '/v1//chat/completions', '/'])(
  'POST %s is not an endpoint',
  async (path) => {
    const answer = await stand.send({ path, body: BODY });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ code: 'not_found' });
  },
);

test.each([
  ['authorization', (key: string) => `Bearer ${key}`],
  ['authorization', (key: string) => `bearer   ${key}`],
  ['api-key', (key: string) => key],
  ['x-api-key', (key: string) => key],
])('the key in %s', async (header, value) => {
  const headers = { 'content-type': 'application/json', [header]: value(stand.key()) };
  expect((await send(stand.gateway.dataUrl, { body: BODY, headers })).status).toBe(200);
});

test('a body without a content-type is read as JSON', async () => {
  const headers = { authorization: `Bearer ${stand.key()}` };
  expect((await send(stand.gateway.dataUrl, { body: BODY, headers })).status).toBe(200);
});

test('what a caller sees of the provider’s headers, and what never', async () => {
  stand.mock.next({
    headers: {
      'x-request-id': 'req_provider',
      'openai-processing-ms': '12',
      'openai-organization': 'org-1',
      'openai-version': '2020-10-01',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-requests': '8.64s',
      'set-cookie': '__cf_bm=secret; path=/',
      server: 'cloudflare',
      'cf-ray': '1',
      'strict-transport-security': 'max-age=1',
      'alt-svc': 'h3=":443"',
      authorization: `Bearer ${PROVIDER_KEY}`,
      'x-countersign-call': 'cs-forged',
      'x-internal-key': PROVIDER_KEY,
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=600',
      'content-encoding': 'identity',
      'keep-alive': 'timeout=99',
      'proxy-authenticate': 'Basic',
    },
  });
  const answer = await stand.send({ body: BODY });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.headers).sort()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'date',
    'openai-organization',
    'openai-processing-ms',
    'openai-version',
    'server-timing',
    'x-countersign-call',
    'x-countersign-policy',
    'x-countersign-receipt',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-requests',
    'x-request-id',
  ]);
  expect(answer.headers).toMatchObject({
    'x-request-id': 'req_provider',
    'openai-processing-ms': '12',
    'x-ratelimit-remaining-tokens': '149984',
    'content-length': String(Buffer.byteLength(answer.text)),
    'x-countersign-call': expect.stringMatching(/^cs-[0-9a-f]{32}$/),
  });
  expect(JSON.stringify(answer)).not.toContain(PROVIDER_KEY);
  const record = await stand.record(answer);
  expect(record.outcome?.sections['outcome']).toMatchObject({ request_id: 'req_provider' });
});

test('header values no client could read are dropped, not passed on', async () => {
  stand.mock.next({ headers: { 'x-request-id': 'caf\u00e9', 'x-ratelimit-limit-tokens': '' } });
  const answer = await stand.send({ body: BODY });
  expect(answer.status).toBe(200);
});

test('the provider’s retry headers reach the caller with its 429', async () => {
  stand.mock.next({ status: 429, retryAfterS: 7, headers: { 'retry-after-ms': '7000', 'x-should-retry': 'true' } });
  const answer = await stand.send({ body: BODY });
  expect(answer.status).toBe(429);
  expect(answer.headers).toMatchObject({ 'retry-after': '7', 'retry-after-ms': '7000', 'x-should-retry': 'true' });
  expect(errorOf(answer)).toEqual({
    message: 'mock failure 429',
    type: 'rate_limit_error',
    param: null,
    code: 'rate_limit_exceeded',
  });
  expect(facts(await stand.record(answer)).outcome).toMatchObject({
    status: 'upstream_error',
    http_status: 429,
    cost_nusd: null,
  });
});

test('an error page of something in between becomes an error in the protocol, its text stays behind', async () => {
  stand.mock.next({ status: 502, raw: '<html>Bad gateway at 10.1.2.3 nginx</html>', contentType: 'text/html' });
  const answer = await stand.send({ body: BODY });
  expect(answer.status).toBe(502);
  expect(errorOf(answer)).toMatchObject({ code: 'upstream_error', type: 'upstream_error' });
  expect(answer.text).not.toContain('10.1.2.3');
  expect(facts(await stand.record(answer)).outcome).toMatchObject({ status: 'upstream_error', code: 'upstream_error' });
});

test('Expect: 100-continue is answered, then the call', async () => {
  const answer = await stand.send({ body: [BODY], headers: { expect: '100-continue' } });
  expect([answer.interim, answer.status]).toEqual([100, 200]);
  expect(stand.mock.requests.at(-1)?.headers['expect']).toBeUndefined();
});

test('one connection serves on after every kind of error', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const large = JSON.stringify({ model: MODEL, pad: 'x'.repeat(200_000) });
  const outcomes: [number, boolean][] = [];
  for (const ask of [
    { body: BODY },
    { body: '{' },
    { body: large },
    { method: 'GET' },
    { path: '/nowhere', body: large },
    { body: large, headers: { authorization: 'Bearer cs_no' } },
    { body: Buffer.from(large), headers: { 'content-encoding': 'gzip' } },
    { body: large, headers: { 'content-type': 'text/plain' } },
    { body: BODY },
  ]) {
    const answer = await stand.send({ ...ask, agent });
    outcomes.push([answer.status, answer.reused]);
  }
  agent.destroy();
  expect(outcomes.map(([status]) => status)).toEqual([200, 400, 400, 405, 404, 401, 400, 415, 200]);
  expect(outcomes.map(([, reused]) => reused)).toEqual([false, ...Array<boolean>(8).fill(true)]);
});

test('two requests in one packet are answered in order', async () => {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stand.key()}\r\ncontent-length:`;
  const one = `${head} ${BODY.length}\r\n\r\n${BODY}`;
  const two = `${head} 1\r\n\r\n{`;
  const seen = await exchange(stand.gateway.dataUrl, one + two, (text) => text.includes('usable JSON'));
  expect([...seen.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '400']);
});

test.each([
  ['two lengths', 'content-length: 5\r\ncontent-length: 6'],
  ['a length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked'],
  ['a length that is no number', 'content-length: 5x'],
  ['a coding that does not end in chunked', 'transfer-encoding: chunked, gzip'],
])('a request with %s is not guessed at', async (_, lines) => {
  const before = stand.mock.counters.requests;
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${stand.key()}\r\n${lines}\r\n\r\n0\r\n\r\n`;
  const seen = await exchange(stand.gateway.dataUrl, head, (text) => text.includes('\r\n\r\n')).catch(String);
  expect(seen).toMatch(/^HTTP\/1\.1 400 /);
  expect(stand.mock.counters.requests).toBe(before);
});

test('a header block beyond the limit is refused', async () => {
  const answer = await stand.send({ body: BODY, headers: { 'x-long': 'y'.repeat(40_000) } });
  expect(answer.status).toBe(431);
});

test('calls do not share state: many at once, each with its own answer and entry', async () => {
  stand.mock.set({ content: (body) => `echo ${String(/user (\d+)/.exec(body)?.[1])}` });
  const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => stand.ask(`user ${i}`)));
  expect(answers.map(contentOf)).toEqual(answers.map((_, i) => `echo ${i}`));
  expect(new Set(answers.map(({ headers }) => headers['x-countersign-call'])).size).toBe(24);
  expect(new Set(answers.map(({ headers }) => headers['x-countersign-receipt'])).size).toBe(24);
  expect(json(answers[0] ?? (await stand.ask('x')))['object']).toBe('chat.completion');
});
