import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTools } from '../policies/toolchain.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { freePort, launch, stop, type Running } from '../support/program.ts';

/** What people do about policies on the command line, beside two gateways that share a database. */

type Json = Record<string, unknown>;

interface Result {
  readonly status: number | null;
  readonly out: Json;
  readonly stderr: string;
}

interface Server {
  readonly running: Running;
  readonly dataUrl: string;
  readonly adminUrl: string;
}

const runCompiled = test.skipIf((await findTools()) === null);
const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-'));
const keyFiles = new Map<string, string>();
let database: TestDatabase;
let env: Record<string, string>;
let servers: [Server, Server];
let caller = '';

beforeAll(async () => {
  database = await createDatabase();
  env = { DATABASE_URL: database.url('gateway'), COUNTERSIGN_KEY: '' };
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  servers = [await serve('one', ports[0], ports[1]), await serve('two', ports[2], ports[3])];
  caller = String((await cli(['keys', 'create', '--tenant', 'demo'])).out['key']);
  // The first approver of a deployment comes from its own host; it approves the others.
  await makeKey('approver', '_deployment');
  for (const [role, tenant] of [['policy-approver', '_deployment'], ['auditor', 'demo']] as const)
    await makeKey(role, tenant); // prettier-ignore
}, 120_000);

