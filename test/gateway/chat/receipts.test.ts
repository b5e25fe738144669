/** What a caller can keep and check: ids, timings and a receipt that proves an omission; and the admin's view of a call. */
import { createPublicKey, hash, verify } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, Json } from './client.ts';
import { json, send } from './client.ts';
import { ChatStand, facts } from './stand.ts';

let stand: ChatStand;
let auditor: string;
let reader: string;

beforeAll(async () => {
  stand = await ChatStand.start({ tenants: { other: '{}' } });
  auditor = (await stand.gateway.createKey({ roles: ['auditor'] })).token;
  reader = (await stand.gateway.createKey({ roles: ['finance'] })).token;
});
afterAll(() => stand.stop());

interface Receipt {
  readonly log: string;
  readonly inc: string;
  readonly seq: string;
  readonly hash: string;
  readonly wid: string;
  readonly sig: string;
}

function parseReceipt(header: unknown): Receipt {
  const [log = '', inc = '', seq = '', entry = '', wid = '', sig = ''] = String(header).split('/');
  return { log, inc, seq, hash: entry, wid, sig };
}

/** As a stranger would: from the header, the writer's published key and the documented text. */
async function isGenuine(receipt: Receipt, digest: string, change: Partial<Receipt> = {}): Promise<boolean> {
  const [writer] = await stand.sql<{ key: string }[]>`select key from ledger.writers where wid = ${receipt.wid}`;
  const jwk: JsonWebKey = { kty: 'OKP', crv: 'Ed25519', x: writer?.key ?? '' };
  const { origin } = stand.gateway.config.ledger;
  const { log, inc, seq, hash: entry } = { ...receipt, ...change };
  const text = ['countersign/receipt/v1', origin, log, inc, seq, entry, digest].map((line) => `${line}\n`).join('');
  return verify(
    null,
    Buffer.from(text),
    createPublicKey({ key: jwk, format: 'jwk' }),
    Buffer.from(receipt.sig, 'base64url'),
  );
}

/** The digest of the enforced request: SHA-256 over the sorted lines of deployment and body digest. */
function requestDigest(body: string, deployment = 'mock/mock-model'): string {
  return hash('sha256', `${deployment} ${hash('sha256', body, 'hex')}\n`, 'hex');
}

test.each([false, true])(
  'the receipt of a call names its entry and is signed over what was sent, streamed: %s',
  async (stream) => {
    const answer = await stand.ask('hi ada@example.org', { stream });
    expect(answer.status).toBe(200);
    const receipt = parseReceipt(answer.headers['x-countersign-receipt']);
    const record = await stand.record(answer);
    expect(receipt).toMatchObject({ log: record.log, seq: String(record.decision?.seq), hash: record.decision?.hash });
    const digest = requestDigest(stand.upstreamBody);
    expect(await isGenuine(receipt, digest)).toBe(true);
    expect(await isGenuine(receipt, requestDigest(`${stand.upstreamBody} `))).toBe(false);
    expect(await isGenuine(receipt, digest, { seq: String(Number(receipt.seq) + 1) })).toBe(false);
    expect(await isGenuine(receipt, digest, { hash: '0'.repeat(64) })).toBe(false);
  },
);

test('a refused call has a receipt too, over nothing sent', async () => {
  const answer = await stand.ask('AKIAQYLPMN5HNM4OZ56B');
  expect(answer.status).toBe(403);
  const receipt = parseReceipt(answer.headers['x-countersign-receipt']);
  expect(receipt.hash).toBe((await stand.record(answer)).decision?.hash);
  expect(await isGenuine(receipt, '0'.repeat(64))).toBe(true);
});

test.each([false, true])(
  'every answer says which call it was, by which policy, and where the time went, streamed: %s',
  async (stream) => {
    const answer = await stand.ask('hi', { stream });
    const [bundle] = (facts(await stand.record(answer)).decision['versions'] as { bundles: { digest: string }[] })
      .bundles;
    expect(answer.headers).toMatchObject({
      'x-countersign-call': expect.stringMatching(/^cs-[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/),
      'x-countersign-policy': bundle?.digest,
    });
    const stages = String(answer.headers['server-timing']).split(', ');
    for (const stage of stages) expect(stage).toMatch(/^[a-z_]+;dur=\d+\.\d{3}$/);
    expect(stages.map((stage) => stage.split(';')[0])).toEqual(
      expect.arrayContaining(['auth', 'parse', 'classify', 'policy', 'enforce', 'record', 'first_byte']),
    );
  },
);

function admin(path: string, token: string): Promise<Answer> {
  return send(stand.gateway.adminUrl, { method: 'GET', path, headers: { authorization: `Bearer ${token}` } });
}

test('the administrator’s view of a call has both entries with their receipts', async () => {
  const answer = await stand.ask('hi ada@example.org');
  const id = String(answer.headers['x-countersign-call']);
  await stand.record(answer);
  const view = await admin(`/api/calls/${id}`, auditor);
  expect(view.status).toBe(200);
  const body = json(view) as { decision: Json; outcome: Json };
  expect(body).toMatchObject({ call: id, open: false, attempts: [], late_outcome: null });
  expect(body.decision).toMatchObject({
    kind: 'decision',
    receipt: answer.headers['x-countersign-receipt'],
    sections: {
      facts: { effect: 'allow', edits: ['redact'] },
      subject: { id: expect.stringMatching(/^key:/) },
      request: { messages: 1 },
      findings: { applied: [{ type: 'EMAIL_ADDRESS', operator: 'tokenize', count: 1 }] },
      content: { kind: 'redacted', body: expect.stringContaining('<EMAIL_ADDRESS>') },
    },
  });
  expect(body.outcome).toMatchObject({ kind: 'outcome', sections: { facts: { status: 'ok', http_status: 200 } } });
  // The outcome's receipt is signed a moment later, over no request.
  await expect
    .poll(async () => (json(await admin(`/api/calls/${id}`, auditor)) as { outcome: Json }).outcome['receipt'], {
      timeout: 20_000,
    })
    .toEqual(expect.any(String));
  const { outcome } = json(await admin(`/api/calls/${id}`, auditor)) as { outcome: Json };
  expect(await isGenuine(parseReceipt(outcome['receipt']), '-')).toBe(true);
});

test('only an auditor of the same tenant sees a call', async () => {
  const id = String((await stand.ask('hi')).headers['x-countersign-call']);
  expect((await admin(`/api/calls/${id}`, reader)).status).toBe(403);
  expect((await admin(`/api/calls/${id}`, stand.key())).status).toBe(403);
  const foreign = await stand.ask('hi', {}, { tenant: 'other' });
  expect((await admin(`/api/calls/${String(foreign.headers['x-countersign-call'])}`, auditor)).status).toBe(404);
  expect((await admin('/api/calls/cs-00000000000000000000000000000000', auditor)).status).toBe(404);
});
