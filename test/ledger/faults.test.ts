import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readBudgets, recoverExpired, setBudgetScope } from '../../ledger/index.ts';
import type { AppendItem, LedgerOptions } from '../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger, outcomeItem } from '../support/ledger.ts';
import type { LedgerFixture } from '../support/ledger.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let admin: Sql;
let survivor: LedgerFixture;

beforeAll(async () => {
  database = await createDatabase();
  admin = database.connectAdmin(3);
  survivor = await openTestLedger(database);
});
afterAll(async () => {
  await survivor.ledger.close();
  await expectLedgerIntact(survivor.sql, survivor.keys);
  await database.drop();
});

function attempt(call: string): AppendItem {
  return { tenant: 'demo', kind: 'attempt', class: 'attempt:1', call, subject: null, sections: { facts: { n: 1 } } };
}

/** Facts of one call's entries by class. */
async function factsOf(call: string): Promise<Record<string, Record<string, unknown>>> {
  const rows = await admin<
    { class: string; facts: string }[]
  >`select class, facts from ledger.entries where call = ${call}`;
  return Object.fromEntries(rows.map((row) => [row.class, JSON.parse(row.facts) as Record<string, unknown>]));
}

/** Holds the demo log's head, so that every append waits, until the returned function is called. */
async function holdHead(): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let held = (): void => undefined;
  const locked = new Promise<void>((resolve) => (held = resolve));
  const transaction = admin.begin(async (tx) => {
    await tx`select 1 from ledger.heads h join ledger.logs l using (log) where l.tenant = 'demo' for update of h`;
    held();
    await released;
  });
  await locked;
  return async () => {
    release();
    await transaction;
  };
}

async function killWriter({ writerSql }: LedgerFixture, pid: number): Promise<void> {
  void writerSql;
  await admin`select pg_terminate_backend(${pid})`;
}

async function writerPid({ writerSql }: LedgerFixture): Promise<number> {
  const [row] = await writerSql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

async function open(options: Partial<LedgerOptions> = {}): Promise<LedgerFixture> {
  const fixture = await openTestLedger(database, options);
  await fixture.ledger.append(attempt(newCall()));
  return fixture;
}

describe('a lost connection', () => {
  test('killed again and again under load loses nothing and doubles nothing', async () => {
    const fixture = await open();
    const { ledger } = fixture;
    let stop = false;
    const acknowledged: string[] = [];
    const workers = Array.from({ length: 16 }, async () => {
      while (!stop) {
        const call = newCall();
        await ledger.append(decisionItem(call));
        await ledger.append(outcomeItem(call, 1n));
        acknowledged.push(call);
      }
    });
    for (let round = 0; round < 12; round += 1) {
      await sleep(40 + round * 7);
      await admin`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'select ledger.append(%' and pid <> pg_backend_pid()`;
    }
    stop = true;
    await Promise.all(workers);
    await ledger.close();
    const rows = await admin<{ call: string; n: string }[]>`
      select call, count(*) as n from ledger.entries where call = any (${acknowledged}) group by call`;
    expect(rows).toHaveLength(acknowledged.length);
    expect(rows.every((row) => row.n === '2')).toBe(true);
    expect(ledger.status().refused).toBe(0);
    await expectLedgerIntact(survivor.sql, survivor.keys);
  });

  test('a batch cut off before it was applied is applied once', async () => {
    const fixture = await open();
    const pid = await writerPid(fixture);
    const release = await holdHead();
    const call = newCall();
    const appended = fixture.ledger.append(decisionItem(call));
    await sleep(50);
    await killWriter(fixture, pid);
    await release();
    await expect(appended).resolves.toMatchObject({ wid: fixture.ledger.wid });
    await fixture.ledger.append(outcomeItem(call, 1n));
    await fixture.ledger.close();
  });
});

describe('a slow database', () => {
  test('a decision that becomes durable after its caller was told no is closed as not sent', async () => {
    await setBudgetScope(survivor.sql, { scope: 'key:slow', month: 100n });
    const fixture = await open({ appendTimeoutMs: 800 });
    const release = await holdHead();
    const call = newCall();
    const item = decisionItem(call, { reserve: { scopes: ['key:slow'], nusd: 60n } });
    await expect(fixture.ledger.append(item)).rejects.toMatchObject({ code: 'unavailable' });
    expect(fixture.ledger.status()).toMatchObject({ refused: 1 });
    await release();
    await vi.waitFor(async () => expect((await factsOf(call))['outcome']).toMatchObject({ status: 'not_sent' }));
    const [state] = await readBudgets(survivor.sql, ['key:slow']);
    expect(state).toMatchObject({ reserved: 0n, month: { spent: 0n } });
    // The gap is recorded once the database answers again.
    await vi.waitFor(async () => {
      const [gap] = await admin<
        { facts: string }[]
      >`select facts from ledger.entries where kind = 'gap' and wid = ${fixture.ledger.wid}`;
      expect(JSON.parse(gap?.facts ?? '{}')).toMatchObject({
        cause: 'timeout',
        refused: 1,
        last: { seq: expect.any(Number) as number },
      });
    });
    await fixture.ledger.close();
  });

  test('an item that never left the queue is dropped, and an outcome is kept', async () => {
    const fixture = await open({ appendTimeoutMs: 800, queueLimit: 3 });
    const call = newCall();
    await fixture.ledger.append(decisionItem(call));
    const release = await holdHead();
    const first = fixture.ledger.append(attempt(newCall()));
    await sleep(5);
    const calls = [newCall(), newCall()];
    const waiting = calls.map((each) => fixture.ledger.append(decisionItem(each)));
    const outcome = fixture.ledger.append(outcomeItem(call, 3n));
    const over = fixture.ledger.append(attempt(newCall()));
    for (const each of [first, ...waiting, outcome, over]) each.catch(() => undefined);
    await expect(over).rejects.toMatchObject({ code: 'unavailable' });
    await expect(outcome).rejects.toMatchObject({ code: 'unavailable' });
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'unavailable' });
    expect(fixture.ledger.status().late).toBe(1);
    await release();
    await vi.waitFor(async () =>
      expect((await factsOf(call))['outcome']).toMatchObject({ status: 'ok', cost_nusd: '3' }),
    );
    for (const each of calls) expect(await factsOf(each)).toEqual({});
    await fixture.ledger.close();
  });
});

