import type { Sql } from 'postgres';

type Connect = (max: number, statementMs: number) => Sql;

/** Runs work that opens pools, and ends them when it fails: a process that cannot start has to be able to end. */
export async function withPools<T>(connect: Connect, work: (connect: Connect) => Promise<T>): Promise<T> {
  const pools: Sql[] = [];
  try {
    return await work((max, statementMs) => {
      const pool = connect(max, statementMs);
      pools.push(pool);
      return pool;
    });
  } catch (error) {
    await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })));
    throw error;
  }
}
