/** DESIGN §6: database down, slow or read-only before sending. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Answer, Facts, Stand } from './stand.ts';
import { eventually, startStand } from './stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterEach(async () => {
  await stand.proxy.open();
  await stand.ready();
});
afterAll(() => stand.stop());

const STREAM = { stream: true };

interface Outage {
  readonly cause: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** As a failover leaves it behind: sessions end, and new ones may only read. */
async function setReadOnly(on: boolean): Promise<void> {
  const { sql, gateway } = stand;
  const { name } = gateway.database;
  await sql`alter database ${sql(name)} set default_transaction_read_only = ${sql.unsafe(on ? 'on' : 'off')}`;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and usename = 'cs_gateway'`;
}

const OUTAGES: Readonly<Record<string, Outage>> = {
  down: {
    cause: 'connection',
    begin: () => stand.proxy.cut(),
    end: () => stand.proxy.open(),
  },
  slow: {
    cause: 'timeout',
    begin: () => Promise.resolve(stand.proxy.stall()),
    end: () => stand.proxy.open(),
  },
  'read-only': {
    cause: 'read_only',
    begin: () => setReadOnly(true),
    end: () => setReadOnly(false),
  },
};

function expectRefused(answers: readonly Answer[]): void {
  for (const { status, code, headers, text } of answers) {
    expect([status, code]).toEqual([503, 'ledger_unavailable']);
    // The SDKs may try again: nothing was sent.
    expect(headers.get('x-should-retry')).toBeNull();
    expect(headers.get('x-countersign-receipt')).toBeNull();
    expect(text).not.toContain('Hello');
  }
}

test.each(Object.keys(OUTAGES))(
  'database %s before sending: 503 ledger_unavailable, nothing sent, one gap entry on return',
  async (kind) => {
    const { chat, mock, facts, record } = stand;
    const outage = OUTAGES[kind];
    expect((await chat()).status).toBe(200);
    const sent = mock.counters.requests;
    const gaps = (await facts('gap')).length;
    const [head] = await heads();

    await outage?.begin();
    const answers = await Promise.all([chat(), chat(), chat(STREAM), chat(STREAM), chat()]);
    expectRefused(answers);
    expect(mock.counters.requests).toBe(sent);
    await outage?.end();

    // No further call is needed for the evidence of the gap.
    const gap = await eventually(async () => {
      const [first, ...more] = (await facts('gap')).slice(gaps);
      expect([first, more]).toEqual([expect.anything(), []]);
      return first as Facts & { from_ms: number; to_ms: number };
    });
    expect(gap).toMatchObject({
      cause: outage?.cause,
      refused: answers.length,
      last: { seq: head?.seq, log: head?.log },
    });
    expect(gap.from_ms).toBeLessThanOrEqual(gap.to_ms);

    await stand.ready();
    const after = await chat();
    expect(after.status).toBe(200);
    expect(mock.counters.requests).toBe(sent + 1);
    // Of the refused calls the ledger holds nothing, or a decision that is closed as not sent.
    for (const { call } of answers) {
      const kept = await record(call).catch(() => null);
      if (kept !== null) expect(kept.outcome?.sections['facts']).toMatchObject({ status: 'not_sent' });
    }
  },
);

test('database away for longer than keys are believed: every refusal counts in the gap entry, without a further call', async () => {
  const { chat, mock, facts } = stand;
  await stand.ready();
  expect((await chat()).status).toBe(200);
  const sent = mock.counters.requests;
  const gaps = (await facts('gap')).length;
  await stand.proxy.cut();
  // By now nobody knows which keys were revoked: calls are refused before anything is appended.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const answers = [await chat(), await chat(STREAM), await chat()];
  expectRefused(answers);
  for (const { text } of answers) expect(text).toContain('Keys cannot be checked');
  await stand.proxy.open();
  const gap = await eventually(async () => {
    const found = (await facts('gap')).slice(gaps);
    expect(found).toHaveLength(1);
    return found[0];
  });
  expect(gap).toMatchObject({ refused: answers.length, cause: 'connection' });
  expect(mock.counters.requests).toBe(sent);
});

/** The last entry of the tenant. */
async function heads(): Promise<{ log: string; seq: number }[]> {
  return stand.sql<{ log: string; seq: number }[]>`
    select e.log, e.seq::int from ledger.entries e join ledger.logs l on l.log = e.log and l.tenant = 'demo'
    order by e.seq desc limit 1`;
}
