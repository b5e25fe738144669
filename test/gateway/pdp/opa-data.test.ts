import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestInput } from '../../policies/facts.ts';
import { findTools, ROOT } from '../../policies/toolchain.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

/** Our data API beside a real `opa run --server` with the same policies: the same question, the same answer. */
const tools = await findTools();
const run = test.skipIf(tools === null);
const PARAMETERS = { pii: { types: { PHONE_NUMBER: 'deny' } }, approval: { models: ['o1'] } };
const DECISION = '/countersign/main/decision';

let gateway: TestGateway;
let opa: ChildProcess | null = null;
let opaUrl = '';

beforeAll(async () => {
  gateway = await startTestGateway(`
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo, parameters: ${JSON.stringify(PARAMETERS)} }, { id: other }]
`);
  if (tools === null) return;
  const port = await freePort();
  opaUrl = `http://127.0.0.1:${port}`;
  const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', '--bundle', '--ignore'];
  opa = spawn(tools.opa, [...args, '*_test.rego', '.'], { cwd: join(ROOT, 'policies/rego/baseline'), stdio: 'ignore' });
  for (let tries = 0; tries < 400 && !(await isUp()); tries += 1) await sleep(50);
  const sent = { method: 'PUT', headers: { 'content-type': 'application/json' } };
  await fetch(`${opaUrl}/v1/data/tenants`, { ...sent, body: JSON.stringify({ demo: PARAMETERS }) });
}, 120_000);