afterAll(async () => {
  await Promise.all(servers.map(({ running }) => stop(running)));
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(name: string, port: number, adminPort: number): Promise<Server> {
  const config = join(folder, `${name}.yaml`);
  writeFileSync(
    config,
    `listen: { host: 127.0.0.1, port: ${String(port)}, admin_port: ${String(adminPort)} }
database: { url: "\${DATABASE_URL}" }
keys: { provider: file, path: root.key }
providers: { s: { kind: sandbox } }
models:
  - { name: sandbox, deployments: [{ provider: s, model: echo }] }
  - { name: gated, deployments: [{ provider: s, model: gated }] }
tenants: [{ id: demo, policies: [baseline], parameters: { models: [sandbox, echo] } }]
logging: { level: warn }
`,
  );
  const running = launch(['up', '--json', '--config', config], { env });
  await running.line((line) => line.startsWith('{"ready":true'));
  return {
    running,
    dataUrl: `http://127.0.0.1:${String(port)}`,
    adminUrl: `http://127.0.0.1:${String(adminPort)}`,
  };
}

/** One invocation, as an operator types it. */
async function cli(words: readonly string[], more: Record<string, string> = {}): Promise<Result> {
  const argv = [...words, '--json', '--config', join(folder, 'one.yaml')];
  const { status, stdout, stderr } = await launch(argv, { env: { ...env, ...more }, cwd: folder }).finished;
  return { status, out: JSON.parse(stdout === '' ? 'null' : stdout) as Json, stderr };
}

/** Asks, has it approved by somebody else, and asks again. */
async function withTwo(words: readonly string[], approver = 'approver'): Promise<Result> {
  const asked = await cli(words);
  expect([words, asked]).toMatchObject([
    words,
    { status: 1, out: { pending: expect.stringMatching(/^ap-/) as string } },
  ]);
  const approved = await cli(['approvals', 'approve', String(asked.out['pending']), '--key-file', `${approver}.key`]);
  expect(approved).toMatchObject({ status: 0, out: { state: 'approved' } });
  return cli(words);
}

async function approve(path: string, who: string, body: object = {}): Promise<number> {
  const headers = { authorization: `Bearer ${keyFiles.get(who) ?? ''}`, 'content-type': 'application/json' };
  const response = await fetch(`${servers[0].adminUrl}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return response.status;
}

async function makeKey(role: string, tenant: string): Promise<void> {
  const words = ['keys', 'create', '--tenant', tenant, '--roles', role];
  const { out } = role === 'approver' ? await cli(words) : await withTwo(words);
  keyFiles.set(role, String(out['key']));
  // As `keys create` prints it.
  writeFileSync(join(folder, `${role}.key`), `${String(out['key'])}\nThis is the only time the key is shown.\n`);
  await until(async () => (await approve('/api/approvals/none/approve', role)) !== 401);
}

async function until(holds: () => Promise<boolean>, mostMs = 10_000): Promise<void> {
  const from = performance.now();
  while (!(await holds())) {
    if (performance.now() - from > mostMs) throw new Error(`not within ${String(mostMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function chat(
  body: object = {},
  server = servers[0],
): Promise<{ readonly status: number; readonly call: string }> {
  const response = await fetch(`${server.dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }], ...body }),
  });
  return { status: response.status, call: response.headers.get('x-countersign-call') ?? '' };
}

const untilChat = (status: number, body: object = {}, server = servers[0]): Promise<void> =>
  until(async () => (await chat(body, server)).status === status);

async function models(server: Server): Promise<string[]> {
  const response = await fetch(`${server.dataUrl}/v1/models`, { headers: { authorization: `Bearer ${caller}` } });
  const { data } = (await response.json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

/** Facts of the entries about who read or did what, oldest first. */
async function accesses(): Promise<Json[]> {
  const rows = await database.connectAdmin(1)<{ facts: string }[]>`
    select e.facts from ledger.entries e join ledger.logs l using (log)
    where e.kind = 'access' and l.tenant = 'demo' order by e.seq`;
  return rows.map(({ facts }) => JSON.parse(facts) as Json);
}

const tenant = ['--tenant', 'demo'];
const gated = { model: 'gated' };
const in10Minutes = (): string => new Date(Date.now() + 600_000).toISOString().replace(/\.\d+/, '');

runCompiled('a folder of Rego is built, released by two people, tried as a candidate, and taken back', async () => {
  mkdirSync(join(folder, 'rego'));
  writeFileSync(
    join(folder, 'rego', 'main.rego'),
    `package countersign.main

# METADATA
# entrypoint: true
decision := {"effect": effect, "reasons": reasons, "obligations": [], "user_message": ""}

default effect := "allow"

effect := "deny" if count(reasons) > 0

reasons := [{
	"rule": "own.messages", "title": "Too many", "message": "Too many messages.",
	"severity": "low", "controls": [], "path": "",
}] if {
	input.request.messages > 1
} else := []
`,
  );
  writeFileSync(join(folder, 'report.md'), '# Review\n');
  const build = ['policy', 'build', '--out', 'own.tar.gz', '--revision', 'r1'];
  mkdirSync(join(folder, 'asking'));
  const asking =
    'package countersign.main\n\ndecision := http.send({"method": "get", "url": "https://example.com"}).body\n';
  writeFileSync(join(folder, 'asking', 'main.rego'), asking);
  const refused = /main\.rego:3: .* http\.send in rule decision: not in .*, because it asks a network/;
  expect(await cli([...build, 'asking'])).toMatchObject({
    status: 1,
    out: { error: { code: 'check_failed', message: expect.stringMatching(refused) as string } },
  });
  const built = await cli([...build, 'rego']);
  expect(built.status, built.stderr).toBe(0);
  const { digest } = built.out;
  const activate = ['policy', 'activate', 'own.tar.gz', ...tenant, '--report', 'report.md'];
  const asked = await cli(activate);
  expect(asked).toMatchObject({ status: 1, out: { pending: expect.stringMatching(/^ap-/) as string } });
  const approval = String(asked.out['pending']);
  const listed = await cli(['approvals', 'list', '--state', 'pending', '--key-file', 'policy-approver.key']);
  expect(listed.out).toMatchObject([{ id: approval, action: 'policy.activate', subject: { bundle: 'own', digest } }]);
  const carryOut = (who: string): Promise<Result> => cli(['policy', 'approve', approval, '--key-file', `${who}.key`]);
  expect(await carryOut('auditor')).toMatchObject({ status: 1, out: { error: { code: 'check_failed' } } });
  const two = { messages: ['a', 'b'].map((content) => ({ role: 'user', content })) };
  expect((await chat(two)).status).toBe(200);
  expect(await carryOut('policy-approver')).toMatchObject({ status: 0, out: { released: approval } });
  expect(await carryOut('policy-approver')).toMatchObject({ status: 1 });
  await Promise.all(servers.map((server) => untilChat(403, two, server)));
  const { call } = await chat(two);
  const report = await cli(['policy', 'report', ...tenant]);
  expect(report.out).toMatchObject({ releases: [{ bundle: 'own', revision: 'r1', digest }] });
  const explained = await cli(['policy', 'explain', call, '--key-file', 'auditor.key']);
  expect(explained).toMatchObject({
    status: 0,
    out: { reproduction: 'reproduced', questions: [{ effect: 'deny', reasons: [{ rule: 'own.messages' }] }] },
  });

  const rollback = ['policy', 'rollback', 'own', ...tenant, '--reason', 'drill'];
  expect(await cli(rollback)).toMatchObject({ status: 0, out: { bundle: 'own', digest: null } });
  await untilChat(200, two);
  expect(await cli(rollback)).toMatchObject({ status: 1, out: { error: { code: 'check_failed' } } });

  const tried = await withTwo(['policy', 'activate', 'own.tar.gz', ...tenant, '--shadow'], 'policy-approver');
  expect(tried).toMatchObject({ status: 0, out: { stage: 'shadow', digest } });
  await until(async () => {
    expect((await chat(two)).status).toBe(200);
    const { shadow } = (await cli(['policy', 'report', ...tenant, '--days', '1'])).out as { shadow: Json };
    return Number(shadow['different']) > 0;
  });
  expect(await cli([...rollback, '--shadow'])).toMatchObject({ status: 0, out: { shadow: null } });
  writeFileSync(join(folder, 'garbage.tar.gz'), 'no bundle');
  expect(await cli(['policy', 'activate', 'garbage.tar.gz', ...tenant])).toMatchObject({
    status: 2,
    out: { error: { message: expect.stringContaining('Expected a policy bundle') as string } },
  });
});

test('a switch thrown on the command line stops both gateways within five seconds; two people let it go on', async () => {
  expect(await Promise.all(servers.map(models))).toEqual([['sandbox'], ['sandbox']]);
  const thrown = await cli(['kill', 'throw', ...tenant, '--model', 'sandbox', '--reason', 'drill']);
  const from = performance.now();
  await Promise.all(servers.map((server) => untilChat(403, {}, server)));
  expect(performance.now() - from).toBeLessThan(5000);
  expect(thrown.status).toBe(0);
  expect(await Promise.all(servers.map(models))).toEqual([[], []]);
  const id = String(thrown.out['id']);
  expect((await cli(['kill', 'list', ...tenant])).out).toMatchObject([{ id, kind: 'model', target: 'sandbox' }]);
  const released = await withTwo(['kill', 'release', id, ...tenant, '--reason', 'over']);
  expect(released).toMatchObject({ status: 0, out: { released: id } });
  await Promise.all(servers.map((server) => untilChat(200, {}, server)));
  expect(await cli(['kill', 'release', id, ...tenant, '--reason', 'over'])).toMatchObject({ status: 1 });

  const again = await cli(['kill', 'throw', ...tenant, '--agent', 'bot', '--reason', 'drill']);
  const everywhere = await cli(['kill', 'throw', '--tool', 'shell', '--reason', 'drill']);
  const ids = async (...about: string[]): Promise<unknown> =>
    ((await cli(['kill', 'list', ...about])).out as unknown as { tenant: string; id: string }[])
      .map((one) => `${one.tenant} ${one.id}`)
      .toSorted();
  const both = [`_deployment ${String(everywhere.out['id'])}`, `demo ${String(again.out['id'])}`];
  expect(await ids()).toEqual(both);
  expect(await ids(...tenant)).toEqual(both);
  expect((await cli(['policy', 'report', ...tenant])).out).toMatchObject({
    switches: [{ kind: 'agent', target: 'bot' }],
    switches_of_all_tenants: [{ kind: 'tool', target: 'shell' }],
  });
  const asked = await cli(['kill', 'release', String(again.out['id']), ...tenant, '--reason', 'over']);
  const deny = ['approvals', 'deny', String(asked.out['pending']), '--key-file', 'approver.key', '--reason', 'not yet'];
  expect(await cli(deny)).toMatchObject({ status: 0, out: { state: 'denied', reason: 'not yet' } });
  expect(await cli(deny)).toMatchObject({ status: 1, out: { error: { code: 'check_failed' } } });
  expect(await cli(['approvals', 'approve', 'nonsense'])).toMatchObject({ status: 2 });
});

test('a waiver takes two people and ends when one says so; broken glass is reviewed by somebody else', async () => {
  expect((await chat(gated)).status).toBe(403);
  const about = [...tenant, '--rule', 'models.allow_list', '--reason', 'pilot'];
  const misspelt = [...tenant, '--rule', 'models.allowlist', '--reason', 'pilot'];
  for (const words of [['make', '--until', in10Minutes()], ['break-glass']]) {
    expect(await cli(['waiver', ...words, ...misspelt])).toMatchObject({
      status: 2,
      out: {
        error: { code: 'usage', message: expect.stringMatching(/^Expected a rule of the tenant's policies/) as string },
      },
    });
  }
  const made = await withTwo(['waiver', 'make', ...about, '--scope', 'model:gated', '--until', in10Minutes()]);
  expect(made).toMatchObject({ status: 0, out: { id: expect.stringMatching(/^wv-/) as string } });
  const id = String(made.out['id']);
  await untilChat(200, gated);
  expect(await models(servers[0])).toEqual(['sandbox', 'gated']);
  expect((await cli(['waiver', 'list', ...tenant])).out).toMatchObject({ waivers: [{ id, scope: 'model:gated' }] });
  expect(await cli(['waiver', 'end', id, ...tenant])).toMatchObject({ status: 0, out: { ended: id } });
  await untilChat(403, gated);

  const broken = await cli(['waiver', 'break-glass', ...about, '--minutes', '5']);
  expect(broken.status).toBe(0);
  await untilChat(200, gated);
  const glass = String(broken.out['id']);
  expect(await cli(['waiver', 'end', glass, ...tenant])).toMatchObject({ status: 0, out: { ended: glass } });
  await untilChat(403, gated);
  expect((await cli(['waiver', 'list', ...tenant])).out).toMatchObject({ waivers: [], to_review: [{ id: glass }] });
  const own = await cli(['waiver', 'review', glass, ...tenant, '--finding', 'fine']);
  expect(own).toMatchObject({ status: 1, out: { error: { code: 'check_failed' } } });
  const review = { tenant: 'demo', finding: 'justified' };
  expect(await approve(`/api/break-glass/${glass}/review`, 'auditor', review)).toBe(200);
  await untilChat(403, gated);
  expect((await cli(['waiver', 'list', ...tenant])).out).toEqual({ waivers: [], to_review: [] });
});

test('a tenant observes after two people said so, until one ends it', async () => {
  const begun = await withTwo(['policy', 'observe', ...tenant, '--until', in10Minutes(), '--reason', 'onboarding']);
  expect(begun.status).toBe(0);
  await untilChat(200, gated);
  expect(await models(servers[0])).toEqual(['sandbox', 'gated']);
  expect((await cli(['policy', 'observe', ...tenant, '--end'])).status).toBe(0);
  await untilChat(403, gated);
  const { out } = await cli(['policy', 'report', ...tenant, '--days', '1']);
  expect(out).toMatchObject({ would_have_blocked: { by_rule: { 'models.allow_list': expect.any(Number) as number } } });
});

test('explain takes a key with the role, says who asked, and tells apart what it cannot do', async () => {
  const { call } = await chat(gated);
  const explain = (id: string, words: string[] = [], more: Record<string, string> = {}): Promise<Result> =>
    cli(['policy', 'explain', id, ...words], more);
  const auditor = keyFiles.get('auditor') ?? '';
  expect(await explain(call, [], { COUNTERSIGN_KEY: auditor })).toMatchObject({
    status: 0,
    out: { tenant: 'demo', reproduction: 'reproduced', questions: [{ reasons: [{ rule: 'models.allow_list' }] }] },
  });
  expect(await explain(call, [], { COUNTERSIGN_KEY: caller })).toMatchObject({
    status: 1,
    out: { error: { code: 'check_failed' } },
  });
  expect(await explain(`cs-${'0'.repeat(32)}`, [], { COUNTERSIGN_KEY: auditor })).toMatchObject({
    status: 1,
    out: { error: { code: 'not_found' } },
  });
  expect(await explain(call)).toMatchObject({ status: 2, out: { error: { code: 'usage' } } });
  const nobody = ['--server', `http://127.0.0.1:${String(await freePort())}`, '--key-file', 'auditor.key'];
  expect(await explain(call, nobody)).toMatchObject({ status: 3, out: { error: { code: 'gateway_unreachable' } } });
  const asked = (await accesses()).filter(({ target }) => target === call);
  expect(asked.map(({ verb, effect }) => [verb, effect])).toEqual([
    ['calls.read', 'allow'],
    ['calls.read', 'refused'],
  ]);
});

test('eval decides an input by itself, and says what is wrong with a file', async () => {
  const decide = (text: string, more: string[] = []): Promise<Result> => {
    writeFileSync(join(folder, 'input.json'), text);
    return cli(['policy', 'eval', '--input', 'input.json', ...more]);
  };
  const input = { point: 'model.request', tenant: { id: 'demo' }, model: { requested: 'x', deployment: 's/x' } };
  writeFileSync(join(folder, 'parameters.json'), '{"models":["sandbox"]}');
  expect(await decide(JSON.stringify(input), ['--parameters', 'parameters.json'])).toMatchObject({
    status: 0,
    out: {
      evaluation: {
        decision: { effect: 'deny' },
        fired: [{ rules: expect.arrayContaining(['models.allow_list']) as unknown }],
      },
    },
  });
  const wrong = async (text: string, says: string): Promise<void> =>
    expect(await decide(text)).toMatchObject({
      status: 2,
      out: { error: { code: 'usage', message: expect.stringContaining(says) as string } },
    });
  await wrong('{', 'input.json: expected JSON');
  await wrong('[]', 'input.json: the document: ');
  await wrong('{"tenant":{"id":7}}', 'input.json: tenant.id: ');
  await wrong(
    '{"tenant":{"id":"demo"},"findigs":[]}',
    'input.json: expected sections of the policy input (version, point',
  );
});

test('a hold that is not there is a refusal, not a failure', async () => {
  const release = await cli(['hold', 'release', 'hd-0000000000000000', ...tenant, '--reason', 'over']);
  expect(release).toMatchObject({ status: 1, out: { error: { code: 'check_failed' } } });
});

runCompiled('a draft for refused calls and the review of it read recorded calls, which is recorded', async () => {
  expect((await chat(gated)).status).toBe(403);
  const baseline = join(process.cwd(), 'policies', 'rego', 'baseline');
  const about = ['--rule', 'models.allow_list', '--head', baseline, '--out', 'draft'];
  const draft = await cli(['policy', 'recommend', ...tenant, ...about]);
  expect(draft, draft.stderr).toMatchObject({ status: 0, out: { failed: 0 } });
  const sides = ['--base', baseline, '--head', 'draft', '--out', 'review', '--mutants', 'none', '--inputs', '200'];
  const review = await cli(['policy', 'review', ...tenant, ...sides, '--allow-flips', '1000']);
  expect(review.status, review.stderr).toBe(0);
  const { replay } = review.out['review'] as { replay: Json };
  expect(replay).toMatchObject({
    reproduction: { mismatch: 0, missing: 0 },
    waived: { calls: expect.any(Number) as number, byRule: { 'models.allow_list': expect.any(Number) as number } },
    byRule: [{ key: 'models.allow_list', from: 'deny', to: 'allow', calls: replay['flipped'] }],
  });
  const exported = await cli(['ledger', 'export', ...tenant, '--out', 'evidence']);
  expect(exported.status, exported.stderr).toBe(0);
  expect(readFileSync(join(folder, 'evidence', 'report.html'), 'utf8')).toContain('Lifted by a waiver');
  const verified = await cli(['ledger', 'verify', 'evidence']);
  expect(verified.out).toMatchObject({ verdict: 'UNANCHORED', consistent: true, firstBad: null });
  const verbs = (await accesses()).map(({ verb }) => verb);
  expect(verbs).toEqual(expect.arrayContaining(['policy.recommend', 'policy.review']));
});