describe('a read-only database', () => {
  test('refuses while it lasts and leaves one gap entry', async () => {
    const fixture = await open({ appendTimeoutMs: 1200 });
    const pid = await writerPid(fixture);
    const call = newCall();
    await fixture.ledger.append(decisionItem(call));
    await admin.unsafe(`alter role cs_gateway in database ${database.name} set default_transaction_read_only = on`);
    await killWriter(fixture, pid);
    const refused: AppendItem[] = [...[1, 2, 3].map(() => decisionItem(newCall())), outcomeItem(call, 2n)];
    // A job of the process itself, that will try again: nobody was refused.
    refused.push({ ...attempt(newCall()), kind: 'refusals', class: 'event' });
    for (const result of await Promise.allSettled(refused.map((item) => fixture.ledger.append(item)))) {
      expect(result).toMatchObject({ reason: { code: 'unavailable' } });
    }
    expect(fixture.ledger.status().state).toBe('down');
    await admin.unsafe(`alter role cs_gateway in database ${database.name} reset default_transaction_read_only`);
    await admin`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and usename = 'cs_gateway' and query like '%resume_writer%'`;
    await vi.waitFor(async () => expect((await factsOf(call))['outcome']).toMatchObject({ status: 'ok' }), {
      timeout: 10_000,
    });
    await vi.waitFor(async () => {
      const gaps = await admin<
        { facts: string }[]
      >`select facts from ledger.entries where kind = 'gap' and wid = ${fixture.ledger.wid}`;
      expect(gaps).toHaveLength(1);
      expect(JSON.parse(gaps[0]?.facts ?? '{}')).toMatchObject({ cause: 'read_only', refused: 4 });
    });
    expect(fixture.ledger.status().state).toBe('up');
    await fixture.ledger.close();
  });
});

