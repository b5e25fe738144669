import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerStatus, readCall, readOutcomes } from '../../ledger/index.ts';
import type { CallOutcome } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

const START = Date.UTC(2026, 10, 1);
let database: TestDatabase;
let fixture: LedgerFixture;
let nowMs = START;

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database, { now: () => nowMs });
});
afterAll(async () => {
  await fixture.ledger.close();
  await expectLedgerIntact(fixture.sql, fixture.keys);
  await database.drop();
});

async function outcomes(fromMs: number, toMs: number): Promise<CallOutcome[]> {
  const all: CallOutcome[] = [];
  for await (const outcome of readOutcomes(fixture.sql, 'demo', fromMs, toMs)) all.push(outcome);
  return all;
}

test('a call is read with both entries, their sections and their receipts', async () => {
  const { ledger, sql, keys } = fixture;
  const call = newCall();
  const decision = await ledger.append(decisionItem(call));
  const receipt = await ledger.signReceipt(decision, 'ab'.repeat(32));
  const outcome = await ledger.append(outcomeItem(call, 5n));
  const outcomeReceipt = await ledger.signReceipt(outcome, 'ab'.repeat(32));
  await ledger.append(decisionItem(newCall(), { open: false }));
  const record = await readCall(sql, keys, 'demo', call);
  expect(record).toMatchObject({
    call,
    log: decision.log,
    open: false,
    decision: {
      seq: 0,
      receipt,
      hash: decision.hash,
      sections: { content: { messages: [{ content: expect.stringContaining('Grüße an <EMAIL_ADDRESS>') as string }] } },
    },
    outcome: {
      seq: 1,
      receipt: outcomeReceipt,
      sections: { facts: { status: 'ok' }, outcome: { finish_reason: 'stop' }, content: null },
    },
    lateOutcome: null,
    attempts: [],
  });
  expect(await readCall(sql, keys, 'other', call)).toBeNull();
  expect(await readCall(sql, keys, 'demo', newCall())).toBeNull();
});

test('calls of a period come in order, with open ones marked', async () => {
  const { ledger } = fixture;
  const days: string[] = [];
  for (let day = 1; day <= 5; day += 1) {
    nowMs = START + day * 86_400_000;
    const call = newCall();
    days.push(call);
    await ledger.append(decisionItem(call, { reserve: { scopes: [], nusd: 70n } }));
    if (day !== 4) await ledger.append(outcomeItem(call, BigInt(day)));
  }
  const found = await outcomes(START + 2 * 86_400_000, START + 5 * 86_400_000);
  expect(found.map((each) => each.call)).toEqual(days.slice(1, 4));
  expect(found.map((each) => each.open)).toEqual([false, false, true]);
  expect(found[1]?.facts).toMatchObject({ status: 'ok', cost_nusd: '3' });
  expect(found[2]).toMatchObject({ facts: null, reservedNusd: 70n, timeMs: START + 4 * 86_400_000 });
  expect(await outcomes(0, START)).toEqual([]);
  expect(await outcomes(START + 6 * 86_400_000, START + 9 * 86_400_000)).toEqual([]);
});

test('time never falls along a log, whatever the clock does', async () => {
  const { ledger } = fixture;
  nowMs = START;
  const entry = await ledger.append(decisionItem(newCall(), { open: false }));
  expect(entry.timeMs).toBe(START + 5 * 86_400_000);
});

test('the overview counts entries and open calls', async () => {
  const status = await ledgerStatus(fixture.sql);
  expect(status.logs.map((log) => log.tenant)).toEqual(['_deployment', 'demo']);
  expect(status.openCalls).toBe(1);
  expect(status.writers).toMatchObject([{ wid: fixture.ledger.wid, generation: 1, fenced: false }]);
});
