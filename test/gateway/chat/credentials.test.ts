/** Keys and tokens on the running endpoint: what ends them, and what a token's claims become in the ledger. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeKey } from '../../../gateway/access/keys.ts';
import { TestIssuer } from '../access/issuer.ts';
import type { Answer } from './client.ts';
import { contentOf, errorOf, send } from './client.ts';
import { ChatStand, facts, MODEL, section } from './stand.ts';

let stand: ChatStand;
let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  stand = await ChatStand.start({
    tenants: { other: '{}' },
    sections: `
auth:
  jwt:
    issuers:
      - name: idp
        issuer: "${issuer.url}"
        audience: [countersign]
        tenant_claim: org
        tenant_map: { acme: demo, rival: other }
        roles_claim: realm.roles
        role_map: { ai-users: [caller], ai-audit: [auditor] }
        default_roles: []
        groups_claim: groups
        agent_claim: azp
        claims: [dept]
`,
  });
});
afterAll(async () => {
  await stand.stop();
  await issuer.close();
});

function call(token: string, options: { body?: string } = {}): Promise<Answer> {
  const body = options.body ?? JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }] });
  return send(stand.gateway.dataUrl, { body, headers: { authorization: `Bearer ${token}` } });
}

const CLAIMS = {
  org: 'acme',
  realm: { roles: ['ai-users', 'unknown'] },
  groups: ['risk'],
  azp: 'agent-7',
  dept: 'treasury',
};

test('a key that expires stops working when it does', async () => {
  const { token } = await stand.gateway.createKey({ expiresMs: Date.now() + 3000 });
  expect((await call(token)).status).toBe(200);
  await expect.poll(async () => (await call(token)).status, { timeout: 20_000, interval: 200 }).toBe(401);
  expect(errorOf(await call(token))).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' });
});

test('a revoked key is refused within five seconds, without a restart', async () => {
  const { token, id } = await stand.gateway.createKey({});
  expect((await call(token)).status).toBe(200);
  const store = { record: () => Promise.resolve(), now: Date.now };
  await revokeKey(stand.sql, store, { id, tenant: 'demo', by: 'test', reason: null });
  await expect.poll(async () => (await call(token)).status, { timeout: 5000, interval: 100 }).toBe(401);
  const answer = await call(token);
  expect(answer.headers['x-should-retry']).toBe('false');
  expect(answer.headers['x-countersign-receipt']).toBeUndefined();
  expect(answer.text).not.toContain(token);
});

// Before those that fail to authenticate: after twenty of them an address has to wait.
test('the same value of two people has two placeholders', async () => {
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'ada@example.org' }] });
  const seen: (string | undefined)[] = [];
  for (const sub of ['alice', 'bob', 'alice']) {
    expect((await call(await issuer.token({ ...CLAIMS, sub }), { body })).status).toBe(200);
    seen.push(/<EMAIL_ADDRESS_[a-z]+>/.exec(stand.upstreamBody)?.[0]);
  }
  expect(seen[0]).toBeDefined();
  expect(seen[2]).toBe(seen[0]);
  expect(seen[1]).not.toBe(seen[0]);
});

test.each([
  ['nothing', {}],
  ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ['an empty bearer', { authorization: 'Bearer ' }],
  ['a provider’s key', { authorization: 'Bearer sk-proj-123' }],
  ['two different keys', { authorization: 'Bearer cs_a', 'x-api-key': 'cs_b' }],
  ['an unsigned token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.' }],
])('%s does not authenticate', async (_, headers) => {
  const before = stand.mock.counters.requests;
  const answer = await send(stand.gateway.dataUrl, { body: '{}', headers });
  expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'invalid_api_key']);
  expect(stand.mock.counters.requests).toBe(before);
});

test('one wrong character of the secret is a wrong key', async () => {
  const key = stand.key();
  const last = key.endsWith('A') ? 'B' : 'A';
  expect((await call(key.slice(0, -1) + last)).status).toBe(401);
  expect((await call(`${key}A`)).status).toBe(401);
});

test('a bearer token calls, and its claims are the subject of the entry', async () => {
  const answer = await call(await issuer.token({ ...CLAIMS, act: { sub: 'orchestrator', act: { sub: 'cron' } } }));
  expect([answer.status, contentOf(answer)]).toEqual([200, 'Hello from the mock model.']);
  const record = await stand.record(answer);
  expect(facts(record).decision).toMatchObject({ effect: 'allow' });
  expect(record.decision?.sections['subject']).toEqual({
    type: 'user',
    id: 'idp:alice',
    credential: 'jwt',
    key: null,
    roles: ['caller'],
    groups: ['risk'],
    actors: ['idp:orchestrator', 'idp:cron'],
    agent: { id: 'agent-7' },
    claims: { dept: 'treasury' },
  });
  const input = section(record.decision, 'input');
  expect(input['base']).toMatchObject({ tenant: { id: 'demo' }, principal: { id: 'idp:alice', groups: ['risk'] } });
});

test('the tenant comes from the token: another claim, another log', async () => {
  const answer = await call(await issuer.token({ ...CLAIMS, org: 'rival' }));
  expect(answer.status).toBe(200);
  expect((await stand.record(answer, 'other')).log).not.toBe((await stand.record(await call(stand.key()))).log);
});

test('a token of a person who may not call models is authenticated, refused and recorded', async () => {
  const answer = await call(await issuer.token({ ...CLAIMS, realm: { roles: ['ai-audit'] } }));
  expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'not_allowed']);
  const record = await stand.record(answer);
  expect(facts(record).decision).toMatchObject({ effect: 'refused', code: 'not_allowed', model: null });
  expect(record.decision?.sections['subject']).toMatchObject({ id: 'idp:alice', roles: ['auditor'] });
});

const past = (): number => Math.floor(Date.now() / 1000) - 7200;

test.each<[string, object]>([
  ['for another audience', { aud: 'somebody-else' }],
  ['of a tenant that is not ours', { org: 'nobody' }],
  ['without a tenant', { org: undefined }],
  ['without a subject', { sub: undefined }],
  ['that has expired', { iat: past() - 60, exp: past() }],
  ['of another issuer', { iss: 'https://evil.example.org' }],
])('a token %s is refused', async (_, change) => {
  const answer = await call(await issuer.token({ ...CLAIMS, ...change }));
  expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'invalid_api_key']);
});
