import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';
import { connectServing, type Connection } from '../../cli/embedded/connection.ts';
import { recordInto } from '../../gateway/access/events.ts';
import type { KeyWish } from '../../gateway/access/keys.ts';
import { createKey } from '../../gateway/access/keys.ts';
import { loadConfig, type Config } from '../../gateway/config.ts';
import { startGateway, type RunningGateway } from '../../gateway/main.ts';
import { setBudgetScope } from '../../ledger/index.ts';
import type { KeyRing } from '../../ledger/index.ts';
import { expectLedgerIntact, openTestLedger, TEST_ROOT_KEY } from './ledger.ts';
import { createDatabase, type TestDatabase } from './postgres.ts';
import { expectDecisionsReplay } from './replay.ts';

export interface TestGateway extends RunningGateway {
  readonly database: TestDatabase;
  readonly config: Config;
  readonly keys: KeyRing;
  /** A caller's key of tenant `demo`. */
  readonly key: string;
  createKey(wish: Partial<KeyWish>): Promise<{ id: string; token: string }>;
  /** The configuration text with changes, as a reload would read it. */
  configFrom(yaml: string): Config;
  /** Drains, verifies the ledger, decides every recorded call again, drops the database. */
  stop(): Promise<void>;
}

/** A gateway hears of a new key a moment after it was made. */
async function known(dataUrl: string, token: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { status } = await fetch(`${dataUrl}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
      expect(status).not.toBe(401);
    },
    { timeout: 10_000, interval: 25 },
  );
}

/**
 * The gateway as `up` composes it, in this process, on a database of its own. `yaml` may leave out `listen` and `logging`.
 *
 * @param fill puts files beside the configuration before the gateway starts
 * @param reach the way the gateway itself takes to its database, for tests that put a faulty network in between
 */
export async function startTestGateway(
  yaml: string,
  prepare?: (database: TestDatabase) => Promise<void>,
  reach: (database: Connection) => Connection = (database) => database,
  fill: (folder: string) => Promise<void> = async () => undefined,
): Promise<TestGateway> {
  const database = await createDatabase();
  await prepare?.(database);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const configFrom = (text: string): Config => {
    const path = join(folder, 'countersign.yaml');
    const logging = /^logging:/m.test(text) ? '' : 'logging: { level: silent }\n';
    const listen = /^listen:/m.test(text) ? '' : 'listen: { host: 127.0.0.1, port: 0, admin_port: 0 }\n';
    writeFileSync(path, `${listen}${logging}${text}`);
    return loadConfig({ path, env: {} });
  };
  const config = configFrom(yaml);
  await fill(folder);
  const gateway = await startGateway({
    config,
    connect: (max, statementMs) => connectServing(reach(database.gateway), max, statementMs),
    rootKey: TEST_ROOT_KEY,
    build: 'countersign-test',
    shippedBundles: join(process.cwd(), 'policies', 'dist'),
    resolvePath: (path) => resolve(folder, path),
  });
  const desk = await openTestLedger(database, { origin: config.ledger.origin });
  const make = async (wish: Partial<KeyWish>): Promise<{ id: string; token: string }> => {
    const store = {
      record: recordInto(desk.ledger, () => randomBytes(16).toString('hex')),
      setBudget: async (scope: string, limits: KeyWish['budget']) => {
        await setBudgetScope(desk.sql, {
          scope,
          day: limits.dailyNusd,
          week: limits.weeklyNusd,
          month: limits.monthlyNusd,
        });
      },
      random: randomBytes,
      now: Date.now,
    };
    const nothing = { dailyNusd: null, weeklyNusd: null, monthlyNusd: null };
    const full: KeyWish = {
      tenant: 'demo',
      name: 'test',
      agent: null,
      models: null,
      roles: ['caller'],
      groups: [],
      budget: nothing,
      expiresMs: null,
      ...wish,
    };
    const { key, token } = await createKey(desk.sql, store, full, {
      createdBy: 'test',
      approval: null,
      exemption: null,
    });
    await known(gateway.dataUrl, token);
    return { id: key.id, token };
  };
  const first = await make({});
  return {
    ...gateway,
    database,
    config,
    keys: desk.keys,
    key: first.token,
    createKey: make,
    configFrom,
    stop: async () => {
      await gateway.drain();
      await desk.ledger.close();
      const sql = database.connectAdmin(2);
      await expectLedgerIntact(sql, desk.keys);
      await expectDecisionsReplay(sql, desk.keys, config.tenants.keys());
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