afterAll(async () => {
  opa?.kill('SIGKILL');
  await gateway.stop();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function isUp(): Promise<boolean> {
  return fetch(`${opaUrl}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

interface Asked {
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

async function ask(
  url: string,
  { method = 'POST', body, headers = {} }: Asked,
  key = gateway.key,
): Promise<{ status: number; body: Record<string, unknown>; text: string; headers: Headers }> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: JSON.parse(text) as Record<string, unknown>,
    text,
    headers: response.headers,
  };
}

const ours = (path: string, asked: Asked = {}, key?: string) =>
  ask(`${gateway.dataUrl}/opa/v1/data${path}`, asked, key);
const theirs = (path: string, asked: Asked = {}) => ask(`${opaUrl}/v1/data${path}`, asked);

/** OPA names a decision only where it logs them. */
function withoutId({ decision_id: id, ...rest }: Record<string, unknown>): Record<string, unknown> {
  expect(id).toMatch(/^cs-[0-9a-f]{32}$/);
  return rest;
}

const finding = (type: string, kind: 'pii' | 'secret') => ({ type, kind, count: 1, max_score: 900, paths: ['/x'] });
const INPUTS: readonly unknown[] = [
  requestInput({ tenant: { id: 'demo', region: null, frameworks: [], labels: {} } }),
  ...[finding('EMAIL_ADDRESS', 'pii'), finding('PHONE_NUMBER', 'pii'), finding('JWT', 'secret')].map((found) =>
    requestInput({ tenant: { id: 'demo', region: null, frameworks: [], labels: {} }, findings: [found] }),
  ),
  {},
  null,
  'text',
  0,
  [1, 2],
  { version: 1, point: 'admin.keys.list', principal: { roles: ['key-admin'] }, tenant: { id: 'demo' } },
  { version: 1, point: 'x', tenant: { id: 'demo' }, 'naïve 🦊': [1.5, { a: null }] },
];

run.each(INPUTS.map((input, i) => [i, input] as const))('input %i is decided alike', async (_i, input) => {
  const body = JSON.stringify({ input });
  for (const path of [DECISION, `${DECISION}/effect`, `${DECISION}/reasons/0/rule`, `${DECISION}/reasons/7`]) {
    const expected = await theirs(path, { body });
    const found = await ours(path, { body });
    expect(found.status, path).toBe(expected.status);
    expect(withoutId(found.body), path).toEqual(expected.body);
  }
});

run.each<[string, string, Asked]>([
  ['no body', DECISION, {}],
  ['null', DECISION, { body: 'null' }],
  ['another member', DECISION, { body: '{"inputs":{}}' }],
  ['a path that nothing defines', '/nope/x', { body: '{"input":{}}' }],
  ['GET without input', DECISION, { method: 'GET' }],
  ['GET with input', `${DECISION}/effect?input=${encodeURIComponent('{"version":1}')}`, { method: 'GET' }],
  [
    'gzip',
    `${DECISION}/effect`,
    { body: Uint8Array.from(gzipSync('{"input":{"version":1}}')), headers: { 'content-encoding': 'gzip' } },
  ],
])('%s is answered alike', async (_name, path, asked) => {
  const expected = await theirs(path, asked);
  const found = await ours(path, asked);
  expect(found.status).toBe(expected.status);
  expect(withoutId(found.body)).toEqual(expected.body);
});

run.each<[string, string, Asked]>([
  ['a body that is no JSON', DECISION, { body: '{' }],
  ['a body that is a list', DECISION, { body: '[]' }],
  ['an input that is no JSON', `${DECISION}?input=%7B`, { method: 'GET' }],
])('%s is refused alike, in code and status', async (_name, path, asked) => {
  const expected = await theirs(path, asked);
  const found = await ours(path, asked);
  expect(found.status).toBe(expected.status);
  expect(Object.keys(found.body)).toEqual(Object.keys(expected.body));
  expect(found.body['code']).toBe(expected.body['code']);
});

run('metrics, provenance and pretty as OPA has them', async () => {
  const body = '{"input":{}}';
  const expected = await theirs(`${DECISION}/effect?pretty&metrics&provenance`, { body });
  const found = await ours(`${DECISION}/effect?pretty&metrics&provenance`, { body });
  expect(found.text).toContain('\n  "result": "deny"');
  expect(found.body['metrics']).toMatchObject({
    timer_rego_query_eval_ns: expect.any(Number) as number,
    timer_server_handler_ns: expect.any(Number) as number,
  });
  expect(Object.keys(expected.body['metrics'] as object)).toEqual(
    expect.arrayContaining(Object.keys(found.body['metrics'] as object)),
  );
  expect(found.body['provenance']).toMatchObject({
    bundles: { baseline: { revision: expect.any(String) as string } },
  });
});

test('what cannot be answered is refused and not called undefined', async () => {
  for (const path of ['', '/countersign/main', '/countersign/rules/pii/deny']) {
    const found = await ours(path, { body: '{"input":{}}' });
    expect(found.status).toBe(400);
    expect(found.body).toMatchObject({ code: 'invalid_parameter' });
  }
  const large = await ours(DECISION, { body: '{"input":{"amount":12345678901234567890}}' });
  expect(large).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } });
});

test('nobody asks without a key, for another tenant, or with a method there is none of', async () => {
  expect(await ours(DECISION, { body: '{}' }, 'cs_wrong')).toMatchObject({
    status: 401,
    body: { code: 'unauthorized' },
  });
  const other = JSON.stringify({ input: { tenant: { id: 'other' } } });
  expect(await ours(DECISION, { body: other })).toMatchObject({ status: 403, body: { code: 'unauthorized' } });
  expect((await ours(DECISION, { method: 'DELETE' })).status).toBe(405);
});

test('every answer is a decision in the ledger, which is not open and costs nothing', async () => {
  const { token, id } = await gateway.createKey({ name: 'sidecar' });
  const input = { version: 1, point: 'x', amount: 1.5, tenant: { id: 'demo' } };
  const found = await ours(DECISION, { body: JSON.stringify({ input }) }, token);
  expect(found.headers.get('x-countersign-receipt')).toMatch(/^[0-9a-f]{64}\/0\/\d+\/[0-9a-f]{64}\//);
  const [entry, open] = await entryOf(String(found.body['decision_id']));
  expect(entry).toMatchObject({
    api: 'opa.data',
    effect: 'deny',
    applied: 'answered',
    rules: ['main.input', 'main.point'],
  });
  expect(entry?.['versions']).toMatchObject({ bundles: [{ name: 'baseline' }] });
  expect(open).toBe(0);
  expect(JSON.stringify(entry)).not.toContain(id);
  const refused = await ours(DECISION, { body: '{' }, token);
  expect(refused.status).toBe(400);
  const sql = gateway.database.connectAdmin(1);
  const rows = await sql<{ facts: string }[]>`select facts from ledger.entries order by log, seq`;
  expect(rows.map((row) => JSON.parse(row.facts) as Record<string, unknown>)).toContainEqual(
    expect.objectContaining({ api: 'opa.data', effect: 'refused', code: 'invalid_request' }),
  );
});

async function entryOf(call: string): Promise<[Record<string, unknown> | undefined, number]> {
  const sql = gateway.database.connectAdmin(1);
  const [row] = await sql<{ facts: string }[]>`select facts from ledger.entries where call = ${call}`;
  const [open] = await sql<{ n: number }[]>`select count(*)::int as n from ledger.open_calls`;
  return [row === undefined ? undefined : (JSON.parse(row.facts) as Record<string, unknown>), open?.n ?? -1];
}
