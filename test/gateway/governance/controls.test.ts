import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertChange } from '../../../gateway/governance/change.ts';
import { requireWaivable } from '../../../gateway/governance/waivable.ts';
import { signWaiver, type Signer, type Unsigned } from '../../../gateway/governance/waiver.ts';
import { openTestLedger } from '../../support/ledger.ts';
import { GovernedStand } from './stand.ts';

/** Kill switches, waivers, broken glass and observing, as administrators use them on a running gateway. */
let stand: GovernedStand;

beforeAll(async () => {
  stand = await GovernedStand.start(`
providers: { s: { kind: sandbox } }
models:
  - { name: sandbox, deployments: [{ provider: s, model: echo }] }
  - { name: gated, deployments: [{ provider: s, model: gated }] }
tenants: [{ id: demo, parameters: { models: [sandbox, echo] } }, { id: other }]
`);
}, 120_000);

afterAll(() => stand.gateway.stop());

const gated = { model: 'gated' };
const in10Minutes = (): string => new Date(Date.now() + 600_000).toISOString();
const tool = (name: string) => ({ type: 'function', function: { name, parameters: {} } });

test('a switch stops a tenant with one command of one person; two let it go on', async () => {
  expect((await stand.chat()).status).toBe(200);
  const thrown = await stand.as('approver', 'POST', '/api/switches', {
    tenant: 'demo',
    kind: 'tenant',
    reason: 'drill',
  });
  expect(thrown.status).toBe(201);
  const stopped = await stand.chat();
  expect(stopped).toMatchObject({ status: 403, body: { error: { code: 'policy_denied' } } });
  expect(await stand.factsOf(stopped.call, 'decision')).toMatchObject({ effect: 'deny', rules: ['switch.tenant'] });
  const { id } = thrown.body;
  expect(await stand.as('admin', 'GET', '/api/switches?tenant=demo')).toMatchObject({ body: { switches: [{ id }] } });
  const release = { tenant: 'demo', reason: 'drill over' };
  expect((await stand.withTwo('admin', `/api/switches/${String(id)}/release`, release)).status).toBe(200);
  expect((await stand.chat()).status).toBe(200);
  const actions = (await stand.facts('policy')).map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(['switch.thrown', 'switch.released']));
});

test('a switch for all tenants names a model, one for an agent its key, one for a tool takes it away', async () => {
  const { token } = await stand.gateway.createKey({ name: 'bot', agent: 'bot' });
  expect((await stand.chat({}, token)).status).toBe(200);
  const on = (body: object) => stand.as('author', 'POST', '/api/switches', { reason: 'drill', ...body });
  const ids = [
    ['demo', await on({ tenant: 'demo', kind: 'agent', target: 'bot' })],
    ['', await on({ kind: 'model', target: 'gated' })],
    ['demo', await on({ tenant: 'demo', kind: 'tool', target: 'wire' })],
  ] as const;
  expect((await stand.chat({}, token)).status).toBe(403);
  expect((await stand.chat()).status).toBe(200);
  const { call } = await stand.chat(gated);
  expect(await stand.factsOf(call, 'decision')).toMatchObject({ rules: ['models.allow_list', 'switch.model'] });
  const tools = await stand.chat({ tools: [tool('wire'), tool('read')] });
  expect(tools.status).toBe(200);
  expect(await stand.factsOf(tools.call, 'decision')).toMatchObject({
    edits: expect.arrayContaining(['strip_tools']) as unknown,
  });
  for (const [tenant, { body }] of ids) {
    const release = { ...(tenant === '' ? {} : { tenant }), reason: 'over' };
    expect((await stand.withTwo('admin', `/api/switches/${String(body['id'])}/release`, release)).status).toBe(200);
  }
  expect((await stand.chat({}, token)).status).toBe(200);
});

test('a waiver lifts one rule for its time, after a second person', async () => {
  expect((await stand.chat(gated)).status).toBe(403);
  const wish = {
    tenant: 'demo',
    rule: 'models.allow_list',
    scope: 'model:gated',
    until: in10Minutes(),
    reason: 'pilot',
  };
  const made = await stand.withTwo('author', '/api/waivers', wish);
  expect(made.status).toBe(201);
  const { call, status } = await stand.chat(gated);
  expect(status).toBe(200);
  expect(await stand.factsOf(call, 'decision')).toMatchObject({
    effect: 'allow',
    labels: [`waiver:${String(made.body['id'])}:models.allow_list`],
  });
  expect((await stand.as('author', 'POST', '/api/waivers', { ...wish, until: '2020-01-01T00:00:00Z' })).status).toBe(
    400,
  );
  const end = await stand.as('approver', 'POST', `/api/waivers/${String(made.body['id'])}/end`, { tenant: 'demo' });
  expect(end.status).toBe(200);
  expect((await stand.chat(gated)).status).toBe(403);
});