describe('leases', () => {
  test('the calls of a dead process are closed as unknown, once, by whoever is faster', async () => {
    await setBudgetScope(survivor.sql, { scope: 'key:dead', month: 100n });
    const dead = await open({ leaseMs: 1, renewMs: 3_600_000 });
    const calls = [newCall(), newCall(), newCall()];
    for (const call of calls) {
      await dead.ledger.append(decisionItem(call, { reserve: { scopes: ['key:dead'], nusd: 20n } }));
    }
    const second = await open();
    const results = await Promise.all([survivor, second].map(({ sql, ledger }) => recoverExpired({ sql, ledger })));
    expect(results.reduce((sum, result) => sum + result.closed, 0)).toBe(3);
    expect(results.flatMap((result) => result.fenced)).toContain(dead.ledger.wid);
    for (const call of calls)
      expect((await factsOf(call))['outcome']).toMatchObject({ status: 'unknown', cost_nusd: null });
    const [state] = await readBudgets(survivor.sql, ['key:dead']);
    expect(state).toMatchObject({ reserved: 0n, month: { spent: 60n } });
    await second.ledger.close();
    await expectLedgerIntact(survivor.sql, survivor.keys);
    await dead.ledger.close();
  });

  test('a process that was only paused may not append, and corrects its unknown with a late outcome', async () => {
    const onFenced = vi.fn();
    const paused = await open({ leaseMs: 1, renewMs: 3_600_000, onFenced });
    const call = newCall();
    await paused.ledger.append(decisionItem(call));
    await recoverExpired(survivor);
    await expect(paused.ledger.append(outcomeItem(call, 9n))).rejects.toMatchObject({ code: 'fenced' });
    expect(onFenced).toHaveBeenCalledOnce();
    expect(paused.ledger.status().state).toBe('fenced');
    await expect(paused.ledger.append(decisionItem(newCall()))).rejects.toMatchObject({ code: 'fenced' });
    await vi.waitFor(async () =>
      expect((await factsOf(call))['late_outcome']).toMatchObject({ status: 'ok', cost_nusd: '9' }),
    );
    await paused.ledger.close();
  });

  test('a survivor that is fenced before it knows leaves the one correction to the process that knows', async () => {
    const [paused, loser] = [await open({ renewMs: 3_600_000 }), await open({ renewMs: 3_600_000 })];
    const call = newCall();
    await paused.ledger.append(decisionItem(call));
    const both = [paused.ledger.wid, loser.ledger.wid];
    await admin`update ledger.writers set fenced = true, generation = generation + 1 where wid = any (${both})`;
    await expect(recoverExpired(loser)).rejects.toMatchObject({ code: 'fenced' });
    await recoverExpired(survivor);
    // Whatever the loser still had to say would be said by now.
    await loser.ledger.close();
    await expect(paused.ledger.append(outcomeItem(call, 9n))).rejects.toMatchObject({ code: 'fenced' });
    await paused.ledger.close();
    expect(await factsOf(call)).toMatchObject({
      outcome: { status: 'unknown' },
      late_outcome: { status: 'ok', cost_nusd: '9' },
    });
  });

  test('renewal keeps a lease, and finds out about fencing by itself', async () => {
    const onFenced = vi.fn();
    const fixture = await open({ leaseMs: 400, renewMs: 50, onFenced });
    await sleep(700);
    expect((await recoverExpired(survivor)).fenced).not.toContain(fixture.ledger.wid);
    await admin`update ledger.writers set fenced = true, generation = generation + 1 where wid = ${fixture.ledger.wid}`;
    await vi.waitFor(() => expect(onFenced).toHaveBeenCalledOnce());
    await fixture.ledger.close();
  });

  test('an orderly end leaves no open call behind for the lease to run out', async () => {
    const fixture = await open();
    const call = newCall();
    await fixture.ledger.append(decisionItem(call));
    await fixture.ledger.close();
    await recoverExpired(survivor);
    expect((await factsOf(call))['outcome']).toMatchObject({ status: 'unknown', closed_for: fixture.ledger.wid });
  });
});

describe('a batch', () => {
  test('with one item the database refuses keeps its neighbours', async () => {
    await admin.unsafe(`create function ledger.poison() returns trigger language plpgsql as
      $$ begin if new.call like 'poison%' then raise exception 'no' using errcode = '22000'; end if; return new; end $$;
      create trigger poison before insert on ledger.entries for each row execute function ledger.poison()`);
    const fixture = await open();
    const calls = [newCall(), 'poison-1', newCall(), newCall(), 'poison-2', newCall()];
    const results = await Promise.allSettled(calls.map((call) => fixture.ledger.append(attempt(call))));
    expect(results.map((result) => result.status === 'fulfilled')).toEqual([true, false, true, true, false, true]);
    expect(results[1]).toMatchObject({ reason: { code: 'invalid_entry' } });
    await fixture.ledger.close();
    await admin.unsafe('drop trigger poison on ledger.entries; drop function ledger.poison()');
  });

  test('on a connection with another isolation level is refused', async () => {
    const fixture = await openTestLedger(database);
    await fixture.writerSql`set default_transaction_isolation = 'repeatable read'`;
    await expect(fixture.ledger.append(attempt(newCall()))).rejects.toMatchObject({ code: 'isolation' });
    await fixture.writerSql`reset default_transaction_isolation`;
    await fixture.ledger.close();
  });
});
