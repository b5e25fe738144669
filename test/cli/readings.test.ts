import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisionItem, newCall, openTestLedger, outcomeItem, TEST_ROOT_KEY } from '../support/ledger.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { databaseConfig, run } from '../support/program.ts';

let database: TestDatabase;
let config: readonly string[];
let call: string;
let folder: string;
const env = { COUNTERSIGN_ROOT_KEY: TEST_ROOT_KEY.toString('hex') };

beforeAll(async () => {
  database = await createDatabase();
  const fixture = await openTestLedger(database, { origin: 'countersign.test' });
  call = newCall();
  await fixture.ledger.append(decisionItem(call));
  await fixture.ledger.append(outcomeItem(call, 5n));
  await fixture.ledger.close();
  folder = mkdtempSync(join(tmpdir(), 'readings-'));
  config = ['--json', '--config', databaseConfig(folder, database.url('gateway'))];
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

/** Facts of the entries about readings, oldest first, and in whose log they are. */
async function readings(): Promise<{ tenant: string; verb: string; verdict?: string }[]> {
  const sql = database.connectAdmin(1);
  const rows = await sql<{ tenant: string; facts: string }[]>`
    select l.tenant, e.facts from ledger.entries e join ledger.logs l using (log) where e.kind = 'access' order by e.dbt, e.seq`;
  await sql.end();
  return rows.map(({ tenant, facts }) => ({ tenant, ...(JSON.parse(facts) as { verb: string }) }));
}

describe('whatever the command line reads of the ledger is an entry', () => {
  test.each([
    ['ledger.verify', '_deployment', ['ledger', 'verify']],
    ['ledger.status', '_deployment', ['ledger', 'status']],
    ['costs.read', 'demo', ['costs', 'report', '--tenant', 'demo']],
    ['holds.list', 'demo', ['hold', 'list', '--tenant', 'demo']],
    ['erasure.find', 'demo', ['erase', '--tenant', 'demo', '--find', '--subject', 'user:ada']],
    ['report.clock', '_deployment', ['ledger', 'report', 'clock']],
  ])('%s, in the log of %s', async (verb, tenant, args) => {
    const before = await readings();
    const { status, stderr } = await run([...args, ...config], { env });
    expect([[0, 1, 3].includes(status ?? 9), stderr.includes('No entry')]).toEqual([true, false]);
    const after = await readings();
    expect(after.slice(before.length)).toMatchObject([{ tenant, verb }]);
  });

  test('a verification with its verdict, a proof even when there is none yet', async () => {
    expect((await readings()).find(({ verb }) => verb === 'ledger.verify')).toMatchObject({ verdict: 'UNANCHORED' });
    const before = (await readings()).length;
    const proof = await run(['ledger', 'proof', '--tenant', 'demo', '--call', call, ...config], { env });
    expect(proof.status).toBe(3);
    // Nobody gets a log by asking for it.
    await run(['ledger', 'proof', '--tenant', 'nobody', '--call', call, ...config], { env });
    expect((await readings()).slice(before)).toMatchObject([
      { tenant: 'demo', verb: 'calls.read' },
      { tenant: '_deployment', verb: 'calls.read' },
    ]);
  });
});

test('a ledger that cannot be written to is looked at all the same, and says so; nothing else is read from it', async () => {
  const sql = database.connectAdmin(1);
  await sql.unsafe(`alter database "${database.name}" set default_transaction_read_only = on`);
  await sql.end();
  const before = await readings();
  for (const verb of ['verify', 'status']) {
    const { stdout, stderr } = await run(['ledger', verb, ...config], { env });
    expect(JSON.parse(stdout)).toMatchObject({ logs: expect.any(Array) as unknown[] });
    expect(stderr).toContain('No entry about this look could be written');
  }
  const refused = await run(['costs', 'report', '--tenant', 'demo', ...config], { env });
  expect(refused.status).not.toBe(0);
  expect(refused.stdout).not.toContain('nusd');
  expect(await readings()).toEqual(before);
});