test.each([
  ['secrets.outbound', 'Expected a rule that a waiver may lift, found secrets.outbound, which is critical.'],
  [
    'models.allowlist',
    "Expected a rule of the tenant's policies, as the reasons of a denial name it, found another name.",
  ],
])('a waiver or broken glass of %s is refused before anybody is asked', async (rule, message) => {
  const wish = { tenant: 'demo', rule, reason: 'mine' };
  for (const [path, more] of [
    ['/api/waivers', { until: in10Minutes() }],
    ['/api/break-glass', {}],
  ] as const) {
    const { status, body } = await stand.as('author', 'POST', path, { ...wish, ...more });
    expect([status, body]).toMatchObject([400, { error: { code: 'invalid_request', param: 'rule', message } }]);
  }
});

test('a waiver is not refused where the names of rules are not known', () => {
  for (const bundles of [null, [[]]]) expect(requireWaivable('any.rule', bundles)).toBeUndefined();
});

test('whoever asks for a waiver does not approve it', async () => {
  const wish = { tenant: 'demo', rule: 'models.allow_list', until: in10Minutes(), reason: 'mine' };
  const asked = await stand.as('author', 'POST', '/api/waivers', wish);
  const { approval } = (asked.body['error'] ?? {}) as { approval: { id: string } };
  expect((await stand.as('author', 'POST', `/api/approvals/${approval.id}/approve`, {})).status).toBe(403);
  expect((await stand.as('auditor', 'POST', '/api/waivers', wish)).status).toBe(403);
  expect((await stand.chat(gated)).status).toBe(403);
});

test('broken glass lets through at once, and stays open until somebody else has looked', async () => {
  const wish = { tenant: 'demo', rule: 'models.allow_list', minutes: 5, reason: 'outage of the other model' };
  const broken = await stand.as('admin', 'POST', '/api/break-glass', wish);
  expect(broken.status).toBe(201);
  expect((await stand.chat(gated)).status).toBe(200);
  const path = `/api/break-glass/${String(broken.body['id'])}/review`;
  const listed = await stand.as('auditor', 'GET', '/api/waivers?tenant=demo');
  expect(listed.body).toMatchObject({ to_review: [{ id: broken.body['id'], reason: wish.reason }] });
  const end = await stand.as('admin', 'POST', `/api/waivers/${String(broken.body['id'])}/end`, { tenant: 'demo' });
  expect([end.status, (await stand.chat(gated)).status]).toEqual([200, 403]);
  const ended = await stand.as('auditor', 'GET', '/api/waivers?tenant=demo');
  expect(ended.body).toMatchObject({ waivers: [], to_review: [{ id: broken.body['id'] }] });
  expect((await stand.as('admin', 'POST', path, { tenant: 'demo', finding: 'fine' })).status).toBe(403);
  expect((await stand.as('auditor', 'POST', path, { tenant: 'demo', finding: 'justified' })).status).toBe(200);
  expect((await stand.as('auditor', 'GET', '/api/waivers?tenant=demo')).body).toEqual({ waivers: [], to_review: [] });
  expect((await stand.chat(gated)).status).toBe(403);
});

test('a tenant that observes is not refused, and the entry says what would have been', async () => {
  const wish = { tenant: 'demo', until: in10Minutes(), reason: 'onboarding' };
  expect((await stand.withTwo('admin', '/api/policy/observe', wish)).status).toBe(200);
  const { call, status } = await stand.chat(gated);
  expect(status).toBe(200);
  expect(await stand.factsOf(call, 'decision')).toMatchObject({
    mode: 'observe',
    effect: 'deny',
    applied: 'allow',
    rules: ['models.allow_list'],
  });
  const secret = { messages: [{ role: 'user', content: 'key AKIAIOSFODNN7EXAMPLE' }] };
  const echoed = await stand.chat(secret);
  expect(echoed.status).toBe(200);
  expect(JSON.stringify(echoed.body)).not.toContain('AKIAIOSFODNN7EXAMPLE');
  expect((await stand.as('author', 'POST', '/api/policy/observe/end', { tenant: 'demo' })).status).toBe(200);
  expect((await stand.chat(gated)).status).toBe(403);
});

