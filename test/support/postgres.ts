import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { inject } from 'vitest';
import { connect, setGatewayPassword, type Connection } from '../../cli/embedded/connection.ts';
import { migrate } from '../../migrations/index.ts';

export interface TestDatabase {
  readonly name: string;
  /** Options for postgres.js: the superuser, and the role the gateway runs as. */
  readonly admin: Connection;
  readonly gateway: Connection;
  /** Opens a pool that `drop()` closes. */
  connectAdmin(max?: number): Sql;
  connectGateway(max?: number): Sql;
  /** A copy of the database as it is now, for `restore`. Ends every session, as a crash would. */
  copy(): Promise<string>;
  /** Puts a copy in the place of the database; what was there is dropped. */
  restore(copy: string): Promise<void>;
  /** The same as a `database.url`. */
  url(role: 'admin' | 'gateway'): string;
  drop(): Promise<void>;
}

const TEMPLATE = 'countersign_template';
/** Any number, the same for all test processes. */
const TEMPLATE_LOCK = 7_311_842;

/** A database of its own with all migrations applied: a copy of a template that is migrated once per run. */
export async function createDatabase(): Promise<TestDatabase> {
  const superuser = inject('superuser');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withServer(superuser, async (sql) => {
    await ensureTemplate(sql, superuser);
    await sql`create database ${sql(name)} template ${sql(TEMPLATE)}`;
  });
  return describe(name, superuser, { ...inject('gateway'), database: name });
}

/** The state of another database as of now, which nobody may be connected to: what a restore from a backup gives. */
export async function copyDatabase(source: TestDatabase): Promise<TestDatabase> {
  const superuser = inject('superuser');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withServer(superuser, async (sql) => sql`create database ${sql(name)} template ${sql(source.name)}`);
  return describe(name, superuser, { ...inject('gateway'), database: name });
}

function describe(name: string, superuser: Connection, gateway: Connection): TestDatabase {
  const admin = { ...superuser, database: name };
  const pools: Sql[] = [];
  const open = (connection: Connection, max: number): Sql => {
    const pool = connect(connection, max);
    pools.push(pool);
    return pool;
  };
  return {
    name,
    admin,
    gateway,
    connectAdmin: (max = 4) => open(admin, max),
    connectGateway: (max = 4) => open(gateway, max),
    copy: async () => {
      const copy = `${name}_${randomBytes(3).toString('hex')}`;
      await withServer(superuser, async (sql) =>
        alone(sql, name, () => sql`create database ${sql(copy)} template ${sql(name)}`),
      );
      return copy;
    },
    restore: (copy) =>
      withServer(superuser, async (sql) =>
        alone(sql, name, async () => {
          await sql`drop database ${sql(name)} with (force)`;
          await sql`alter database ${sql(copy)} rename to ${sql(name)}`;
        }),
      ),
    url: (role) => toUrl(role === 'admin' ? admin : gateway),
    drop: async () => {
      await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })));
      await withServer(superuser, async (sql) => sql`drop database if exists ${sql(name)} with (force)`);
    },
  };
}

/** Nobody connects meanwhile. */
async function alone(sql: Sql, name: string, work: () => Promise<unknown>): Promise<void> {
  await sql`alter database ${sql(name)} allow_connections false`;
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  for (;;) {
    const [row] = await sql<{ n: string }[]>`select count(*) as n from pg_stat_activity where datname = ${name}`;
    if (row?.n === '0') break;
  }
  await work();
  await sql`alter database ${sql(name)} allow_connections true`;
}

function toUrl({ user, password, database, host, port }: Connection): string {
  return `postgres://${user}:${password}@localhost/${database}?host=${encodeURIComponent(host)}&port=${String(port)}`;
}

async function withServer(superuser: Connection, work: (sql: Sql) => Promise<unknown>): Promise<void> {
  const sql = connect({ ...superuser, database: 'postgres' });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The first process to ask migrates, the others wait; a comment on the database says that it is complete. */
async function ensureTemplate(sql: Sql, superuser: Connection): Promise<void> {
  await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`;
  try {
    const [row] = await sql<{ note: string | null }[]>`
      select shobj_description(oid, 'pg_database') as note from pg_database where datname = ${TEMPLATE}`;
    if (row?.note === 'complete') return;
    await sql`drop database if exists ${sql(TEMPLATE)}`;
    await sql`create database ${sql(TEMPLATE)}`;
    await migrateTemplate({ ...superuser, database: TEMPLATE });
    await sql`comment on database ${sql(TEMPLATE)} is 'complete'`;
  } finally {
    await sql`select pg_advisory_unlock(${TEMPLATE_LOCK})`;
  }
}

async function migrateTemplate(connection: Connection): Promise<void> {
  const sql = connect(connection);
  try {
    await migrate(sql, { dir: join(process.cwd(), 'migrations'), log: () => undefined });
    await setGatewayPassword(sql, inject('gateway'));
    await setGatewayPassword(sql, { ...inject('gateway'), user: 'cs_notary' });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
