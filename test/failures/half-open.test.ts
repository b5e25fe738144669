/** DESIGN §6: database away, and nobody says so. Connections that die in silence, and servers that only accept. */
import fc from 'fast-check';
import type { Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Connection } from '../../cli/embedded/connection.ts';
import { createPool } from '../../cli/embedded/pool.ts';
import { Answers, cleanStart, PADDING } from '../../cli/embedded/wire-format.ts';
import { eventually, startStand, type Stand } from './stand.ts';
import { TcpRoad } from './tcp-road.ts';

/** More than a spin makes in a moment, less than a pool that takes its time. */
const FEW = 150;

describe('pool', () => {
  let road: TcpRoad;
  let place: Connection;
  beforeAll(async () => {
    const superuser = { ...inject('superuser'), database: 'postgres' };
    road = await TcpRoad.start(superuser);
    place = road.reach(superuser);
  });
  afterEach(() => road.set('open'));
  afterAll(() => road.close());

  function pool(max: number, statementMs: number | null = 500, connectMs = 500): Sql {
    const sql = createPool(place, max, { connectMs, statementMs });
    onTestFinished(() => sql.end({ timeout: 1 }));
    return sql;
  }

  const one = async (sql: Sql): Promise<number | undefined> => (await sql<{ one: number }[]>`select 1 as one`)[0]?.one;

  test('server that accepts and closes: the statement fails, nobody spins, the first one afterwards works', async () => {
    const sql = pool(3);
    road.set('closing');
    const before = road.accepted;
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.allSettled([one(sql), one(sql), one(sql), one(sql)]);
      expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    }
    expect(road.accepted - before).toBeLessThanOrEqual(20);
    road.set('open');
    expect(await one(sql)).toBe(1);
  });

  test('server that accepts and never answers: the statement fails, the first one afterwards works', async () => {
    const sql = pool(2);
    road.set('silent');
    await expect(one(sql)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    road.set('open');
    expect(await one(sql)).toBe(1);
  });

  test('connections that died in silence are found out together', async () => {
    const sql = pool(3);
    await Promise.all([1, 2, 3].map(() => sql`select pg_sleep(0.1)`));
    road.lose();
    const running = [one(sql), one(sql)];
    const [first, second] = await Promise.allSettled(running);
    expect([first?.status, second?.status]).toEqual(['rejected', 'rejected']);
    // The third was idle, and is not believed either.
    expect(await Promise.all([1, 2, 3, 4].map(() => one(sql)))).toEqual([1, 1, 1, 1]);
  });

  test('statement that takes too long is ended by the server, its connection stays', async () => {
    const sql = pool(1);
    await one(sql);
    const before = road.accepted;
    await expect(sql`select pg_sleep(30)`).rejects.toMatchObject({ name: 'PostgresError', code: '57014' });
    expect(await one(sql)).toBe(1);
    expect(road.accepted).toBe(before);
  });

  test('without a limit a statement takes as long as it takes, and an answer in many pieces arrives whole', async () => {
    const sql = pool(2, null);
    const [slow, rows] = await Promise.all([
      sql`select 1 as one from pg_sleep(1.5)`,
      sql<{ n: number; text: string }[]>`select n, repeat('x', n % 7000) as text from generate_series(1, 3000) n`,
    ]);
    expect(slow).toHaveLength(1);
    expect(rows.map(({ text }) => text.length)).toEqual(Array.from({ length: 3000 }, (_, n) => (n + 1) % 7000));
  });

  test('ended while statements wait: each is answered or refused, no connection is left', async () => {
    road.set('closing');
    await eventually(() => expect(road.connected).toBe(0));
    road.set('open');
    const sql = createPool(place, 1, { connectMs: 500, statementMs: null });
    const waiting = Promise.allSettled([sql`select pg_sleep(0.3)`, one(sql), one(sql)]);
    await eventually(() => expect(road.connected).toBe(1));
    await sql.end();
    expect(await waiting).toHaveLength(3);
    await expect(one(sql)).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
    await eventually(() => expect(road.connected).toBe(0));
  });
});

describe('gateway', () => {
  let road: TcpRoad;
  let stand: Stand;
  beforeAll(async () => {
    road = await TcpRoad.start(inject('gateway'));
    stand = await startStand({ reach: road.reach });
  });
  afterEach(() => road.set('open'));
  afterAll(async () => {
    await stand.stop();
    await road.close();
  });

  test.each([
    ['database that accepts and never answers', 'silent'],
    ['database that accepts and closes', 'closing'],
  ] as const)('%s: 503 in time and nothing sent, serves again by itself', async (_, how) => {
    expect((await stand.chat()).status).toBe(200);
    const { requests } = stand.mock.counters;
    const before = road.accepted;
    road.set(how);
    // Longer than the keys are believed.
    for (const endMs = performance.now() + 5000; performance.now() < endMs;) {
      const answers = await Promise.all([stand.chat(), stand.chat({ stream: true })]);
      for (const { status, code } of answers) expect([status, code]).toEqual([503, 'ledger_unavailable']);
      expect((await fetch(`${stand.gateway.dataUrl}/readyz`)).status).toBe(503);
    }
    expect(stand.mock.counters.requests).toBe(requests);
    expect(road.accepted - before).toBeLessThan(FEW);
    road.set('open');
    await stand.ready();
    await eventually(async () => expect((await stand.chat()).status).toBe(200));
  });

  test('every connection dies in silence, the database is there: 503 in time, serves again by itself', async () => {
    expect((await stand.chat()).status).toBe(200);
    const { requests } = stand.mock.counters;
    road.lose();
    expect(await stand.chat()).toMatchObject({ status: 503, code: 'ledger_unavailable' });
    expect(stand.mock.counters.requests).toBe(requests);
    await eventually(async () => expect((await stand.chat()).status).toBe(200));
    await stand.ready();
  });
});

describe('protocol', () => {
  const message = fc
    .tuple(fc.constantFrom('D', 'C', 'Z', 'T', '2'), fc.uint8Array({ maxLength: 40 }))
    .map(([type, body]) => {
      const head = Buffer.alloc(5);
      head.write(type, 'latin1');
      head.writeUInt32BE(body.length + 4, 1);
      return { type, bytes: Buffer.concat([head, body]) };
    });

  test('the end of an answer is found however it is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), fc.array(fc.nat(60)), (messages, cuts) => {
        const answers = new Answers();
        let rest = Buffer.concat(messages.map(({ bytes }) => bytes));
        for (const cut of cuts) {
          answers.read(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        answers.read(rest);
        expect(answers.ready).toBe(messages.filter(({ type }) => type === 'Z').length);
      }),
    );
  });

  test('a new connection begins with its startup message, whatever was left of the last one', () => {
    const startup = (parameters: string): Buffer => {
      const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]), Buffer.from(parameters), Buffer.alloc(1)]);
      bytes.writeUInt32BE(bytes.length, 0);
      return bytes;
    };
    const written = startup(`user\0ada\0${PADDING.name}\0${PADDING.value}\0database\0db\0`);
    const sent = startup('user\0ada\0database\0db\0');
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (left) => {
        expect(cleanStart(Buffer.concat([...left.map(({ bytes }) => bytes), written]))).toEqual(sent);
      }),
    );
    expect(written.length).toBeGreaterThan(1024);
  });
});