test('the report says what would have been blocked, what was waived and what was stopped', async () => {
  const { status, body } = await stand.as('auditor', 'GET', '/api/policy/report?tenant=demo&days=1');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    tenant: 'demo',
    would_have_blocked: { calls: 2, by_rule: { 'models.allow_list': 1, 'secrets.outbound': 1 } },
    switched_off: { tenant: 1, agent: 1, model: 1 },
  });
  const waived = Object.entries(body['waived'] as Record<string, number>);
  expect(waived.map(([name, count]) => [name.slice(0, 3), count])).toEqual([
    ['wv-', 1],
    ['bg-', 1],
  ]);
});

test('a switch that another process wrote is heard of', async () => {
  const { gateway } = stand;
  await gateway.keys.tenantKey('_deployment');
  const key = `ks-${'1'.repeat(32)}`;
  const value = { kind: 'tenant' as const, target: '', reason: 'elsewhere', by: 'cli:ops', at_ms: Date.now() };
  const write = (id: string, state: typeof value | null) =>
    gateway.database
      .connectGateway(1)
      .begin((tx) => insertChange(tx, gateway.keys, { kind: 'switch', tenant: 'demo', key, id, value: state }));
  await write(key, value);
  await stand.untilChat(403);
  await write(`kr-${'1'.repeat(32)}`, null);
  await stand.untilChat(200);
});

/** A waiver as a process with the root key could write it: the MAC fits whatever the signature says. */
async function writeWaiver(id: string, change: Partial<Unsigned>, signer?: Signer): Promise<void> {
  const { gateway } = stand;
  const desk = await openTestLedger(gateway.database, { origin: gateway.config.ledger.origin });
  const unsigned: Unsigned = {
    rule: 'models.allow_list',
    scope: 'model:gated',
    expires_ms: Date.now() + 600_000,
    break_glass: false,
    reason: 'test',
    by: 'ada',
    by_identities: ['ada'],
    approved_by: 'grace',
    reviewed_by: null,
    ...change,
  };
  const { value } = signWaiver(signer ?? desk.ledger, 'demo', id, unsigned);
  const row = { kind: 'waiver', tenant: 'demo', key: id, id, value } as const;
  await desk.sql.begin((tx) => insertChange(tx, gateway.keys, row));
  await desk.ledger.close();
}

test('a waiver that is forged, has expired, or is about something else lifts nothing', async () => {
  const { gateway } = stand;
  await gateway.keys.tenantKey('_deployment');
  const id = (digit: string): string => `wv-${digit.repeat(32)}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  const [writer] = await gateway.database.connectAdmin(1)<{ wid: string }[]>`select wid from ledger.writers limit 1`;
  const forger = {
    wid: writer?.wid ?? '',
    signStatement: (_kind: string, said: object) =>
      sign(null, Buffer.from(JSON.stringify(said)), privateKey).toString('base64url'),
  };
  await writeWaiver(id('2'), {}, forger);
  await writeWaiver(id('3'), { expires_ms: Date.now() - 1000 });
  await writeWaiver(id('4'), { scope: 'model:sandbox' });
  await writeWaiver(id('5'), { scope: 'agent:bot' });
  await writeWaiver(id('6'), { rule: 'secrets.outbound' });
  const listed = async (): Promise<string[]> => {
    const { body } = await stand.as('auditor', 'GET', '/api/waivers?tenant=demo');
    return (body['waivers'] as { id: string }[]).map((each) => each.id);
  };
  expect(await listed()).toEqual([id('4'), id('5'), id('6')]);
  expect((await stand.chat(gated)).status).toBe(403);
  await writeWaiver(id('7'), {});
  expect(await listed()).toEqual([id('4'), id('5'), id('6'), id('7')]);
  expect((await stand.chat(gated)).status).toBe(200);
  for (const digit of ['4', '5', '6', '7'])
    expect((await stand.as('admin', 'POST', `/api/waivers/${id(digit)}/end`, { tenant: 'demo' })).status).toBe(200);
  expect((await stand.chat(gated)).status).toBe(403);
});

test('a row that another hand wrote into the database is not believed', async () => {
  const sql = stand.gateway.database.connectAdmin(1);
  const value = { until_ms: Date.now() + 600_000, by: 'nobody', approved_by: 'nobody' };
  await sql`
    insert into governance.changes (revision, id, kind, tenant, key, value, mac)
    values (0, ${`ob-${'0'.repeat(32)}`}, 'observe', 'demo', 'mode', ${JSON.stringify(value)}, ${Buffer.alloc(32)})`;
  await expect(sql`update governance.changes set tenant = 'other'`).rejects.toThrow();
  const thrown = await stand.as('author', 'POST', '/api/switches', {
    tenant: 'other',
    kind: 'tenant',
    reason: 'later row',
  });
  expect(thrown.status).toBe(201);
  expect((await stand.chat(gated)).status).toBe(403);
});
