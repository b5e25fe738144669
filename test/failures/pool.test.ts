/** Pools of connections that are cut at the worst moments: no statement waits for ever, nothing escapes as unhandled. */
import fc from 'fast-check';
import type { Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { readArray, writeArray } from '../../cli/embedded/array-types.ts';
import { connect, type Connection } from '../../cli/embedded/connection.ts';
import { FaultProxy } from './fault-proxy.ts';
import { eventually } from './stand.ts';

let proxy: FaultProxy;
let place: Connection;
beforeAll(async () => {
  const superuser = { ...inject('superuser'), database: 'postgres' };
  proxy = await FaultProxy.start(superuser);
  place = proxy.reach(superuser);
});
afterEach(() => proxy.open());
afterAll(() => proxy.close());

function pool(max: number): Sql {
  const sql = connect(place, max);
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}

const one = async (sql: Sql): Promise<number | undefined> => (await sql<{ one: number }[]>`select 1 as one`)[0]?.one;

/** A statement is sent in the very turn in which the other connections find out that they are dead. */
async function poison(sql: Sql, max: number): Promise<void> {
  await Promise.all(Array.from({ length: max }, () => sql`select pg_sleep(0.05)`));
  const running = Array.from({ length: Math.ceil(max / 2) }, () => sql`select pg_sleep(10)`);
  const again = running.map((query) => query.catch(() => one(sql)).catch(() => undefined));
  await new Promise((resolve) => setTimeout(resolve, 50));
  proxy.reset();
  await Promise.all(again);
}

test.each([1, 2, 6])('pool of %i: works again after its connections were lost under load', async (max) => {
  const sql = pool(max);
  for (let round = 0; round < 5; round += 1) {
    await poison(sql, max);
    const answers = await Promise.all(
      Array.from({ length: 2 * max }, () => eventually(async () => expect(await one(sql)).toBe(1))),
    );
    expect(answers).toHaveLength(2 * max);
  }
});

describe('transaction whose connection is lost', () => {
  test('between its statements or in the middle of one: rejected, nothing of it is kept, the pool works on', async () => {
    const sql = pool(2);
    await sql`create table if not exists pool_probe (n integer)`;
    onTestFinished(() => sql`drop table pool_probe`.then(() => undefined));
    for (let round = 0; round < 4; round += 1) {
      const lost = sql.begin(async (tx) => {
        await tx`insert into pool_probe values (1)`;
        const pending = round % 2 === 0 ? Promise.resolve() : tx`select pg_sleep(1)`.then(() => undefined);
        setTimeout(() => proxy.reset(), 20);
        await Promise.all([pending, new Promise((resolve) => setTimeout(resolve, 60))]);
        await tx`insert into pool_probe values (2)`;
      });
      await expect(lost).rejects.toThrow();
      expect(await eventually(() => sql`select n from pool_probe`)).toHaveLength(0);
    }
    await sql.begin((tx) => [tx`insert into pool_probe values (3)`, tx`insert into pool_probe values (4)`]);
    expect(await sql`select n from pool_probe order by n`).toEqual([{ n: 3 }, { n: 4 }]);
  });

  test('one that fails is rolled back, and says why', async () => {
    const sql = pool(2);
    const failed = sql.begin('isolation level repeatable read', async (tx) => {
      await tx`create temporary table gone (n integer)`;
      await tx`select * from there_is_no_such_table`;
    });
    await expect(failed).rejects.toMatchObject({ code: '42P01' });
    await expect(sql.begin(() => Promise.reject(new TypeError('mine')))).rejects.toThrow('mine');
  });
});

test('a database that is away: every statement fails soon, and the first one afterwards works', async () => {
  const sql = pool(3);
  expect(await one(sql)).toBe(1);
  await proxy.cut();
  for (let round = 0; round < 20; round += 1) await expect(Promise.all([one(sql), one(sql)])).rejects.toThrow();
  await proxy.open();
  await eventually(async () => expect(await one(sql)).toBe(1));
});

test('subscriptions outlive the loss of every connection', async () => {
  const sql = pool(2);
  const heard: string[] = [];
  await sql.listen('pool_probe', (text) => void heard.push(text));
  await poison(sql, 2);
  await eventually(async () => {
    await sql.notify('pool_probe', 'still there');
    expect(heard).toContain('still there');
  });
});

describe('array literals', () => {
  const texts = fc.array(fc.option(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('NULL'))));

  test('read as they were written, by us and by the server', async () => {
    const sql = pool(1);
    await fc.assert(
      fc.asyncProperty(
        texts.map((list) => list.map((text) => text?.replaceAll('\0', '') ?? null)),
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
        async (list, numbers) => {
          expect(readArray(writeArray(list))).toEqual(list);
          const [row] = await sql<{ list: string[]; numbers: string[]; flags: boolean[]; small: number[] }[]>`
            select ${list as string[]}::text[] as list, ${numbers.map(String)}::bigint[] as numbers,
              array[true, false, null] as flags, array[1, -2]::int4[] as small`;
          expect(row).toEqual({ list, numbers: numbers.map(String), flags: [true, false, null], small: [1, -2] });
        },
      ),
      { numRuns: 50 },
    );
  });
});
