import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../../gateway/main.ts';
import { connectServing } from '../../cli/embedded/connection.ts';
import { createLoginBook } from '../../gateway/access/logins.ts';
import type { GovernanceEvent } from '../../gateway/access/events.ts';
import type { Principal } from '../../gateway/access/principal.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { TEST_ROOT_KEY } from '../support/ledger.ts';

const yaml = (limit: string, issuers = ''): string => `
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo, budget: { monthly_usd: "${limit}" } }]
${issuers}`;
const ISSUERS = `
auth:
  jwt:
    issuers:
      - { name: corp, issuer: "https://idp.test", audience: [gate], tenant: demo, roles_claim: groups, role_map: { it-audit: [auditor] } }
`;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway(yaml('50'));
});
afterAll(() => gateway.stop());

interface Event {
  readonly kind: string;
  readonly facts: Record<string, unknown>;
}

async function events(...kinds: readonly string[]): Promise<Event[]> {
  const sql = gateway.database.connectAdmin(1);
  const rows = await sql<{ kind: string; facts: string }[]>`
    select e.kind, e.facts from ledger.entries e join ledger.logs l using (log)
    where l.tenant = '_deployment' and e.kind = any (${[...kinds]}) order by e.seq`;
  await sql.end();
  return rows.map(({ kind, facts }) => ({ kind, facts: JSON.parse(facts) as Event['facts'] }));
}

const MIGRATIONS = readdirSync('migrations').filter((name) => name.endsWith('.sql') && name !== 'schema.sql').toSorted(); // prettier-ignore

describe('the deployment is evidence about itself', () => {
  test('its migrations, its configuration and its limits are entries from the first start on', async () => {
    const migrations = await events('migration');
    expect(migrations.map(({ facts }) => facts['name'])).toEqual(MIGRATIONS);
    expect(migrations[0]?.facts).toMatchObject({ checksum: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(await events('budget')).toMatchObject([
      { facts: { scope: 'tenant:demo', tenant: 'demo', monthly_nusd: '50000000000', was: null } },
    ]);
    const [start] = await events('start');
    expect(await events('config')).toMatchObject([{ facts: { config: start?.facts['config'] } }]);
    expect(await events('role')).toMatchObject([{ facts: { issuers: [] } }]);
  });

  test('a second process repeats nothing', async () => {
    const { config } = gateway;
    const folder = temporaryFolder();
    const second = await startGateway({
      config,
      connect: (max, statementMs) => connectServing(gateway.database.gateway, max, statementMs),
      rootKey: TEST_ROOT_KEY,
      build: 'countersign-test',
      shippedBundles: `${process.cwd()}/policies/dist`,
      // What it keeps of published checkpoints would be of another database the next time.
      resolvePath: (path) => join(folder, path),
    });
    await second.drain();
    expect(await events('migration')).toHaveLength(MIGRATIONS.length);
    expect(await events('config', 'budget', 'role')).toHaveLength(3);
    expect(await events('start', 'stop')).toMatchObject([{ kind: 'start' }, { kind: 'start' }, { kind: 'stop' }]);
  });

  test('a changed limit and changed roles are entries of their own; the same reload again is none', async () => {
    const changed = gateway.configFrom(yaml('75', ISSUERS));
    await gateway.reload(changed);
    expect((await events('budget')).at(-1)?.facts).toMatchObject({
      monthly_nusd: '75000000000',
      was: { monthly_nusd: '50000000000' },
    });
    const [reload] = await events('reload');
    expect((await events('config')).at(-1)?.facts).toMatchObject({ config: reload?.facts['config'] });
    const role = (await events('role')).at(-1)?.facts;
    expect(role).toMatchObject({ issuers: [{ issuer: 'corp', default_roles: ['caller'], roles: ['auditor'] }] });
    expect(JSON.stringify(role)).not.toContain('it-audit');
    const before = await events('budget', 'config', 'role', 'reload');
    await gateway.reload(changed);
    expect(await events('budget', 'config', 'role', 'reload')).toHaveLength(before.length);
  });
});

describe('a login', () => {
  const principal: Principal = {
    tenant: 'demo',
    type: 'user',
    id: 'corp:ada',
    credential: 'jwt',
    keyId: null,
    roles: ['auditor'],
    groups: [],
    actors: [],
    agent: null,
    models: null,
    claims: {},
    assurance: 'mfa',
    budgetScopes: [],
  };

  test('is the first use of a credential, and the first after a pause of a working day', async () => {
    const recorded: GovernanceEvent[] = [];
    let nowMs = 0;
    const note = createLoginBook(
      (event) => Promise.resolve(void recorded.push(event)),
      () => nowMs,
    );
    for (const at of [0, 1000, 7 * 3_600_000, 14 * 3_600_000, 23 * 3_600_000]) {
      nowMs = at;
      await note(principal);
    }
    expect(recorded).toHaveLength(2);
    expect(recorded[0]).toMatchObject({ kind: 'login', tenant: 'demo', facts: { credential: 'jwt', assurance: 'mfa' }, detail: { by: 'corp:ada' } }); // prettier-ignore
    expect(JSON.stringify(recorded[0]?.facts)).not.toContain('ada');
  });

  test('that cannot be recorded is none: the next request tries again', async () => {
    let fails = true;
    let tried = 0;
    const note = createLoginBook(
      () => {
        tried += 1;
        return fails ? Promise.reject(new TypeError('away')) : Promise.resolve();
      },
      () => 0,
    );
    await expect(note(principal)).rejects.toThrow('away');
    fails = false;
    await note(principal);
    await note(principal);
    expect(tried).toBe(2);
  });
});
