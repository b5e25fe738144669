import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { expect } from 'vitest';
import { openKeyRing, openLedger, verifyLive } from '../../ledger/index.ts';
import type { AppendItem, KeyRing, Ledger, LedgerOptions } from '../../ledger/index.ts';
import type { TestDatabase } from './postgres.ts';

export interface LedgerFixture {
  readonly sql: Sql;
  readonly writerSql: Sql;
  readonly keys: KeyRing;
  readonly ledger: Ledger;
}

/** Ends every test that appended: everything in the ledger fits together, sealed sections included. */
export async function expectLedgerIntact(sql: Sql, keys: KeyRing): Promise<void> {
  const report = await verifyLive(sql, keys);
  expect(report.firstBad).toBeNull();
  expect(report.verdict).toBe('UNANCHORED');
}

export const TEST_ROOT_KEY = Buffer.alloc(32, 7);

/** A ledger as the gateway opens it, with the gateway's rights. */
export async function openTestLedger(
  database: TestDatabase,
  options: Partial<LedgerOptions> = {},
): Promise<LedgerFixture> {
  const sql = database.connectGateway(4);
  const writerSql = database.connectGateway(1);
  const keys = await openKeyRing({ sql, rootKey: TEST_ROOT_KEY, tenants: ['_deployment'] });
  const ledger = await openLedger({
    sql,
    writerSql,
    keys,
    origin: 'countersign.test/ledger',
    now: Date.now,
    recoverMs: 0,
    ...options,
  });
  return { sql, writerSql, keys, ledger };
}

export function newCall(): string {
  return `cs-${randomBytes(16).toString('hex')}`;
}

/** A decision that will be forwarded. */
export function decisionItem(call: string, change: Partial<AppendItem> = {}): AppendItem {
  return {
    tenant: 'demo',
    kind: 'decision',
    class: 'decision',
    call,
    subject: 'user:ada',
    sections: {
      facts: { effect: 'allow', model: 'gpt-4o-mini' },
      subject: { id: 'ada', claims: { team: 'analytics' } },
      request: { bytes: 250, digest: 'ab'.repeat(32) },
      input: { version: 1, point: 'model.request' },
      findings: [{ type: 'EMAIL_ADDRESS', count: 1 }],
      // Long enough for a blob of its own.
      content: { messages: [{ role: 'user', content: 'Grüße an <EMAIL_ADDRESS>. '.repeat(50) }] },
    },
    open: true,
    ...change,
  };
}

export function outcomeItem(call: string, nusd: bigint, change: Partial<AppendItem> = {}): AppendItem {
  return {
    tenant: 'demo',
    kind: 'outcome',
    class: 'outcome',
    call,
    subject: 'user:ada',
    sections: {
      facts: { status: 'ok', cost_nusd: nusd.toString() },
      outcome: { finish_reason: 'stop' },
    },
    settle: { nusd },
    ...change,
  };
}
