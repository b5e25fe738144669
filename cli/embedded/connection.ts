import postgres from 'postgres';
import type { DatabaseOptions } from '../database-url.ts';
import { CliError } from '../errors.ts';
import { createPool } from './pool.ts';

/** What postgres.js needs to reach the embedded server; complete, so that no PG* variable of the environment counts. */
export interface Connection extends DatabaseOptions {
  readonly ssl: false;
}

/** A small pool that survives the loss of its connections. Notices are dropped: they may quote values. */
export function connect(connection: DatabaseOptions, max = 1): postgres.Sql {
  return createPool(connection, max, { connectMs: 10_000, statementMs: null });
}

/** For a process that serves: no statement may keep it waiting for longer than `statementMs`, whatever became of the server. */
export function connectServing(connection: DatabaseOptions, max: number, statementMs: number): postgres.Sql {
  return createPool(connection, max, { connectMs: 5000, statementMs });
}

export interface Server {
  readonly dataDir: string;
  readonly version: string;
}

/** Asks a running server which folder it serves. @throws CliError `data_foreign` when it does not take our password. */
export async function inspectServer(superuser: Connection): Promise<Server> {
  const sql = connect({ ...superuser, database: 'postgres' });
  try {
    const [row] = await sql<Server[]>`
      select current_setting('data_directory') as "dataDir", current_setting('server_version') as version`;
    return row ?? { dataDir: '', version: '' };
  } catch (error) {
    throw new CliError(
      'data_foreign',
      `A PostgreSQL is running in ${superuser.host}, but it does not accept this installation's password. Stop that server, then start again.`,
      { cause: error },
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Creates our database in a new cluster; the attempt to connect is the check, so a later start pays nothing more. */
export async function ensureDatabase(superuser: Connection): Promise<void> {
  const sql = connect(superuser);
  try {
    await sql`select 1`;
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== '3D000') throw error;
    await createDatabase(superuser);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function createDatabase(superuser: Connection): Promise<void> {
  const sql = connect({ ...superuser, database: 'postgres' });
  try {
    await sql`create database ${sql(superuser.database)}`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Gives a role that the migrations made its password: the gateway's, or the notary's. Run after migrating; the statement is never logged
 * (the server's log keeps no statements) and travels over the private socket only.
 */
export async function setGatewayPassword(
  sql: postgres.Sql,
  { user, password }: Pick<Connection, 'user' | 'password'>,
): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(password))
    throw new CliError('state_broken', 'Expected a generated password of 64 hex digits, found something else.');
  // A utility statement takes no parameters; the password is 64 hex digits and the name is quoted as an identifier.
  await sql`alter role ${sql(user)} with login password ${sql.unsafe(`'${password}'`)}`;
}
