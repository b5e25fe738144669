import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEgress } from '../../../gateway/egress.ts';
import { createOpenAiUpstream } from '../../../gateway/upstream/openai.ts';
import type { Deployment, Upstream } from '../../../gateway/upstream/upstream.ts';
import { startMockUpstream } from '../../support/mock-upstream.ts';
import type { MockUpstream } from '../../support/mock-upstream.ts';
import { callOf, collect, deployment, TIMEOUTS } from './deployments.ts';

let mock: MockUpstream;
let upstream: Upstream;
let to: Deployment;
const egress = createEgress();
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

beforeAll(async () => {
  mock = await startMockUpstream();
  upstream = createOpenAiUpstream({ egress, maxBodyBytes: 1_000_000 });
  to = deployment({ baseUrl: mock.url, apiKey: 'sk-secret' });
});
beforeEach(() => mock.reset());
afterAll(async () => {
  await egress.close();
  await mock.close();
});

async function bodyOf(over: Parameters<typeof callOf>[2] = {}, body: object | string = CHAT): Promise<string> {
  const response = await upstream.send(callOf(to, body, over));
  return (await response.body()).toString();
}

describe('what goes out', () => {
  test('the exact bytes of the body, to the path below the base URL', async () => {
    const odd =
      '{ "model":"m",\n  "n":1.0, "seed":12345678901234567890, "messages":[{"role":"user","content":"h\\u00e9 🌍"}] }';
    await bodyOf({}, odd);
    expect(mock.requests[0]).toMatchObject({ path: '/v1/chat/completions', body: odd });
    expect(mock.requests[0]?.headers['content-length']).toBe(String(Buffer.byteLength(odd)));
  });

  test('our own credentials and framing, never those passed along', async () => {
    await bodyOf({
      headers: {
        authorization: 'Bearer caller',
        'x-api-key': 'caller',
        'api-key': 'caller',
        cookie: 'a=b',
        connection: 'close',
        'transfer-encoding': 'chunked',
        'content-length': '1',
        'content-encoding': 'gzip',
        'accept-encoding': 'gzip',
        host: 'evil.example',
        'x-forwarded-for': '1.2.3.4',
        'x-countersign-call': 'x',
        'proxy-authorization': 'x',
        'openai-project': 'proj_1',
        'openai-beta': 'assistants=v2',
      },
    });
    const headers = mock.requests[0]?.headers ?? {};
    expect(headers).toMatchObject({
      authorization: 'Bearer sk-secret',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      host: new URL(mock.url).host,
      'openai-project': 'proj_1',
      'openai-beta': 'assistants=v2',
      'x-client-request-id': 'cs-0123456789abcdef0123456789abcdef',
    });
    expect(JSON.stringify(headers)).not.toMatch(/caller|evil|1\.2\.3\.4|a=b|gzip/);
  });

  test('no authorization without a key, and a base URL of any depth', async () => {
    const bare = deployment({ baseUrl: `${mock.url}/deep/er/`, apiKey: null });
    await (await upstream.send(callOf(bare, CHAT))).body();
    expect(mock.requests[0]?.path).toBe('/v1/deep/er/chat/completions');
    expect(mock.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('what comes back', () => {
  test('exact bytes and the safe headers', async () => {
    const odd = '{"a": 1.0,\t"b":12345678901234567890,"c":"\\u00e9é"}';
    mock.set({
      raw: odd,
      headers: {
        'set-cookie': 'a=b',
        'x-ratelimit-remaining-tokens': '9',
        'openai-processing-ms': '12',
        'openai-organization': 'org',
        server: 'x',
        'cf-ray': 'y',
        location: 'z',
      },
    });
    const response = await upstream.send(callOf(to, CHAT));
    expect((await response.body()).toString()).toBe(odd);
    expect(response.requestId).toBe('req_mock');
    expect(response.headers).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'req_mock',
      'x-ratelimit-remaining-tokens': '9',
      'openai-processing-ms': '12',
      'openai-organization': 'org',
    });
  });

  test('streams keep every byte, comments and odd framing included', async () => {
    const raw = ': wait\n\ndata: {"a":1}\r\n\r\nevent: x\ndata: {"b":2}\ndata: c\n\ndata: [DONE]\n\n';
    mock.set({ raw });
    const events = await collect((await upstream.send(callOf(to, { ...CHAT, stream: true }))).events());
    expect(events.map((event) => event.raw).join('')).toBe(raw);
    expect(events.map((event) => event.data)).toEqual([null, '{"a":1}', '{"b":2}\nc', '[DONE]']);
  });

  test('a whole answer that is too long, cut or stalled is a failure', async () => {
    mock.next({ content: 'x'.repeat(1_000_001) });
    await expect(bodyOf()).rejects.toMatchObject({ code: 'upstream_error', reason: 'too_large' });
    mock.next({ breakAfterChunks: 0 });
    await expect(bodyOf()).rejects.toMatchObject({ code: 'upstream_error', reason: 'broken_answer' });
    mock.next({ stallAfterChunks: 0 });
    const timeouts = { ...TIMEOUTS, idleMs: 100 };
    await expect(bodyOf({ timeouts })).rejects.toMatchObject({ code: 'upstream_timeout', reason: 'idle_timeout' });
  });

  test('a coding nobody asked for is refused: it could not be scanned', async () => {
    mock.set({ raw: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } });
    await expect(bodyOf()).rejects.toMatchObject({ reason: 'bad_answer' });
  });
});

describe('connections', () => {
  test('are kept and used again', async () => {
    for (let round = 0; round < 20; round++) await bodyOf();
    // The pool opens a second one when a call follows in the same turn of the event loop.
    expect(mock.counters.connections).toBeLessThanOrEqual(2);
  });

  test('closed while idle: the next call opens another', async () => {
    for (let round = 0; round < 5; round++) {
      await bodyOf();
      mock.dropConnections();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(mock.counters.requests).toBe(5);
  });

  test('an abort cuts the upstream socket while it waits, and a slow connect is a timeout', async () => {
    mock.next({ hang: true });
    const controller = new AbortController();
    const waiting = bodyOf({ signal: controller.signal });
    await expect.poll(() => mock.counters.requests).toBe(1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'client_closed', reason: 'aborted', sent: true });
    await expect.poll(() => mock.counters.aborted).toBe(1);

    const narrow = createEgress({ connections: 1 });
    const queued = createOpenAiUpstream({ egress: narrow });
    mock.next({ delayMs: 300 });
    const busy = queued.send(callOf(to, CHAT));
    const timeouts = { ...TIMEOUTS, connectMs: 50 };
    await expect(queued.send(callOf(to, CHAT, { timeouts }))).rejects.toMatchObject({
      reason: 'connect_timeout',
      sent: false,
    });
    await (await busy).body();
    await narrow.close();
    // The call that gave up while it waited for a connection was never written.
    expect(mock.counters.requests).toBe(2);
  });

  test('a slow reader holds the sender back instead of filling memory, and loses nothing', async () => {
    const size = 8_000_000;
    mock.set({ content: 'y'.repeat(size), chunks: 2000 });
    const timeouts = { ...TIMEOUTS, idleMs: 1000 };
    const response = await upstream.send(callOf(to, { ...CHAT, stream: true }, { timeouts }));
    let characters = 0;
    let events = 0;
    for await (const event of response.events()) {
      // Longer than the idle timeout: time in which we are the slow side does not count.
      if (events++ === 10) {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(mock.counters.answered).toBe(0);
      }
      characters += /"content":"(y*)"/.exec(event.data ?? '')?.[1]?.length ?? 0;
    }
    expect(characters).toBe(size);
  });

  test('an answer that nobody reads does not hold its connection', async () => {
    mock.set({ content: 'y'.repeat(8_000_000), chunks: 2000 });
    const timeouts = { ...TIMEOUTS, idleMs: 60 };
    const response = await upstream.send(callOf(to, { ...CHAT, stream: true }, { timeouts }));
    await expect.poll(() => mock.counters.aborted).toBe(1);
    await expect(collect(response.events())).rejects.toMatchObject({ reason: 'idle_timeout' });
  });

  test('an early interim answer is not the answer', async () => {
    const server = createServer((socket: Socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
        socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const response = await upstream.send(callOf(deployment({ baseUrl: `http://127.0.0.1:${port}` }), CHAT));
    expect([response.status, (await response.body()).toString()]).toEqual([200, '{}']);
    server.close();
  });
});
