import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileRego, findTools, required } from '../../policies/toolchain.ts';
import { GovernedStand } from './stand.ts';

/** From an author's bundle to what decides, tried beside it, and back. */
const tools = await findTools();
const run = test.skipIf(tools === null);
let stand: GovernedStand;

beforeAll(async () => {
  stand = await GovernedStand.start(`
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo }, { id: other }]
`);
}, 120_000);

afterAll(() => stand.gateway.stop());

/** A bundle that denies requests of more than so many messages. */
async function bundleFor(most: number): Promise<{ archive: string; digest: string }> {
  const bundle = await compileRego(
    required(tools),
    'own',
    `# METADATA
# entrypoint: true
decision := {"effect": effect, "reasons": reasons, "obligations": [], "user_message": ""}

default effect := "allow"

effect := "deny" if count(reasons) > 0

reasons := [reason | some reason in deny]

deny contains {
	"rule": "own.messages", "title": "Too many", "message": "Too many messages.", "severity": "low", "controls": [], "path": "",
} if input.request.messages > ${most}`,
  );
  return { archive: Buffer.from(bundle.archive).toString('base64'), digest: bundle.identity.digest };
}

const two = { messages: ['a', 'b'].map((content) => ({ role: 'user', content })) };
const report = 'ab'.repeat(32);

/** What was recorded about candidates, by call. */
async function comparisons(): Promise<Map<unknown, Record<string, unknown>>> {
  const entries = (await stand.facts('policy')).filter(({ action }) => action === 'shadow_compared');
  const calls = entries.flatMap(({ bundles, calls: each }) =>
    (each as Record<string, unknown>[]).map((one): [unknown, Record<string, unknown>] => [
      one['call'],
      { ...one, bundles },
    ]),
  );
  return new Map(calls);
}

run('a release takes an author, an approver, and then decides everywhere; the way back is one command', async () => {
  const { archive, digest } = await bundleFor(1);
  const wish = { tenant: 'demo', bundle: 'own', archive, report };
  expect((await stand.as('approver', 'POST', '/api/policy/releases', wish)).status).toBe(403);
  const asked = await stand.as('author', 'POST', '/api/policy/releases', wish);
  const { approval } = asked.body['error'] as { approval: { id: string } };
  const path = `/api/policy/releases/${approval.id}/approve`;
  expect((await stand.as('author', 'POST', path)).status).toBe(403);
  expect((await stand.chat(two)).status).toBe(200);
  expect(await stand.as('approver', 'POST', path)).toMatchObject({ status: 200 });
  const denied = await stand.chat(two);
  expect(denied.status).toBe(403);
  expect(await stand.factsOf(denied.call, 'decision')).toMatchObject({
    rules: ['own.messages'],
    versions: { bundles: [{ name: 'baseline' }, { name: 'own', digest }] },
  });
  expect((await stand.facts('policy')).at(-1)).toMatchObject({
    action: 'activated',
    bundle: 'own',
    digest,
    report,
    wasm: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    data: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    source: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    compiler: { opa: expect.any(String) as string },
    approval: approval.id,
    previous: null,
  });
  const status = await stand.as('auditor', 'GET', '/api/policy/status?tenant=demo');
  expect(status.body).toMatchObject({ tenants: [{ tenant: 'demo', releases: [{ bundle: 'own', digest }] }] });

  const next = await bundleFor(5);
  const second = { tenant: 'demo', bundle: 'own', archive: next.archive };
  expect((await stand.withTwo('author', '/api/policy/releases', second)).status).toBe(200);
  expect((await stand.chat(two)).status).toBe(200);
  const back = { tenant: 'demo', bundle: 'own', reason: 'too lax' };
  expect(await stand.as('author', 'POST', '/api/policy/rollback', back)).toMatchObject({ body: { digest } });
  expect((await stand.chat(two)).status).toBe(403);
  expect(await stand.as('author', 'POST', '/api/policy/rollback', back)).toMatchObject({ body: { digest: null } });
  expect((await stand.chat(two)).status).toBe(200);
  expect((await stand.as('author', 'POST', '/api/policy/rollback', back)).status).toBe(409);
});

