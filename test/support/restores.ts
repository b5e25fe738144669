import { afterEach, beforeEach } from 'vitest';
import { declareLoss, openKeyRing } from '../../ledger/index.ts';
import type { LedgerOptions, LossOptions, Recovery } from '../../ledger/index.ts';
import { openTestLedger, TEST_ROOT_KEY } from './ledger.ts';
import type { LedgerFixture } from './ledger.ts';
import { createTestNotary } from './notary.ts';
import type { TestNotary } from './notary.ts';
import { createDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';

export const LEDGER_NAME = 'countersign.test/ledger';

/** For tests that put a database back to an older copy: a new database and notary for each test of a file. */
export interface RestoreStand {
  database: TestDatabase;
  notary: TestNotary;
  /** A process on it, closed after the test. By default it keeps its heads where the notary does. */
  readonly start: (options?: Partial<LedgerOptions>) => Promise<LedgerFixture>;
  /** As an operator does with the rights of the owner. */
  readonly declare: (wanted?: Partial<Pick<LossOptions, 'outside' | 'force'>>) => Promise<Recovery>;
}

/** Called at the top of a file. What it gives is there while a test runs. */
export function restoreStand(): RestoreStand {
  const opened: LedgerFixture[] = [];
  const stand = {
    start: async (options = { heads: stand.notary.heads }) => {
      const fixture = await openTestLedger(stand.database, { appendTimeoutMs: 20_000, ...options });
      opened.push(fixture);
      return fixture;
    },
    declare: async (wanted = {}) => {
      const { database, notary } = stand;
      const sql = database.connectGateway(2);
      const keys = await openKeyRing({ sql, rootKey: TEST_ROOT_KEY });
      const [writerSql, ownerSql] = [database.connectGateway(1), database.connectAdmin(1)];
      const by = { by: 'operator:ada', reason: 'disk lost', checkpoint: null, force: false };
      const ledger = { sql, writerSql, ownerSql, keys, heads: notary.heads, origin: LEDGER_NAME, now: Date.now };
      return declareLoss({ ...ledger, ...by, ...wanted });
    },
  } as RestoreStand;
  beforeEach(async () => {
    stand.database = await createDatabase();
    stand.notary = createTestNotary(stand.database);
  });
  afterEach(async () => {
    for (const { ledger } of opened.splice(0)) await ledger.close();
    await stand.notary.close();
    await stand.database.drop();
  });
  return stand;
}
