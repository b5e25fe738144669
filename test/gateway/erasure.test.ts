/** What a gateway does about erasures: before it opens, and while it runs. */
import { join, resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { connectServing } from '../../cli/embedded/connection.ts';
import { parseConfig } from '../../gateway/config.ts';
import { createLog } from '../../gateway/log.ts';
import { startGateway } from '../../gateway/main.ts';
import { runRetention, startRetention, type RetentionParts } from '../../gateway/retention.ts';
import { eraseKeys, findPerson } from '../../ledger/index.ts';
import type { Person } from '../../ledger/index.ts';
import { startTestGateway } from '../support/gateway.ts';
import { decisionItem, newCall, openTestLedger, TEST_ROOT_KEY, type LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/program.ts';

const YAML = `providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo }]
`;

type Desk = Pick<LedgerFixture, 'sql' | 'keys' | 'ledger'>;

async function erase(desk: Desk, person: Person): Promise<readonly string[]> {
  const { keys, scope } = await findPerson(desk.sql, desk.keys, 'demo', person);
  const named = keys.map(({ key }) => key);
  const order = { tenant: 'demo', scope, basis: 'other', keys: named, facts: {}, detail: {} } as const;
  return (await desk.sql.begin((tx) => eraseKeys(tx, desk, order))).keys;
}

/** The lock that carrying out erasures takes: whoever holds it makes every start wait there. */
const LOCK = 5_170_044_923;

test('after a restore of the keystore no listener opens before the erasures were carried out again', async () => {
  const database = await createDatabase();
  const desk = await openTestLedger(database);
  await desk.ledger.append(decisionItem(newCall(), { open: false }));
  const admin = database.connectAdmin(2);
  const copy = await admin`select * from keystore.subject_keys`;
  await erase(desk, { subject: 'user:ada' });
  await admin`insert into keystore.subject_keys ${admin(copy)}`;

  const [port, adminPort] = [await freePort(), await freePort()];
  const listen = `listen: { host: 127.0.0.1, port: ${String(port)}, admin_port: ${String(adminPort)} }\n`;
  const health = (at: number): Promise<number> =>
    fetch(`http://127.0.0.1:${String(at)}/healthz`).then(({ status }) => status);
  const lock = await admin.reserve();
  await lock`select pg_advisory_lock(${LOCK})`;
  const folder = temporaryFolder();
  const starting = startGateway({
    config: parseConfig('c.yaml', `${listen}logging: { level: silent }\n${YAML}`, { env: {} }),
    connect: (max, statementMs) => connectServing(database.gateway, max, statementMs),
    rootKey: TEST_ROOT_KEY,
    build: 'countersign-test',
    shippedBundles: join(process.cwd(), 'policies', 'dist'),
    resolvePath: (path) => resolve(folder, path),
  });
  await vi.waitFor(async () => {
    const waiting = await admin`select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    expect(waiting).toHaveLength(1);
  }, 10_000);
  for (const at of [port, adminPort]) await expect(health(at)).rejects.toThrow();
  expect(await admin`select 1 from keystore.subject_keys where tenant = 'demo'`).toHaveLength(2);
  await lock`select pg_advisory_unlock(${LOCK})`;
  lock.release();

  const gateway = await starting;
  expect(await health(port)).toBe(200);
  expect(await admin`select 1 from keystore.subject_keys where tenant = 'demo'`).toHaveLength(0);
  await gateway.drain();
  await desk.ledger.close();
  await database.drop();
});

test('a running gateway seals with a fresh key soon after another process erased the old one', async () => {
  const gateway = await startTestGateway(YAML);
  const desk = await openTestLedger(gateway.database, { origin: gateway.config.ledger.origin });
  const keyOfCall = async (): Promise<string> => {
    const { headers } = await fetch(`${gateway.dataUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
    });
    const call = headers.get('x-countersign-call') ?? '';
    const [row] = await desk.sql<{ key: string }[]>`
      select key::text as key from ledger.entries where call = ${call} and class = 'decision'`;
    return row?.key ?? '';
  };
  const first = await keyOfCall();
  const [{ subject } = { subject: '' }] = await desk.sql<{ subject: string }[]>`
    select facts::jsonb ->> 'key' as subject from ledger.entries where kind = 'key' order by seq limit 1`;
  expect(await erase(desk, { subject: `key:${subject}` })).toContain(first);
  await vi.waitFor(async () => expect(await keyOfCall()).not.toBe(first), { timeout: 30_000, interval: 200 });
  await desk.ledger.close();
  await gateway.stop();
});

test('a time that a policy asks for is that of the keys of the call, of a refused one, and of a question', async () => {
  const asked = 'tenants: [{ id: demo, parameters: { record: { retention_days: 300 } } }]';
  const gateway = await startTestGateway(YAML.replace('tenants: [{ id: demo }]', asked));
  const desk = await openTestLedger(gateway.database, { origin: gateway.config.ledger.origin });
  const post = async (path: string, body: unknown): Promise<number> => {
    const headers = { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' };
    return (await fetch(`${gateway.dataUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  const chat = (content: string): Promise<number> =>
    post('/v1/chat/completions', { model: 'sandbox', messages: [{ role: 'user', content }] });
  expect(await chat('hello')).toBe(200);
  // A key of somebody's cloud is refused by the baseline.
  expect(await chat('use AKIAIOSFODNN7EXAMPLE please')).toBe(403);
  const question = { subject: { type: 'user', id: 'a' }, action: { name: 'model.request' } };
  expect(await post('/access/v1/evaluation', { ...question, resource: { type: 'model', id: 'sandbox' } })).toBe(200);
  const rows = await desk.sql<{ kind: string; seals: string; days: number; entries: number }[]>`
    select e.kind, k.seals, k.kept_days as days, count(*)::integer as entries
    from ledger.entries e join keystore.subject_keys k on k.id = e.key group by 1, 2, 3 order by 1`;
  expect([...rows]).toEqual([
    { kind: 'decision', seals: 'decision', days: 366, entries: 3 },
    { kind: 'outcome', seals: 'outcome', days: 366, entries: 1 },
  ]);
  await desk.ledger.close();
  await gateway.stop();
});

test('the retention job erases what the configuration of a tenant says, in one process at a time', async () => {
  const database = await createDatabase();
  let nowMs = Date.now() - 90 * 86_400_000;
  const desk = await openTestLedger(database, { now: () => nowMs });
  for (const tenant of ['demo', 'other']) await desk.ledger.append(decisionItem(newCall(), { tenant, open: false }));
  nowMs = Date.now();
  const log = createLog({ level: 'silent' });
  const parts = (yaml: string): RetentionParts => {
    const config = parseConfig('c.yaml', yaml, { env: {} });
    return { ...desk, log, now: () => nowMs, current: () => ({ config }) };
  };
  const looked = new Set<string>();
  expect(await runRetention(parts(YAML), looked)).toEqual({ keys: 0, bodies: 0 });
  const both =
    'tenants: [{ id: demo, retention: { decision_days: 30 } }, { id: other, retention: { content_days: 300 } }]';
  const configured = parts(YAML.replace('tenants: [{ id: demo }]', both));
  await desk.sql`select ledger.take_job('retention', ${desk.ledger.wid}, -1)`;
  await desk.sql`select ledger.take_job('retention', 'somebody-else', 60000)`;
  expect(await runRetention(configured, looked)).toEqual({ keys: 0, bodies: 0 });
  await desk.sql`select ledger.take_job('retention', 'somebody-else', -1)`;
  expect(await runRetention(configured, looked)).toEqual({ keys: 1, bodies: 1 });
  expect(await runRetention(configured, looked)).toEqual({ keys: 0, bodies: 0 });
  const isFree = async (): Promise<boolean> => {
    const [job] = await desk.sql<{ mine: boolean }[]>`select ledger.take_job('retention', 'the-next', 0) as mine`;
    return job?.mine === true;
  };
  expect(await isFree()).toBe(false);
  // Whoever stops gives it to the next process.
  startRetention(configured)();
  await expect.poll(isFree).toBe(true);
  const left = await desk.sql<{ key: string }[]>`
    select concat_ws(' ', tenant, seals) as key from keystore.subject_keys order by key`;
  expect(left.map(({ key }) => key)).toEqual(['demo outcome', 'other decision', 'other outcome']);
  await desk.ledger.close();
  await database.drop();
});
