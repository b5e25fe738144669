/** DESIGN §6: clock jumps. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readOutcomes } from '../../ledger/index.ts';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';

/** Every wall clock of this process, shifted before the gateway is loaded: it keeps the function it finds. */
const clock = vi.hoisted(() => {
  const real = Date.now;
  const shift = { ms: 0 };
  Date.now = () => real() + shift.ms;
  return { shift, real };
});

const HOUR_MS = 3_600_000;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ tenant: '  - { id: demo, policies: [baseline], budget: { monthly_usd: "1" } }' });
});
afterAll(async () => {
  clock.shift.ms = 0;
  await stand.stop();
});

test('clock jumps: order stays, the skew is in the entries, calls go on', async () => {
  const calls: string[] = [];
  for (const ms of [0, HOUR_MS, -2 * HOUR_MS, -26 * HOUR_MS, 0]) {
    clock.shift.ms = ms;
    for (const stream of [false, true]) {
      const answer = await stand.chat({ stream });
      expect(answer.status).toBe(200);
      calls.push(answer.call);
    }
  }
  // In the middle of a call: the decision before the jump, the outcome after it.
  stand.mock.next({ delayMs: 200 });
  const jumped = stand.chat();
  setTimeout(() => (clock.shift.ms = -5 * HOUR_MS), 50);
  const { status, call } = await jumped;
  expect(status).toBe(200);
  calls.push(call);

  const rows = await stand.sql<{ seq: number; kind: string; call: string; t: string; facts: string }[]>`
    select e.seq::int, e.kind, e.call, e.t, e.facts from ledger.entries e
    join ledger.logs l on l.log = e.log and l.tenant = 'demo' where e.kind in ('decision', 'outcome') order by e.seq`;
  expect(rows.map((row) => row.call)).toEqual(calls.flatMap((id) => [id, id]));
  expect(rows.map((row) => row.kind)).toEqual(calls.flatMap(() => ['decision', 'outcome']));
  const times = rows.map((row) => Number(row.t));
  expect(times).toEqual(times.toSorted((a, b) => a - b));

  // What the clock really said stands beside the order: an hour ahead, which is not believed, then behind.
  const skews = rows.map(
    (row, n) => (times[n] ?? 0) - (JSON.parse(row.facts) as { ledger: { at_ms: number } }).ledger.at_ms,
  );
  expect(skews.slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(Math.max(...skews.slice(4, 8))).toBeLessThan(-0.9 * HOUR_MS);
  expect(Math.min(...skews.slice(8, 12))).toBeGreaterThan(1.9 * HOUR_MS);
  expect(Math.min(...skews.slice(-1))).toBeGreaterThan(4.9 * HOUR_MS);
});

test('clock far ahead: calls are reported in the month they were made in, and so are those after them', async () => {
  const fromMs = clock.real();
  const calls: string[] = [];
  for (const days of [0, 40, 0]) {
    clock.shift.ms = days * 24 * HOUR_MS;
    calls.push((await stand.chat()).call);
  }
  const reported: string[] = [];
  // The database's clock decides, give or take a minute.
  for await (const { call } of readOutcomes(stand.sql, 'demo', fromMs - 60_000, clock.real() + 61_000))
    reported.push(call);
  expect(reported.slice(-3)).toEqual(calls);
});

test('clock jumps do not expire what was known: keys and leases run on', async () => {
  for (const ms of [30 * 24 * HOUR_MS, -30 * 24 * HOUR_MS]) {
    clock.shift.ms = ms;
    expect((await stand.chat()).status).toBe(200);
    expect((await fetch(`${stand.gateway.dataUrl}/readyz`)).status).toBe(200);
  }
});
