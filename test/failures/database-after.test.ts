/** DESIGN §6: database lost after the upstream answered; the same loss before and after the append took effect. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Stand } from './stand.ts';
import { eventually, startStand } from './stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
  // The first call makes keys, with statements of their own.
  expect((await stand.chat()).status).toBe(200);
  stand.mock.reset();
});
afterEach(async () => {
  await stand.proxy.open();
  // Everything that waited has gone through when a new call does.
  await eventually(async () => expect((await stand.chat()).status).toBe(200));
  stand.mock.reset();
});
afterAll(() => stand.stop());

/** The append of one entry of a kind as it is on the wire: a parameter with its length before it. */
const appendOf = (kind: string): string => `\0\0\0${String.fromCharCode(kind.length)}${kind}`;

/** How the outcome's append is lost. */
const LOSSES = [
  { loss: 'cut before the outcome was written', fault: 'before', road: 'cut' },
  { loss: 'cut after the outcome was written, its answer lost', fault: 'after', road: 'cut' },
  { loss: 'silent before the outcome was written', fault: 'before', road: 'stalled' },
  { loss: 'silent after the outcome was written', fault: 'after', road: 'stalled' },
] as const;

/** Calls while the outcome cannot become durable; the caller's answer, and the time it had it. */
async function callWithLoss(body: object, { fault, road }: (typeof LOSSES)[number]): Promise<[Answer, number]> {
  const struck = stand.proxy.next(appendOf('outcome'), fault, road);
  const answer = await stand.chat(body);
  await struck;
  return [answer, Date.now()];
}

async function expectLateOutcome(call: string, answeredMs: number): Promise<void> {
  const outcome = await eventually(async () => {
    const record = await stand.record(call);
    expect(record.open).toBe(false);
    return record.outcome;
  });
  // The whole truth, with the time of the answer and not of the database's return.
  expect(outcome?.sections['facts']).toMatchObject({ status: 'ok', http_status: 200, unpriced: false });
  expect(outcome?.timeMs).toBeLessThanOrEqual(answeredMs);
  const [{ count } = { count: 0 }] = await stand.sql<{ count: number }[]>`
    select count(*)::int as count from ledger.entries where call = ${call} and kind in ('outcome', 'late_outcome')`;
  expect(count).toBe(1);
}

describe.each(LOSSES)('database lost after the upstream answered ($loss)', (how) => {
  test('answer in one piece: 502 outcome_unrecorded, body withheld, outcome appended late with its own time', async () => {
    stand.mock.set({ content: 'The answer nobody may see.' });
    const [answer, answeredMs] = await callWithLoss({}, how);
    expect([answer.status, answer.code], answer.text).toEqual([502, 'outcome_unrecorded']);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.text).not.toContain('nobody may see');
    expect(stand.mock.counters.requests).toBe(1);
    await stand.proxy.open();
    await expectLateOutcome(answer.call, answeredMs);
  });

  test('stream: error event and no [DONE], outcome appended late with its own time', async () => {
    stand.mock.set({ content: 'One two three four five six seven eight.', chunks: 4 });
    const [answer, answeredMs] = await callWithLoss({ stream: true }, how);
    expect([answer.status, answer.code], answer.text).toEqual([200, 'outcome_unrecorded']);
    expect(answer.text).not.toContain('[DONE]');
    expect(answer.text).not.toContain('finish_reason":"stop"');
    expect(stand.mock.counters.requests).toBe(1);
    await stand.proxy.open();
    await expectLateOutcome(answer.call, answeredMs);
  });
});

/** The connection dies but the database is there: nobody but the ledger notices. */
describe.each(['before', 'after'] as const)('connection lost %s the append took effect, database there', (fault) => {
  test.each(['decision', 'outcome'])('%s: appended exactly once, the call goes on', async (kind) => {
    const struck = stand.proxy.next(appendOf(kind), fault, 'open');
    const answer = await stand.chat();
    await struck;
    expect(answer.status).toBe(200);
    expect(stand.mock.counters.requests).toBe(1);
    const { decision, outcome, open } = await stand.record(answer.call);
    expect([decision?.kind, outcome?.kind, open]).toEqual(['decision', 'outcome', false]);
    expect(outcome?.sections['facts']).toMatchObject({ status: 'ok' });
  });
});

test.each(['cut', 'stalled'] as const)(
  'decision written but its answer lost, then %s: 503, nothing sent, the call is closed as not sent',
  async (road) => {
    const struck = stand.proxy.next(appendOf('decision'), 'after', road);
    const answer = await stand.chat();
    await struck;
    expect([answer.status, answer.code]).toEqual([503, 'ledger_unavailable']);
    await stand.proxy.open();
    await eventually(async () => {
      const { decision, outcome, open } = await stand.record(answer.call);
      expect(decision).not.toBeNull();
      expect(outcome?.sections['facts']).toMatchObject({ status: 'not_sent', cost_nusd: '0' });
      expect(open).toBe(false);
    });
    expect(stand.mock.counters.requests).toBe(0);
  },
);
