import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openNote, parseCheckpoint, verifyProof } from '../../../ledger/index.ts';
import type { Appended } from '../../../ledger/index.ts';
import { createNoteSigner } from '../../../ledger/note/key.ts';
import { verifyConsistency } from '../../../ledger/tree/proof.ts';
import { createTestNotary, TEST_CHECKPOINT_KEY } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { publishCheckpoint } from '../../../ledger/index.ts';
import { AdminStand } from './stand.ts';

let stand: AdminStand;
let notary: TestNotary;
let auditor: string;
let tenantAuditor: string;
let caller: string;
const calls: string[] = [];
const receipts: string[] = [];
const KEY = createNoteSigner('test/0', 'ed25519', TEST_CHECKPOINT_KEY).key;

beforeAll(async () => {
  stand = await AdminStand.start();
  notary = createTestNotary(stand.database);
  auditor = (await stand.key('_deployment', ['auditor'])).token;
  tenantAuditor = (await stand.key('demo', ['auditor'])).token;
  caller = (await stand.key('demo', ['caller'])).token;
  for (let index = 0; index < 300; index += 1) {
    const call = `cs-${randomBytes(16).toString('hex')}`;
    const entry: Appended = await stand.ledger.append({
      tenant: 'demo', kind: 'decision', class: 'decision', call, subject: null, sections: { facts: { effect: 'deny' } },
    }); // prettier-ignore
    receipts.push(await stand.ledger.signReceipt(entry, 'a'.repeat(64)));
    calls.push(call);
  }
});
afterAll(async () => {
  await notary.close();
  await stand.close();
});

