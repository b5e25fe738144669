import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { DatabaseOptions } from '../database-url.ts';
import { ARRAY_TYPES } from './array-types.ts';
import { PADDING } from './wire-format.ts';
import { Wire } from './wire.ts';

interface PoolLimits {
  /** Longest time to connect. */
  readonly connectMs: number;
  /**
   * Longest a statement may take: the server ends it then, and a server that has not even said so a second later is
   * taken for gone. Null: as long as it takes.
   */
  readonly statementMs: number | null;
}

const SERVER_FIRST_MS = 1000;

/**
 * A pool of the driver (postgres 3.4.9) on connections of our own, because its own do not survive what happens to
 * connections: see Wire. A statement of a transaction whose connection is gone would end the process, so a transaction
 * has a connection to itself here, that ends with it.
 */
export function createPool(options: DatabaseOptions, max: number, limits: PoolLimits): Sql {
  const pool = new Pool(options, max, limits);
  return new Proxy(pool.sql, {
    get: (sql, name) => (name === 'begin' ? pool.begin : name === 'end' ? pool.end : (sql as unknown as Named)[name]),
  });
}

type Named = Record<string | symbol, unknown>;
type Work = (sql: TransactionSql) => unknown;

class Pool {
  readonly #options: DatabaseOptions;
  readonly #limits: PoolLimits;
  readonly #all = new Set<Sql>();
  readonly #wires = new Set<Wire>();
  readonly sql: Sql;
  #ended: Promise<void> | null = null;
  #isOver = false;

  constructor(options: DatabaseOptions, max: number, limits: PoolLimits) {
    this.#options = options;
    this.#limits = limits;
    this.sql = this.#open(max);
  }

  begin = async (...args: readonly [Work] | readonly [string, Work]): Promise<unknown> => {
    const [mode, work] = args.length === 1 ? (['', args[0]] as const) : args;
    let isLost = false;
    const sql = this.#open(1, () => (isLost = true));
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
    this.#ended ??= Promise.all([...this.#all].map((sql) => this.#close(sql, timeout))).then(() => {
      // The driver would connect again for a statement that still waits.
      this.#isOver = true;
      for (const wire of this.#wires) wire.destroy();
    });
    return this.#ended;
  };

  #open(max: number, onclose: () => void = () => undefined): Sql {
    const { connectMs, statementMs } = this.#limits;
    const silenceMs = statementMs === null ? null : statementMs + SERVER_FIRST_MS;
    const socket = (): Wire => {
      const wire = new Wire(this.#options, { connectMs, silenceMs }, this.#wires);
      if (this.#isOver) setImmediate(() => wire.destroy());
      return wire;
    };
    const options = {
      ...this.#options,
      // Wire does it.
      ssl: false,
      connect_timeout: 0,
      socket,
      max,
      // One statement at a time: behind a slow one, none waits on a connection while another connection is free.
      max_pipeline: 0,
      connection: {
        [PADDING.name]: PADDING.value,
        ...(statementMs === null ? {} : { statement_timeout: statementMs }),
      },
      onclose,
      onnotice: () => undefined,
      backoff: reconnectAfterS,
      fetch_types: false,
      types: ARRAY_TYPES,
    };
    const sql = postgres(options) as unknown as Sql;
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
