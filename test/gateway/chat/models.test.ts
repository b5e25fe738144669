/** Which models a key may use, and that the list, the calls and the entries agree on it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf, json, send } from './client.ts';
import { ChatStand, facts } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    models: [
      '{ name: org/with/slashes, deployments: [{ provider: mock, model: m2 }] }',
      '{ name: far, deployments: [{ provider: mock, model: m3, region: us }] }',
      '{ name: near-or-far, deployments: [{ provider: mock, model: m3, region: us }, { provider: mock, model: m4 }] }',
      '{ name: reviewed, deployments: [{ provider: mock, model: m5 }] }',
    ],
    tenants: {
      european: '{ regions: [eu] }',
      picky: '{ models: ["org/*", "mock/m5"] }',
      careful: '{ approval: { models: [reviewed] } }',
    },
  });
});
afterAll(() => stand.stop());

async function listed(tenant: string, key = stand.key(tenant)): Promise<unknown[]> {
  const answer = await stand.send({ method: 'GET', path: '/v1/models', headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  expect(json(answer)).toMatchObject({ object: 'list' });
  return (json(answer)['data'] as { id: unknown }[]).map(({ id }) => id);
}

const ALL = ['mock-model', 'org/with/slashes', 'far', 'near-or-far', 'reviewed'];

test.each([
  ['demo', ALL],
  ['european', ['mock-model', 'org/with/slashes', 'near-or-far', 'reviewed']],
  ['picky', ['org/with/slashes', 'reviewed']],
  ['careful', ALL],
])('tenant %s lists exactly what policy would let it call', async (tenant, expected) => {
  expect(await listed(tenant)).toEqual(expected);
  for (const model of ALL) {
    const answer = await stand.ask('hi', { model }, { tenant });
    const allowed = expected.includes(model) && !(tenant === 'careful' && model === 'reviewed');
    expect([tenant, model, answer.status]).toEqual([tenant, model, allowed ? 200 : 403]);
    const { decision } = facts(await stand.record(answer, tenant));
    expect(decision['effect']).toBe(allowed ? 'allow' : tenant === 'careful' ? 'require_approval' : 'deny');
  }
});

test('one model by its name, slashes and all', async () => {
  const get = (path: string) => stand.send({ method: 'GET', path });
  expect(json(await get('/v1/models/org/with/slashes'))).toEqual({
    id: 'org/with/slashes',
    object: 'model',
    created: 0,
    owned_by: 'mock',
  });
  expect((await get('/v1/models/org%2Fwith%2Fslashes')).status).toBe(200);
  expect((await get('/models/mock-model')).status).toBe(200);
  const missing = await get('/v1/models/gpt-nowhere');
  expect([missing.status, errorOf(missing)['code']]).toEqual([404, 'model_not_found']);
});

test('a model another tenant has is no different from one that does not exist', async () => {
  const hidden = await stand.send({ tenant: 'picky', method: 'GET', path: '/v1/models/far' });
  const missing = await stand.send({ tenant: 'picky', method: 'GET', path: '/v1/models/gpt-nowhere' });
  expect([hidden.status, hidden.text]).toEqual([missing.status, missing.text]);
});

test('a key for some models lists and calls those only', async () => {
  const { token, id } = await stand.gateway.createKey({ models: ['far', 'gone'] });
  expect(await listed('demo', token)).toEqual(['far']);
  const headers = { authorization: `Bearer ${token}` };
  expect((await stand.ask('hi', { model: 'far' }, { headers })).status).toBe(200);
  const answer = await stand.ask('hi', {}, { headers });
  expect(answer.status).toBe(403);
  expect(errorOf(answer)).toMatchObject({ code: 'model_not_allowed', type: 'permission_error', param: 'model' });
  expect(answer.headers['x-should-retry']).toBe('false');
  const record = await stand.record(answer);
  expect(facts(record).decision).toMatchObject({ effect: 'refused', code: 'model_not_allowed' });
  expect(record.decision?.sections['subject']).toMatchObject({ key: id, id: `key:${id}` });
});

test('a key without the role caller sees no models and may call none', async () => {
  const { token } = await stand.gateway.createKey({ roles: ['auditor'] });
  const headers = { authorization: `Bearer ${token}` };
  expect(await listed('demo', token)).toEqual([]);
  const answer = await stand.ask('hi', {}, { headers });
  expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'not_allowed']);
});

test('the list needs a key', async () => {
  const answer = await send(stand.gateway.dataUrl, { method: 'GET', path: '/v1/models' });
  expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'invalid_api_key']);
});

test('policy narrows the route: only the allowed deployment is called', async () => {
  const answer = await stand.ask('hi', { model: 'near-or-far' }, { tenant: 'european' });
  expect(answer.status).toBe(200);
  expect(JSON.parse(stand.upstreamBody)).toMatchObject({ model: 'm4' });
  expect(json(answer)['model']).toBe('near-or-far');
  const { decision, outcome } = facts(await stand.record(answer, 'european'));
  expect(decision).toMatchObject({
    candidates: [
      { deployment: 'mock/m3', effect: 'deny' },
      { deployment: 'mock/m4', effect: 'allow' },
    ],
    allowed: [{ deployment: 'mock/m4' }],
  });
  expect(outcome).toMatchObject({ deployment: 'mock/m4' });
});

test('a model that needs an approval is not called, and the SDK is told not to repeat it', async () => {
  const before = stand.mock.counters.requests;
  const answer = await stand.ask('hi', { model: 'reviewed' }, { tenant: 'careful' });
  expect(errorOf(answer)).toMatchObject({ code: 'approval_required', type: 'approval_required' });
  expect(answer.headers['x-should-retry']).toBe('false');
  expect(stand.mock.counters.requests).toBe(before);
});
