import { afterAll, beforeAll, expect, test } from 'vitest';
import { blindIndex } from '../../../ledger/index.ts';
import { decisionItem, newCall } from '../../support/ledger.ts';
import { AdminStand, type Answer } from './stand.ts';

let stand: AdminStand;
let admin: { id: string; token: string };
let approver: { id: string; token: string };
let auditor: { id: string; token: string };
beforeAll(async () => {
  stand = await AdminStand.start();
  admin = await stand.key('demo', ['tenant-admin']);
  approver = await stand.key('_deployment', ['approver']);
  auditor = await stand.key('demo', ['auditor']);
});
afterAll(() => stand.close());

const MAIL = 'eve@example.org';
const EVE = { type: 'EMAIL_ADDRESS', value: 'Eve@Example.org' };

async function call(subject: string): Promise<string> {
  const id = newCall();
  const index = blindIndex(stand.keys, 'demo', [{ type: 'EMAIL_ADDRESS', value: MAIL }]);
  const findings = { found: [{ type: 'EMAIL_ADDRESS', count: 1 }], index };
  const { sections } = decisionItem(id);
  await stand.ledger.append(decisionItem(id, { subject, open: false, sections: { ...sections, findings } }));
  return id;
}

const post = (path: string, token: string, body: object): Promise<Answer> => stand.call('POST', path, token, body);

function approvalOf({ status, body }: Answer): string {
  expect(status).toBe(403);
  const { code, approval } = body['error'] as { code: string; approval: { id: string } };
  expect(code).toBe('approval_required');
  return approval.id;
}

async function approve(id: string, token = approver.token): Promise<number> {
  return (await post(`/api/approvals/${id}/approve`, token, {})).status;
}

test('finding lists entries and keys, names nobody, and is an entry itself', async () => {
  const id = await call('user:ada');
  const { status, body, text } = await post('/api/erasures/find', admin.token, EVE);
  expect(status).toBe(200);
  expect(body).toMatchObject({ matches: 1, unknown: 0, entries: [{ call: id }] });
  expect(body['keys']).toMatchObject([
    { seals: 'decision', matches: 1 },
    { seals: 'outcome', matches: 0 },
  ]);
  expect(text).not.toContain(MAIL);
  expect((await stand.facts('access', 'demo')).at(-1)).toMatchObject({ verb: 'erasure.find', effect: 'allow' });
  expect((await post('/api/erasures/find', auditor.token, EVE)).status).toBe(403);
  expect((await post('/api/erasures/find', admin.token, { ...EVE, subject: 'user:ada' })).status).toBe(400);
  expect((await post('/api/erasures/find', admin.token, { ...EVE, tenant: 'other' })).status).toBe(403);
});

test('an erasure takes a second person, happens once, and is evidence without the value', async () => {
  await call('user:bob');
  const wish = { subject: 'user:bob', basis: 'gdpr-17-1-b', reason: 'request 114' };
  const id = approvalOf(await post('/api/erasures', admin.token, wish));
  expect(await approve(id, admin.token)).toBe(403);
  expect(approvalOf(await post('/api/erasures', admin.token, wish))).toBe(id);
  expect(await approve(id)).toBe(200);
  // Another wish is not approved by it.
  approvalOf(await post('/api/erasures', admin.token, { ...wish, basis: 'other' }));
  const { status, body } = await post('/api/erasures', admin.token, wish);
  expect([status, (body['erased'] as { keys: string[] }).keys.length]).toEqual([200, 2]);
  const [facts] = (await stand.facts('erasure', 'demo')).slice(-1);
  expect(facts).toMatchObject({ scope: 'subject', basis: 'gdpr-17-1-b', approval: id, approvers: 2, entries: 1 });
  const again = await post('/api/erasures', admin.token, wish);
  expect([again.status, again.body['erased']]).toEqual([200, null]);
  const stored = await stand.sql`select subject::text as subject from approvals.requests`;
  expect(JSON.stringify([stored, stand.events, stand.logLines])).not.toContain('user:bob');
  expect((await post('/api/erasures', auditor.token, wish)).status).toBe(403);
});

test('a new month of the same person needs a new approval: it holds for exactly these keys', async () => {
  await call('user:cyd');
  const wish = { ...EVE, basis: 'other', reason: 'request 115' };
  expect(await approve(approvalOf(await post('/api/erasures', admin.token, wish)))).toBe(200);
  await call('user:dan');
  approvalOf(await post('/api/erasures', admin.token, wish));
});

test('a hold blocks erasing until two people release it', async () => {
  await call('user:fay');
  const hold = await post('/api/holds', auditor.token, { subject: 'user:fay', reason: 'case 1' });
  expect(hold.status).toBe(201);
  const id = String(hold.body['id']);
  const wish = { subject: 'user:fay', basis: 'other', reason: 'request 116' };
  const blocked = await post('/api/erasures', admin.token, wish);
  expect([blocked.status, blocked.text.includes(id)]).toEqual([409, true]);
  const listed = await stand.call('GET', '/api/holds', auditor.token);
  expect(listed.body['holds']).toMatchObject([{ id, scope: 'subject', reason: 'case 1' }]);
  const release = (): Promise<Answer> => post(`/api/holds/${id}/release`, admin.token, { reason: 'closed' });
  expect(await approve(approvalOf(await release()))).toBe(200);
  expect((await release()).status).toBe(200);
  expect((await release()).status).toBe(404);
  expect((await stand.facts('hold', 'demo')).map(({ action }) => action)).toEqual(['add', 'release']);
  approvalOf(await post('/api/erasures', admin.token, wish));
});
