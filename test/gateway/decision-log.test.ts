import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withoutMasked } from '../../gateway/decision-log/event.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

/** Decisions as OPA's decision logs: to a file, and to a collector that is away for a while. */
type Event = Record<string, unknown> & { readonly decision_id: string };

let gateway: TestGateway;
let collector: Server;
let folder = '';
let away = true;
const received: { path: string; authorization: string; events: Event[] }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-decisions-'));
  collector = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (!away) {
        expect(incoming.headers['content-encoding']).toBe('gzip');
        const events = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8')) as Event[];
        received.push({ path: incoming.url ?? '', authorization: incoming.headers.authorization ?? '', events });
      }
      outgoing.writeHead(away ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  gateway = await startTestGateway(`
providers: { s: { kind: sandbox }, e: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }, { provider: e, model: echo }] }]
tenants: [{ id: demo }, { id: other }]
decision_logs:
  siem: { url: "http://127.0.0.1:${port}", api_key: collector-key, partition: eu, every_ms: 200, batch_bytes: 20000 }
  archive: { file: "${join(folder, 'decisions.jsonl')}", every_ms: 200, tenants: [demo], mask: [/input, /result/reasons] }
`);
}, 120_000);

afterAll(async () => {
  await gateway.stop();
  collector.close();
  rmSync(folder, { recursive: true, force: true });
});

async function chat(content: string): Promise<string> {
  const response = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content }] }),
  });
  await response.text();
  return response.headers.get('x-countersign-call') ?? '';
}

const events = (): Event[] => received.flatMap((batch) => batch.events);
const fileEvents = (): Event[] =>
  readFileSync(join(folder, 'decisions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
const patience = { timeout: 30_000, interval: 100 };

test('each evaluation is an event, in order, once the collector is there, without what the mask takes out', async () => {
  const allowed = await chat('hello');
  const denied = await chat('AKIAIOSFODNN7EXAMPLE');
  away = false;
  await vi.waitFor(() => expect(events().length).toBeGreaterThanOrEqual(4), patience);
  expect(events().map(({ decision_id: id }) => id)).toEqual([
    `${allowed}/0`,
    `${allowed}/1`,
    `${denied}/0`,
    `${denied}/1`,
  ]);
  const [first, , third] = events();
  expect(first).toMatchObject({
    labels: { id: 'countersign.local', tenant: 'demo', version: 'countersign-test' },
    bundles: { baseline: { revision: expect.any(String) as string } },
    path: 'countersign/main/decision',
    input: { point: 'model.request', tenant: { id: 'demo' }, model: { deployment: 's/echo' } },
    result: { effect: 'allow' },
    erased: ['/input/principal/id', '/input/principal/claims'],
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
  });
  expect(third).toMatchObject({ result: { effect: 'deny', reasons: [{ rule: 'secrets.outbound' }] } });
  expect(received[0]).toMatchObject({ path: '/logs/eu', authorization: 'Bearer collector-key' });
  expect(JSON.stringify(received)).not.toMatch(/AKIAIOSFODNN7EXAMPLE|hello/);
});

test('nothing comes twice, and what comes later is sent later', async () => {
  const before = events().length;
  const call = await chat('again');
  await vi.waitFor(() => expect(events().length).toBeGreaterThan(before), patience);
  const ids = events().map(({ decision_id: id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.slice(before)).toEqual([`${call}/0`, `${call}/1`]);
});

test('a file holds one event a line, for its owner only', async () => {
  await vi.waitFor(() => expect(fileEvents().length).toBe(events().length), patience);
  expect(fileEvents()[0]).not.toHaveProperty('input');
  expect(fileEvents()[0]).toMatchObject({ erased: ['/input', '/result/reasons'], result: { effect: 'allow' } });
  expect(statSync(join(folder, 'decisions.jsonl')).mode & 0o777).toBe(0o600);
});

test('a question of another enforcement point is an event with the input it sent', async () => {
  const response = await fetch(`${gateway.dataUrl}/opa/v1/data/countersign/main/decision`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: { version: 1, amount: 1.5 } }),
  });
  const { decision_id: id } = (await response.json()) as Event;
  const found = (): Event | undefined => events().find((event) => event.decision_id === id);
  await vi.waitFor(() => expect(found()).toBeDefined(), patience);
  expect(found()).toMatchObject({ input: { version: 1, amount: 1.5 }, result: { effect: 'deny' } });
});

test('a mask names members and elements, and says what it took', () => {
  const event = { input: { a: { b: 1, c: 2 }, list: [{ x: 1 }, { x: 2 }] }, result: null };
  const masked = withoutMasked(event, [
    '/input/a/b',
    '/input/list/1/x',
    '/input/none',
    '/input/a/toString',
    '/result/x',
  ]);
  expect(masked).toEqual({
    value: { input: { a: { c: 2 }, list: [{ x: 1 }, {}] }, result: null },
    erased: ['/input/a/b', '/input/list/1/x'],
  });
  expect(event.input.a.b).toBe(1);
});
