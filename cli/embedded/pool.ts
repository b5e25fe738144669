import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { DatabaseOptions } from '../database-url.ts';
import { ARRAY_TYPES } from './array-types.ts';

/**
 * A connection of the driver (postgres 3.4.9) that closes while a statement waits in its buffer never sends anything
 * again, and everything it is given later waits with it; a statement of a transaction whose connection is gone ends the
 * process. So connections that closed are not used again here: the next statement gets a new set of them, and a
 * transaction has a connection of its own that ends with it.
 */
export function createPool(options: DatabaseOptions, max: number): Sql {
  const pool = new Pool(options, max);
  return new Proxy(pool.current(), {
    apply: (_, self, args) => Reflect.apply(pool.current(), self, args) as unknown,
    get: (_, name) => (name === 'begin' ? pool.begin : name === 'end' ? pool.end : (pool.of(name)[name] as unknown)),
  });
}

type Named = Record<string | symbol, unknown>;
type Work = (sql: TransactionSql) => unknown;

/** Seconds; what is already running may end in peace. */
const CONNECT_TIMEOUT_S = 10;
const REPLACED_TIMEOUT_S = 30;
/** The driver waits for a statement of a lost connection as long as it is allowed to. */
const DAMAGED_TIMEOUT_S = 1;
/** What waits in a set that was replaced is still given to those of its connections that live. */
const REPLACED_WORKS_MS = 5000;
/** While a database is down every attempt closes a connection: sets that never reached it are not replaced more often. */
const UNUSED_REPLACED_MS = 1000;

class Pool {
  readonly #options: DatabaseOptions;
  readonly #max: number;
  readonly #all = new Set<Sql>();
  #current: Sql;
  #bornMs = performance.now();
  #isDamaged = false;
  /** A server has answered one of its connections. */
  #isUsed = false;
  #listener: Sql | null = null;
  #ended: Promise<void> | null = null;

  constructor(options: DatabaseOptions, max: number) {
    this.#options = options;
    this.#max = max;
    this.#current = this.#make();
  }

  current(): Sql {
    const isDue = this.#isUsed || performance.now() - this.#bornMs >= UNUSED_REPLACED_MS;
    if (this.#isDamaged && isDue && this.#ended === null) this.#replace();
    return this.#current;
  }

  /** Whoever listens does so on a set that stays: the driver subscribes again by itself. */
  of(name: string | symbol): Named {
    if (name !== 'listen') return this.current() as unknown as Named;
    this.#listener ??= this.#open(1, {});
    return this.#listener as unknown as Named;
  }

  begin = async (...args: readonly [Work] | readonly [string, Work]): Promise<unknown> => {
    const [mode, work] = args.length === 1 ? (['', args[0]] as const) : args;
    let isLost = false;
    const sql = this.#open(1, { onclose: () => (isLost = true) });
    const tx = guarded(sql, () => isLost);
    try {
      await sql.unsafe(`begin ${mode}`);
      const result = await work(tx);
      const settled: unknown = Array.isArray(result) ? await Promise.all(result) : result;
      await tx`commit`;
      return settled;
    } finally {
      // Without a commit the server rolls back.
      await this.#close(sql, 0);
    }
  };

  end = ({ timeout }: { timeout?: number } = {}): Promise<void> => {
    const patience = (sql: Sql): number | undefined =>
      sql === this.#current && !this.#isDamaged ? timeout : Math.min(timeout ?? DAMAGED_TIMEOUT_S, DAMAGED_TIMEOUT_S);
    this.#ended ??= Promise.all([...this.#all].map((sql) => this.#close(sql, patience(sql)))).then(() => undefined);
    return this.#ended;
  };

  #replace(): void {
    const old = this.#current;
    this.#current = this.#make();
    this.#bornMs = performance.now();
    this.#isDamaged = false;
    this.#isUsed = false;
    setTimeout(() => void this.#close(old, REPLACED_TIMEOUT_S), REPLACED_WORKS_MS).unref();
  }

  #make(): Sql {
    const made: Sql = this.#open(this.#max, {
      onclose: () => {
        if (made === this.#current) this.#isDamaged = true;
      },
      onparameter: () => {
        if (made === this.#current) this.#isUsed = true;
      },
    });
    return made;
  }

  #open(max: number, hooks: { onclose?: () => void; onparameter?: () => void }): Sql {
    const sql: Sql = postgres({
      ...this.#options,
      ...hooks,
      max,
      onnotice: () => undefined,
      backoff: reconnectAfterS,
      connect_timeout: CONNECT_TIMEOUT_S,
      fetch_types: false,
      types: ARRAY_TYPES,
    });
    this.#all.add(sql);
    return sql;
  }

  async #close(sql: Sql, timeout: number | undefined): Promise<void> {
    await sql.end(timeout === undefined ? {} : { timeout });
    this.#all.delete(sql);
  }
}

/** A statement after the connection was lost would be executed on a new one, outside of the transaction: refused. */
function guarded(sql: Sql, isLost: () => boolean): TransactionSql {
  const check = (): void => {
    if (isLost()) throw new ConnectionLost();
  };
  let points = 0;
  const savepoint = async (work: Work): Promise<unknown> => {
    const name = `point_${String((points += 1))}`;
    await tx.unsafe(`savepoint ${name}`);
    try {
      return await work(tx);
    } catch (error) {
      await tx.unsafe(`rollback to ${name}`);
      throw error;
    }
  };
  const tx = new Proxy(sql, {
    apply: (target, self, args) => {
      check();
      return Reflect.apply(target, self, args) as unknown;
    },
    get: (target, name) => {
      check();
      return name === 'savepoint' ? savepoint : (target as unknown as Named)[name];
    },
  }) as unknown as TransactionSql;
  return tx;
}

class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly code = 'CONNECTION_CLOSED';

  constructor() {
    super('the connection of this transaction was lost; nothing of it was kept');
  }
}

/**
 * The driver's own pauses grow to twenty seconds after a handful of attempts, for which a database that is back would
 * be refused by us. Ours end at half a second, spread so that a fleet does not come back as one.
 */
function reconnectAfterS(attempts: number): number {
  return Math.min(0.5, 0.02 * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2);
}
