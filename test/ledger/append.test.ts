import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

test('a decision and its outcome are two linked entries', async () => {
  const { ledger, sql } = await openTestLedger(database);
  const call = newCall();
  const decision = await ledger.append(decisionItem(call));
  expect(decision).toMatchObject({ seq: 0, inc: 0, wid: ledger.wid });
  expect(await sql`select call from ledger.open_calls`).toHaveLength(1);
  const outcome = await ledger.append(outcomeItem(call, 5n));
  expect(outcome.seq).toBe(1);
  expect(await sql`select call from ledger.open_calls`).toHaveLength(0);
  await ledger.close();
  const rows = await sql`select header, encode(hash,'hex') as hash, facts from ledger.entries order by log, seq`;
  console.log(rows);
  const t0 = performance.now();
});

test('speed', async () => {
  const { ledger, sql } = await openTestLedger(database);
  for (const c of [1, 8, 32]) {
    let n = 0;
    const t0 = performance.now();
    await Promise.all(
      Array.from({ length: c }, async () => {
        while (performance.now() - t0 < 1500) {
          const call = newCall();
          await ledger.append(decisionItem(call));
          await ledger.append(outcomeItem(call, 5n));
          n += 2;
        }
      }),
    );
    console.log(c, Math.round((n / (performance.now() - t0)) * 1000), ledger.status());
  }
  await ledger.close();
});
