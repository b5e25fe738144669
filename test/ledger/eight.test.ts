import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBudgets, setBudgetScope } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const WRITERS = 8;
const CALLS = 400;
const FIT = 300;
const RESERVED = 100n;
const SPENT = 100n;

let database: TestDatabase;
let writers: LedgerFixture[];

beforeAll(async () => {
  database = await createDatabase();
  writers = await Promise.all(
    Array.from({ length: WRITERS }, () => openTestLedger(database, { appendTimeoutMs: 60_000 })),
  );
});
afterAll(async () => {
  for (const { ledger } of writers) await ledger.close();
  await database.drop();
});

/** Every writer has its own lease, key and connection, as eight gateways have. */
async function callAll(tenants: readonly string[], scope: string): Promise<number> {
  const results = await Promise.all(
    Array.from({ length: CALLS }, async (_, index) => {
      const ledger = writers[index % WRITERS]?.ledger;
      const [call, tenant] = [newCall(), tenants[index % tenants.length] ?? ''];
      const reserve = { scopes: [scope], nusd: RESERVED };
      try {
        await ledger?.append(decisionItem(call, { tenant, reserve }));
      } catch (error) {
        expect(error).toMatchObject({ code: 'budget_exceeded', scope });
        return false;
      }
      await ledger?.append(outcomeItem(call, SPENT, { tenant }));
      return true;
    }),
  );
  return results.filter(Boolean).length;
}

test.each([
  ['one log', ['one']],
  ['100 logs', Array.from({ length: 100 }, (_, index) => `t-${String(index)}`)],
])(
  'eight writers on %s: dense, nothing twice, and the budget is spent to the last call and no further',
  async (_, tenants) => {
    const [first] = writers;
    if (first === undefined) throw new TypeError('expected writers');
    const scope = `key:${String(tenants.length)}`;
    await setBudgetScope(first.sql, { scope, month: RESERVED * BigInt(FIT) });
    expect(await callAll(tenants, scope)).toBe(FIT);
    const [budget] = await readBudgets(first.sql, [scope]);
    expect(budget).toMatchObject({ reserved: 0n, remaining: 0n, month: { spent: SPENT * BigInt(FIT) } });
    const logs = await first.sql<{ n: string; next: string; tenant: string }[]>`
    select l.tenant, count(*) as n, max(e.seq) + 1 as next from ledger.entries e join ledger.logs l using (log) group by l.tenant`;
    for (const { tenant, n, next } of logs) expect(n, tenant).toBe(next);
    const own = logs.filter(({ tenant }) => tenants.includes(tenant));
    expect(own.reduce((sum, { n }) => sum + Number(n), 0)).toBe(2 * FIT);
    await expectLedgerIntact(first.sql, first.keys);
  },
  120_000,
);
