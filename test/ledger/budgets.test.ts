import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBudgets, setBudgetScope } from '../../ledger/index.ts';
import type { BudgetState } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let sql: Sql;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  sql = fixture.sql;
});
afterAll(async () => {
  await fixture.ledger.close();
  await expectLedgerIntact(sql, fixture.keys);
  await database.drop();
});

async function budget(scope: string): Promise<BudgetState> {
  const [state] = await readBudgets(sql, [scope]);
  if (state === undefined) throw new TypeError(`no budget ${scope}`);
  return state;
}

function reserve(call: string, nusd: bigint, ...scopes: string[]): Parameters<LedgerFixture['ledger']['append']>[0] {
  return decisionItem(call, { reserve: { scopes, nusd } });
}

describe('reservations', () => {
  test('200 concurrent calls on a budget for 10, from two processes, get exactly 10', async () => {
    await setBudgetScope(sql, { scope: 'key:ten', month: 1000n });
    const other = await openTestLedger(database);
    const ledgers = [fixture.ledger, other.ledger];
    const calls = Array.from({ length: 200 }, () => newCall());
    const results = await Promise.allSettled(
      calls.map((call, index) => (ledgers[index % 2] ?? fixture.ledger).append(reserve(call, 100n, 'key:ten'))),
    );
    const held = calls.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(held).toHaveLength(10);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'budget_exceeded', scope: 'key:ten' });
    }
    expect(await budget('key:ten')).toMatchObject({
      reserved: 1000n,
      remaining: 0n,
      month: { spent: 0n, limit: 1000n },
    });
    await expectLedgerIntact(sql, fixture.keys);
    await Promise.all(held.map((call) => fixture.ledger.append(outcomeItem(call, 30n))));
    expect(await budget('key:ten')).toMatchObject({
      reserved: 0n,
      remaining: 700n,
      day: { spent: 300n },
      week: { spent: 300n },
    });
    await other.ledger.close();
  });

  test('every limited period and every scope counts, and a refusal holds nothing anywhere', async () => {
    await setBudgetScope(sql, { scope: 'key:day', day: 10n, month: 1000n });
    await setBudgetScope(sql, { scope: 'key:wide', week: 1000n });
    const call = newCall();
    await expect(fixture.ledger.append(reserve(call, 11n, 'key:wide', 'key:day'))).rejects.toMatchObject({
      scope: 'key:day',
    });
    expect((await budget('key:wide')).reserved).toBe(0n);
    await fixture.ledger.append(reserve(call, 10n, 'key:wide', 'key:day'));
    await expect(fixture.ledger.append(reserve(newCall(), 1n, 'key:day'))).rejects.toMatchObject({
      code: 'budget_exceeded',
    });
    await fixture.ledger.append(outcomeItem(call, 4n));
    expect(await budget('key:day')).toMatchObject({ remaining: 6n, reserved: 0n });
    expect(await budget('key:wide')).toMatchObject({ remaining: 996n, week: { spent: 4n } });
  });

  test('a real cost above the reservation is booked in full', async () => {
    await setBudgetScope(sql, { scope: 'key:over', month: 10n });
    const call = newCall();
    await fixture.ledger.append(reserve(call, 10n, 'key:over'));
    await fixture.ledger.append(outcomeItem(call, 25n));
    expect(await budget('key:over')).toMatchObject({ month: { spent: 25n }, remaining: 0n });
    await expect(fixture.ledger.append(reserve(newCall(), 0n, 'key:over'))).rejects.toMatchObject({
      code: 'budget_exceeded',
    });
  });

  test('an unknown books the full reservation, and its late outcome the difference', async () => {
    await setBudgetScope(sql, { scope: 'key:late', month: 100n });
    const call = newCall();
    await fixture.ledger.append(reserve(call, 40n, 'key:late'));
    const facts = { status: 'unknown', cost_nusd: null };
    await fixture.ledger.append(outcomeItem(call, 0n, { sections: { facts }, settle: { nusd: 'reserved' } }));
    expect(await budget('key:late')).toMatchObject({ month: { spent: 40n }, reserved: 0n });
    await fixture.ledger.append({ ...outcomeItem(call, 15n), kind: 'late_outcome', class: 'late_outcome' });
    expect(await budget('key:late')).toMatchObject({ month: { spent: 15n }, reserved: 0n, remaining: 85n });
  });

  test('a scope that does not exist is refused by name', async () => {
    await expect(fixture.ledger.append(reserve(newCall(), 1n, 'key:nobody'))).rejects.toMatchObject({
      code: 'unknown_scope',
      scope: 'key:nobody',
    });
  });
});

describe('scopes', () => {
  test('a new tenant scope starts from what the ledger shows; others at zero; limits change later', async () => {
    const call = newCall();
    await fixture.ledger.append(decisionItem(call, { tenant: 'old' }));
    await fixture.ledger.append(outcomeItem(call, 123n, { tenant: 'old' }));
    expect(await setBudgetScope(sql, { scope: 'tenant:old', month: 1000n })).toBe(true);
    expect(await budget('tenant:old')).toMatchObject({
      day: { spent: 123n },
      week: { spent: 123n },
      month: { spent: 123n },
    });
    expect(await setBudgetScope(sql, { scope: 'tenant:old', day: 5n })).toBe(false);
    expect(await budget('tenant:old')).toMatchObject({
      day: { limit: 5n, spent: 123n },
      month: { limit: null },
      remaining: 0n,
    });
    await setBudgetScope(sql, { scope: 'org' });
    expect((await budget('org')).month.spent).toBeGreaterThanOrEqual(123n);
    expect((await budget('org')).remaining).toBeNull();
  });

  test('periods that are over count as nothing', async () => {
    await setBudgetScope(sql, { scope: 'key:past', day: 10n, month: 10n });
    const call = newCall();
    await fixture.ledger.append(reserve(call, 10n, 'key:past'));
    await fixture.ledger.append(outcomeItem(call, 10n));
    const admin = database.connectAdmin(1);
    await admin`update ledger.budget_totals set day = day - 1, week = week - 1, month = month - 1 where scope = 'key:past'`;
    expect(await budget('key:past')).toMatchObject({ day: { spent: 0n }, month: { spent: 0n }, remaining: 10n });
    const next = newCall();
    await fixture.ledger.append(reserve(next, 10n, 'key:past'));
    await fixture.ledger.append(outcomeItem(next, 3n));
    expect(await budget('key:past')).toMatchObject({ day: { spent: 3n }, month: { spent: 3n } });
    // The totals were moved by hand: put them right, so that the closing check of this file holds.
    await admin`update ledger.budget_totals set spent_day = 13, spent_week = 13, spent_month = 13
      where (scope, n) = (select scope, max(n) from ledger.budget_totals where scope = 'key:past' group by scope)`;
  });

  test('old totals are pruned and nothing changes by it', async () => {
    const before = await budget('key:ten');
    await sql`select ledger.prune_budget_totals(100000)`;
    const [count] = await sql<{ n: string }[]>`select count(*) as n from ledger.budget_totals where scope = 'key:ten'`;
    expect(count?.n).toBe('1');
    expect(await budget('key:ten')).toEqual(before);
  });

  test('malformed scopes and limits are refused', async () => {
    await expect(setBudgetScope(sql, { scope: 'a,b' })).rejects.toMatchObject({ code: 'invalid_entry' });
    await expect(setBudgetScope(sql, { scope: 'a', day: -1n })).rejects.toMatchObject({ code: 'invalid_entry' });
  });
});