async function bytes(
  path: string,
  token = tenantAuditor,
): Promise<{ status: number; type: string | null; body: Buffer }> {
  const response = await fetch(`http://127.0.0.1:${stand.port}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get('content-type'), body };
}

async function nextCheckpoint(): Promise<{ size: number; root: string }> {
  const made = await stand.call('POST', '/api/ledger/epoch', auditor, {});
  expect(made).toMatchObject({ status: 200, body: { epoch: expect.any(Number) as number } });
  await publishCheckpoint(notary);
  const { text, status, headers } = await stand.call('GET', '/ledger/checkpoint', auditor);
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  return parseCheckpoint(openNote(text, [KEY]).text);
}

describe('before the first epoch', () => {
  test('there is nothing to show, and a proof has to wait', async () => {
    for (const path of ['/ledger/checkpoint', '/ledger/tile/0/000', '/ledger/log/head', '/ledger/log/tile/0/000'])
      expect([path, (await stand.call('GET', path, tenantAuditor)).status]).toEqual([path, 404]);
    const early = await stand.call('GET', `/api/calls/${calls[0] ?? ''}/proof`, tenantAuditor);
    expect([early.status, early.headers.get('retry-after')]).toEqual([409, '10']);
  });
});

describe('the deployment\u2019s tree', () => {
  test('grows from checkpoint to checkpoint, provably', async () => {
    const one = await nextCheckpoint();
    const two = await nextCheckpoint();
    const { status, body } = await stand.call('GET', `/ledger/consistency?from=${one.size}&to=${two.size}`, auditor);
    expect(status).toBe(200);
    const proof = (body['proof'] as string[]).map((hash) => Buffer.from(hash, 'base64').toString('hex'));
    const claim = { oldSize: one.size, oldRoot: one.root, size: two.size, root: two.root, proof };
    expect(verifyConsistency(claim)).toBe(true);
    for (const query of [`from=${two.size}&to=${one.size}`, `from=1&to=${two.size + 1}`])
      expect((await stand.call('GET', `/ledger/consistency?${query}`, auditor)).status).toBe(404);
    for (const query of ['', 'from=0&to=1', 'from=a&to=2', 'from=1.5&to=2'])
      expect((await stand.call('GET', `/ledger/consistency?${query}`, auditor)).status).toBe(400);
    const tile = await bytes(`/ledger/tile/0/000.p/${two.size}`);
    expect([tile.status, tile.type, tile.body.length]).toEqual([200, 'application/octet-stream', two.size * 32]);
    const state = await stand.call('GET', '/api/ledger/status', auditor);
    expect(state.body).toMatchObject({
      checkpoint: { size: two.size, epoch: 1 },
      last_epoch: { epoch: 1 },
      witnesses: [],
    });
  });
});

describe('a tenant\u2019s tree', () => {
  test('is shown to its auditor, in tiles and bundles', async () => {
    const { body } = await stand.call('GET', '/ledger/log/head', tenantAuditor);
    expect(body['size']).toBeGreaterThanOrEqual(300);
    const full = await bytes('/ledger/log/tile/0/000');
    expect([full.status, full.body.length]).toEqual([200, 8192]);
    expect((await bytes('/ledger/log/tile/1/000.p/1')).body.length).toBe(32);
    const bundle = await bytes('/ledger/log/tile/entries/001.p/44');
    expect([bundle.status, bundle.type]).toEqual([200, 'application/octet-stream']);
    const length = bundle.body.readUInt16BE(0);
    expect(JSON.parse(bundle.body.toString('utf8', 2, 2 + length))).toMatchObject({ seq: 256, log: body['log'] });
    // Reading what happened is an entry, reading hashes is not.
    const facts = await stand.facts('access', 'demo');
    expect(facts.filter(({ verb }) => verb === 'calls.read').length).toBeGreaterThan(0);
    expect(facts.filter(({ verb, effect }) => verb === 'ledger.status' && effect === 'allow')).toEqual([]);
    expect((await stand.call('GET', '/ledger/log/head?tenant=demo', auditor)).body).toEqual(body);
  });

  test.each([
    ['/ledger/log/tile/0/001', 404],
    ['/ledger/log/tile/2/000.p/1', 404],
    ['/ledger/log/tile/0/000.p/256', 404],
    ['/ledger/log/tile/0/1', 404],
    ['/ledger/log/tile/0/..%2f..%2fetc', 404],
    ['/ledger/log/tile/entries/009', 404],
    ['/ledger/log/tile/entries/entries/000', 404],
    ['/ledger/log/consistency?from=1&to=1000000', 404],
    ['/ledger/log/head?tenant=other', 403],
  ])('%s answers %i', async (path, status) => {
    expect((await bytes(path)).status).toBe(status);
  });

  test('is nobody\u2019s without a role or a tenant', async () => {
    for (const path of [
      '/ledger/checkpoint',
      '/ledger/tile/0/000',
      '/ledger/log/tile/0/000',
      '/ledger/log/tile/entries/000',
      `/api/calls/${calls[0] ?? ''}/proof`,
    ])
      expect([path, (await bytes(path, caller)).status]).toEqual([path, 403]);
    for (const path of ['/ledger/log/head', `/api/calls/${calls[0] ?? ''}/proof`])
      expect([path, (await bytes(path, auditor)).status]).toEqual([path, 400]);
  });
});

describe('proofs', () => {
  test('of a call, and for a receipt', async () => {
    const first = await stand.call('GET', `/api/calls/${calls[7] ?? ''}/proof?tenant=demo`, auditor);
    expect([first.status, first.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(verifyProof(first.text, [KEY]).header).toMatchObject({ call: calls[7], kind: 'decision' });
    const receipt = encodeURIComponent(receipts[299] ?? '');
    const second = await stand.call('GET', `/api/ledger/proof?receipt=${receipt}`, tenantAuditor);
    expect(verifyProof(second.text, [KEY]).hash).toBe(receipts[299]?.split('/')[3]);
  });

  test.each([
    ['of an entry the call does not have', () => `/api/calls/${calls[7] ?? ''}/proof?class=outcome`, 404],
    ['of an unknown class', () => `/api/calls/${calls[7] ?? ''}/proof?class=x`, 400],
    ['of an unknown call', () => '/api/calls/cs-0/proof', 404],
    ['for no receipt', () => '/api/ledger/proof?receipt=abc', 400],
    [
      'for a receipt of another log',
      () => `/api/ledger/proof?receipt=${'ab'.repeat(32)}${(receipts[0] ?? '').slice(64)}`,
      404,
    ],
    [
      'for a receipt of an entry that is not there',
      () => `/api/ledger/proof?receipt=${(receipts[0] ?? '').replace('/0/0/', '/0/1/')}`,
      404,
    ],
  ])('%s are refused', async (_, path, status) => {
    expect((await stand.call('GET', path(), tenantAuditor)).status).toBe(status);
  });
});
