/** DESIGN §6: gateway paused beyond its lease. Here the road to its database is silent; paused.test.ts stops a process. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { afterEach, describe, expect, test } from 'vitest';
import { connect } from '../../cli/embedded/connection.ts';
import { openKeyRing, openLedger, readBudgets, recoverExpired, type Ledger } from '../../ledger/index.ts';
import { openTestLedger, TEST_ROOT_KEY } from '../support/ledger.ts';
import type { Facts, Stand } from './stand.ts';
import { eventually, startStand } from './stand.ts';

const LEASE_MS = 1000;
const SECRET = 'The answer nobody may see.';

let stand: Stand;
const ledgers: Ledger[] = [];
afterEach(async () => {
  await stand.proxy.open();
  for (const ledger of ledgers.splice(0)) await ledger.close();
  await stand.stop();
});

async function begin(): Promise<void> {
  stand = await startStand({
    ledger: `lease_ms: ${String(LEASE_MS)}`,
    tenant: '  - { id: demo, policies: [baseline], budget: { monthly_usd: "1" } }',
    timeouts: 'first_byte_ms: 60000',
  });
}

/** Another process of the deployment, which sees the database all the time. */
async function survivor(recoverMs = 100): Promise<{ ledger: Ledger; sql: Sql }> {
  const opened = await openTestLedger(stand.gateway.database, { leaseMs: LEASE_MS, recoverMs });
  ledgers.push(opened.ledger);
  return opened;
}

async function factsOf(call: string, kind: 'outcome' | 'late_outcome'): Promise<Facts | null> {
  const [row] = await stand.sql<{ facts: string }[]>`
    select facts from ledger.entries where call = ${call} and kind = ${kind}`;
  return row === undefined ? null : (JSON.parse(row.facts) as Facts);
}

async function onlyCall(): Promise<string> {
  const [row] = await stand.sql<{ call: string }[]>`select call from ledger.open_calls`;
  return row?.call ?? '';
}

describe('gateway paused beyond its lease: releases nothing more, late_outcome corrects the unknown', () => {
  test.each([
    ['answer in one piece, which arrives during the pause', { delayMs: 300 }, false],
    ['answer in one piece, which arrives after the pause', { delayMs: 4500 }, false],
    ['stream, which ends during the pause', { delayMs: 300 }, true],
    ['stream, which ends after the pause', { chunks: 10, chunkDelayMs: 450 }, true],
  ])('%s', async (_, timing, stream) => {
    await begin();
    await survivor();
    stand.mock.set({ content: SECRET, ...timing });
    const pending = stand.chat({ stream, max_tokens: 50 });
    const call = await eventually(async () => {
      expect(stand.mock.counters.requests).toBe(1);
      const id = await onlyCall();
      expect(id).not.toBe('');
      return id;
    });
    stand.proxy.stall();

    const unknown = await eventually(async () => {
      const facts = await factsOf(call, 'outcome');
      expect(facts).not.toBeNull();
      return facts;
    });
    expect(unknown).toMatchObject({ status: 'unknown', cost_nusd: null });
    const reserved = (await stand.facts('decision')).at(-1)?.['reserved_nusd'];
    expect(unknown?.['ledger']).toMatchObject({ booked_nusd: reserved });
    await stand.proxy.open();

    const answer = await pending;
    expect(answer.code).toBe('outcome_unrecorded');
    expect(answer.status).toBe(stream ? 200 : 502);
    expect(answer.text).not.toContain('[DONE]');
    if (!stream) expect(answer.text).not.toContain('nobody may see');
    const late = await eventually(async () => {
      const facts = await factsOf(call, 'late_outcome');
      expect(facts).not.toBeNull();
      return facts;
    });
    expect(late).toMatchObject({ status: 'ok', cost_nusd: '26000', ledger: { booked_nusd: '26000' } });
    const [budget] = await readBudgets(stand.sql, ['tenant:demo']);
    expect([budget?.month.spent, budget?.reserved]).toEqual([26_000n, 0n]);

    // It may write nothing more, so it takes no calls; a supervisor sees it.
    expect(await stand.chat()).toMatchObject({ status: 503, code: 'ledger_unavailable' });
    expect(stand.mock.counters.requests).toBe(1);
    expect((await fetch(`${stand.gateway.dataUrl}/readyz`)).status).toBe(503);
  });
});

test('a fenced gateway that stops waits until its unknown is there to be corrected', async () => {
  await begin();
  const peer = await survivor(0);
  stand.mock.set({ content: SECRET, delayMs: 200 });
  const pending = stand.chat({ max_tokens: 50 });
  const call = await eventually(async () => {
    const id = await onlyCall();
    expect(id).not.toBe('');
    return id;
  });
  // Another process has taken over, and dies before it has closed a call.
  await stand.sql`update ledger.writers set fenced = true, generation = generation + 1 where wid <> ${peer.ledger.wid}`;
  await stand.gateway.fenced;
  expect(await pending).toMatchObject({ status: 502, code: 'outcome_unrecorded' });
  const stopped = stand.gateway.drain();
  await sleep(300);
  expect(await factsOf(call, 'outcome')).toBeNull();
  await recoverExpired(peer);
  await stopped;
  expect(await factsOf(call, 'outcome')).toMatchObject({ status: 'unknown' });
  expect(await factsOf(call, 'late_outcome')).toMatchObject({ status: 'ok', cost_nusd: '26000' });
});

test('database away for longer than every lease: no process fences another, all serve again', async () => {
  await begin();
  const { database } = stand.gateway;
  const reach = (max: number): ReturnType<typeof connect> => connect(stand.proxy.reach(database.gateway), max);
  const [sql, writerSql] = [reach(2), reach(1)];
  const keys = await openKeyRing({ sql, rootKey: TEST_ROOT_KEY, tenants: ['_deployment'] });
  const peer = await openLedger({
    sql,
    writerSql,
    keys,
    origin: stand.gateway.config.ledger.origin,
    now: Date.now,
    leaseMs: LEASE_MS,
    recoverMs: 50,
  });
  expect((await stand.chat()).status).toBe(200);

  await stand.proxy.cut();
  await new Promise((resolve) => setTimeout(resolve, 3 * LEASE_MS));
  await stand.proxy.open();

  await stand.ready();
  expect((await stand.chat()).status).toBe(200);
  // Time enough for whoever would fence.
  await new Promise((resolve) => setTimeout(resolve, 3 * LEASE_MS));
  expect((await stand.chat()).status).toBe(200);
  expect(peer.status().state).not.toBe('fenced');
  const fenced = await stand.sql`select wid from ledger.writers where fenced and wid = ${peer.wid}`;
  expect(fenced).toEqual([]);
  await peer.close();
  await Promise.all([sql.end(), writerSql.end()]);
});