run('a candidate decides beside the active policies and is only recorded', async () => {
  const { archive, digest } = await bundleFor(1);
  const wish = { tenant: 'demo', bundle: 'own', archive, stage: 'shadow' };
  expect((await stand.withTwo('author', '/api/policy/releases', wish)).status).toBe(200);
  const { call, status } = await stand.chat(two);
  expect(status).toBe(200);
  const same = await stand.chat();
  const refused = await stand.chat({ messages: [{ role: 'user', content: 'AKIAIOSFODNN7EXAMPLE' }] });
  // Written together, after the callers have their answers.
  await expect.poll(async () => (await comparisons()).size, { timeout: 20_000 }).toBe(3);
  const compared = await comparisons();
  const own = { bundles: [{ bundle: 'own', digest }] };
  expect(compared.get(call)).toEqual({ ...own, call, effect: 'deny', same: false, rules: ['own.messages'] });
  expect(compared.get(same.call)).toMatchObject({ ...own, effect: 'allow', same: true });
  expect(compared.get(refused.call)).toMatchObject({ ...own, effect: 'deny', same: true });
  expect((await stand.as('author', 'POST', '/api/policy/shadow/end', { tenant: 'demo', bundle: 'own' })).status).toBe(
    200,
  );
  await stand.chat(two);
  const report = await stand.as('auditor', 'GET', '/api/policy/report?tenant=demo&days=1');
  expect(report.body).toMatchObject({
    shadow: { compared: 3, different: 1, by_effect: { deny: 1 }, by_rule: { 'own.messages': 1 } },
  });
});

run('a bundle that cannot decide is refused before anybody is asked', async () => {
  const broken = await compileRego(required(tools), 'own', '# METADATA\n# entrypoint: true\ndecision := 1');
  const archive = Buffer.from(broken.archive).toString('base64');
  const wish = { tenant: 'demo', bundle: 'own', archive };
  expect((await stand.as('author', 'POST', '/api/policy/releases', wish)).status).toBe(400);
  const garbage = { ...wish, archive: Buffer.from('no bundle').toString('base64') };
  expect((await stand.as('author', 'POST', '/api/policy/releases', garbage)).status).toBe(400);
  const unknown = { tenant: 'demo', bundle: 'own', digest: '0'.repeat(64) };
  expect((await stand.as('author', 'POST', '/api/policy/releases', unknown)).status).toBe(404);
});

run('a bundle that is larger than other requests of administration is taken', async () => {
  const words = Array.from({ length: 20_000 }, () => randomBytes(16).toString('hex'));
  const rego = `# METADATA\n# entrypoint: true\ndecision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""} if count(data.words) > 0`;
  const bundle = await compileRego(required(tools), 'large', rego, { words });
  expect(bundle.archive.length).toBeGreaterThan(300_000);
  const archive = Buffer.from(bundle.archive).toString('base64');
  const asked = await stand.as('author', 'POST', '/api/policy/releases', { tenant: 'other', bundle: 'large', archive });
  expect(asked).toMatchObject({ status: 403, body: { error: { code: 'approval_required' } } });
  const reason = 'x'.repeat(300_000);
  const switched = await stand.as('author', 'POST', '/api/switches', { tenant: 'other', kind: 'tenant', reason });
  expect(switched.status).toBe(413);
});

run('a swap under load loses no call, and each entry names the bundle that decided it', async () => {
  const { archive, digest } = await bundleFor(1);
  const wish = { tenant: 'demo', bundle: 'own', archive };
  const asked = await stand.as('author', 'POST', '/api/policy/releases', wish);
  const { approval } = asked.body['error'] as { approval: { id: string } };
  let going = true;
  const calls: { status: number; call: string }[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (going) calls.push(await stand.chat(two));
  });
  const seen = (status: number) => async (): Promise<void> => {
    for (let i = 0; i < 400 && !calls.some((each) => each.status === status); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  await seen(200)();
  await stand.as('approver', 'POST', `/api/policy/releases/${approval.id}/approve`);
  await seen(403)();
  going = false;
  await Promise.all(load);
  expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([200, 403]));
  for (const { status, call } of calls) {
    const facts = await stand.factsOf(call, 'decision');
    const { bundles } = facts['versions'] as { bundles: { digest: string }[] };
    expect(
      bundles.some((bundle) => bundle.digest === digest),
      call,
    ).toBe(status === 403);
  }
});
