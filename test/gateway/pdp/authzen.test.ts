import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

/** AuthZEN Authorization API 1.0 (openid.net/specs/authorization-api-1_0.html), asked as an enforcement point would. */
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway(`
providers: { s: { kind: sandbox, region: us }, e: { kind: sandbox, region: eu } }
models:
  - { name: sandbox, deployments: [{ provider: s, model: echo }, { provider: e, model: echo }] }
  - { name: gated, deployments: [{ provider: s, model: gated }] }
  - { name: hidden, deployments: [{ provider: s, model: hidden }] }
tenants:
  - { id: demo, models: [sandbox, gated], parameters: { regions: [eu], models: [echo, gated, sandbox] } }
`);
}, 120_000);

afterAll(() => gateway.stop());

interface Decided {
  readonly decision: boolean;
  readonly context: Record<string, unknown>;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.dataUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, json: (await response.json()) as unknown };
}

async function evaluate(body: unknown): Promise<Decided> {
  const { status, json } = await post('/access/v1/evaluation', body);
  expect(status).toBe(200);
  return json as Decided;
}

async function evaluateAll(body: unknown): Promise<Decided[]> {
  const { status, json } = await post('/access/v1/evaluations', body);
  expect(status).toBe(200);
  return (json as { evaluations: Decided[] }).evaluations;
}

const subject = { type: 'user', id: 'alice@example.com' };
const action = { name: 'model.request' };
const model = (id: string) => ({ type: 'model', id });
const yes = { subject, action, resource: model('sandbox') };
const no = { ...yes, resource: model('gated') };

test('a model is allowed where a request for it would be, with the deployments and what has to be performed', async () => {
  const { decision, context } = await evaluate(yes);
  expect(decision).toBe(true);
  expect(context).toMatchObject({
    effect: 'allow',
    deployments: ['e/echo'],
    obligations: [{ type: 'record', content: 'redacted' }],
  });
});

test('a model is denied with a reason for its user and one for administrators', async () => {
  const { decision, context } = await evaluate(no);
  expect(decision).toBe(false);
  expect(context).toMatchObject({
    effect: 'deny',
    reason_admin: { en: expect.stringContaining('residency.') as string },
    reason_user: { en: expect.any(String) as string },
  });
  expect(context['obligations']).toBeUndefined();
  expect(await evaluate({ ...yes, resource: model('hidden') })).toMatchObject({ decision: false });
});

test('what no rule is written for is denied', async () => {
  const asked = {
    subject,
    action: { name: 'can_read' },
    resource: { type: 'todo', id: '1', properties: { due: 1.5 } },
  };
  expect(await evaluate(asked)).toMatchObject({
    decision: false,
    context: { reason_admin: { en: /main\.point/ as unknown } },
  });
});

test('a batch fills in defaults, and answers in order', async () => {
  const answers = await evaluateAll({
    subject,
    action,
    evaluations: [
      { resource: model('sandbox') },
      { resource: model('gated') },
      { action: { name: 'x' }, resource: model('a') },
    ],
  });
  expect(answers.map(({ decision }) => decision)).toEqual([true, false, false]);
});

test.each([
  ['execute_all', [yes, no, yes], [true, false, true]],
  ['deny_on_first_deny', [yes, no, yes], [true, false]],
  ['permit_on_first_permit', [no, yes, no], [false, true]],
])('%s', async (semantic, evaluations, expected) => {
  const answers = await evaluateAll({ evaluations, options: { evaluations_semantic: semantic } });
  expect(answers.map(({ decision }) => decision)).toEqual(expected);
});

test('a question of a batch that cannot be read denies itself only', async () => {
  const answers = await evaluateAll({
    subject,
    evaluations: [{ resource: model('sandbox') }, { action, resource: model('sandbox') }],
  });
  expect(answers).toMatchObject([{ decision: false, context: { error: { status: 400 } } }, { decision: true }]);
});

test('without a list the batch endpoint answers one question', async () => {
  for (const body of [yes, { ...yes, evaluations: [] }]) {
    expect(await post('/access/v1/evaluations', body)).toMatchObject({ status: 200, json: { decision: true } });
  }
});

test('errors are a status and a text, and the request id comes back', async () => {
  const bad = await post('/access/v1/evaluation', { subject }, { 'x-request-id': 'bfe9eb29' });
  expect(bad.status).toBe(400);
  expect(bad.json).toEqual(expect.stringContaining('action'));
  expect(bad.headers.get('x-request-id')).toBe('bfe9eb29');
  expect((await post('/access/v1/evaluation', '{')).status).toBe(400);
  const { status } = await post('/access/v1/evaluation', yes, { authorization: 'Bearer cs_wrong' });
  expect(status).toBe(401);
  const many = { evaluations: Array.from({ length: 101 }, () => yes) };
  expect((await post('/access/v1/evaluations', many)).status).toBe(400);
});

test('the metadata names the endpoints as the client reached them', async () => {
  const response = await fetch(`${gateway.dataUrl}/.well-known/authzen-configuration`);
  expect(await response.json()).toEqual({
    policy_decision_point: gateway.dataUrl,
    access_evaluation_endpoint: `${gateway.dataUrl}/access/v1/evaluation`,
    access_evaluations_endpoint: `${gateway.dataUrl}/access/v1/evaluations`,
  });
});

test('each question of a batch is a decision entry of its own, in the log before the answer', async () => {
  const answers = await evaluateAll({ evaluations: [yes, no] });
  const sql = gateway.database.connectAdmin(1);
  for (const { decision, context } of answers) {
    const [row] = await sql<
      { facts: string }[]
    >`select facts from ledger.entries where call = ${String(context['id'])}`;
    const facts = JSON.parse(row?.facts ?? '{}') as Record<string, unknown>;
    expect(facts).toMatchObject({ api: 'authzen', effect: decision ? 'allow' : 'deny', applied: 'answered' });
    expect(row?.facts).not.toContain('alice');
  }
  const [open] = await sql<{ n: number }[]>`select count(*)::int as n from ledger.open_calls`;
  expect(open?.n).toBe(0);
});
