import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { connect } from '../../cli/embedded/connection.ts';
import { makeEpoch } from '../../ledger/epoch/build.ts';
import type { Epoch } from '../../ledger/epoch/build.ts';
import { createHeadStore } from '../../ledger/epoch/head-store.ts';
import { publishCheckpoint } from '../../ledger/epoch/notary.ts';
import type { NotaryOptions, Published } from '../../ledger/epoch/notary.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { TestDatabase } from './postgres.ts';

export const TEST_CHECKPOINT_KEY = Buffer.alloc(32, 5);

export interface TestNotary extends NotaryOptions {
  /** The head store's folder. */
  readonly dir: string;
  close(): Promise<void>;
}

/** Signs with the rights of cs_notary and no others; its head store is a folder of its own. */
export function createTestNotary(database: TestDatabase): TestNotary {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-heads-'));
  const sql = connect({ ...database.gateway, user: 'cs_notary' });
  return {
    dir,
    sql,
    key: TEST_CHECKPOINT_KEY,
    heads: createHeadStore(dir),
    now: Date.now,
    close: async () => {
      await sql.end({ timeout: 5 });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** An epoch and a checkpoint over it. */
export async function closeEpoch(
  { sql, ledger }: { readonly sql: Sql; readonly ledger: Pick<Ledger, 'append' | 'status'> },
  notary: NotaryOptions,
): Promise<{ readonly epoch: Epoch | null; readonly published: Published | null }> {
  const epoch = await makeEpoch({ sql, ledger, random: randomBytes });
  return { epoch, published: await publishCheckpoint(notary) };
}
