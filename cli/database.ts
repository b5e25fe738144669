import type postgres from 'postgres';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../gateway/config.ts';
import {
  DEPLOYMENT,
  openKeyRing,
  readRootKey,
  createRootKey,
  type KeyRing,
  type RootKeySource,
} from '../ledger/index.ts';
import { migrate, type MigrateResult } from '../migrations/index.ts';
import { readDatabaseUrl, type DatabaseOptions } from './database-url.ts';
import { connect, setGatewayPassword } from './embedded/connection.ts';
import { startEmbedded, type EmbeddedDatabase } from './embedded/embedded.ts';
import { NOTARY_ROLE } from './embedded/settings.ts';
import { CliError, errno } from './errors.ts';
import type { Project } from './project.ts';
import type { VerbContext } from './verb.ts';

/** A connection for one verb, and what has to be closed afterwards. */
export interface OpenDatabase {
  /** With all rights on the embedded database, with those of database.url otherwise. */
  readonly sql: postgres.Sql;
  /** Opens a pool with the gateway's rights, which is all that administration needs. */
  connectGateway(max: number): postgres.Sql;
  /** The embedded database with the rights of the notary, which signs checkpoints. */
  connectNotary(): postgres.Sql;
  close(): Promise<void>;
}

/**
 * The database of the project for a verb: the one of `database.url`, or the embedded one, which is started when no
 * server is running and then brought to the current schema, so that every verb works on a fresh clone.
 */
export async function openDatabase(
  { project, out }: Pick<VerbContext, 'project' | 'out'>,
  config: Config,
): Promise<OpenDatabase> {
  if (config.database.url !== null) return openOwn(readDatabaseUrl(config.database.url));
  const embedded = await startEmbedded({ dataRoot: project.stateDir, log: out.note, role: 'command' });
  try {
    if (!embedded.adopted) await prepareEmbedded(embedded, project, config, out.note);
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  return describeDatabase(embedded.superuser, embedded.gateway, () => embedded.stop());
}

async function openOwn(options: DatabaseOptions): Promise<OpenDatabase> {
  const database = describeDatabase(options, options, () => Promise.resolve());
  await checkReachable(database.sql, options);
  return database;
}

/** Pools on a database that are closed together, before `stop` runs. */
export function describeDatabase(
  reader: DatabaseOptions,
  gateway: DatabaseOptions,
  stop: () => Promise<void>,
): OpenDatabase {
  const pools = [connect(reader, 4)];
  const openAs = (options: DatabaseOptions, max: number): postgres.Sql => {
    const pool = connect(options, max);
    pools.push(pool);
    return pool;
  };
  const open = (max: number): postgres.Sql => openAs(gateway, max);
  const [sql = open(4)] = pools;
  return {
    sql,
    connectGateway: open,
    connectNotary: () => openAs({ ...gateway, user: NOTARY_ROLE }, 1),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })));
      await stop();
    },
  };
}

/** @throws CliError `database_unreachable` naming host and port, never the password */
export async function checkReachable(sql: postgres.Sql, { host, port }: DatabaseOptions): Promise<void> {
  try {
    await sql`select 1`;
  } catch (error) {
    await sql.end({ timeout: 1 });
    const code = errno(error) ?? 'no answer';
    throw new CliError(
      'database_unreachable',
      `Expected a PostgreSQL at ${host} port ${String(port)}, found none that lets us in (${code}). Check database.url and that the server is running.`,
      { cause: error },
    );
  }
}

/** Runs work with the project's database and closes it whatever happens. */
export async function withDatabase<T>(
  context: VerbContext,
  config: Config,
  work: (database: OpenDatabase) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(context, config);
  try {
    return await work(database);
  } catch (error) {
    throw explainMissingSchema(error);
  } finally {
    await database.close();
  }
}

/** "relation does not exist" and "schema does not exist" mean one thing to the reader. */
function explainMissingSchema(error: unknown): unknown {
  const code = errno(error);
  if (code !== '42P01' && code !== '3F000' && code !== '42883') return error;
  return new CliError(
    'not_migrated',
    'Expected a migrated database, found one without our tables. Run "countersign migrate" with the owner\'s database.url.',
    { cause: error },
  );
}

/** What the first start of an embedded database needs besides the server: schema, gateway password, root key. */
export async function prepareEmbedded(
  embedded: EmbeddedDatabase,
  project: Project,
  config: Config,
  log: (line: string) => void,
): Promise<MigrateResult> {
  const sql = connect(embedded.superuser);
  try {
    const result = await migrate(sql, { dir: join(project.root, 'migrations'), log });
    await setGatewayPassword(sql, embedded.gateway);
    // One host, one account: nothing would be gained by another password.
    await setGatewayPassword(sql, { ...embedded.gateway, user: NOTARY_ROLE });
    await ensureRootKey(sql, project, config, log);
    return result;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Makes the root key of a database that has none yet. A lost key is not replaced: what it sealed would stay sealed.
 * @throws CliError `state_broken`
 */
export async function ensureRootKey(
  sql: postgres.Sql,
  project: Project,
  config: Config,
  log: (line: string) => void,
): Promise<void> {
  const path = project.path(config.keys.path);
  if (config.keys.provider !== 'file' || existsSync(path)) return;
  const [known] = await sql`select 1 from keystore.root limit 1`;
  if (known !== undefined) {
    throw new CliError(
      'state_broken',
      `Expected the root key of this database at ${path}, found nothing. Restore it from its copy: everything in the ledger that is not public is sealed with it.`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (await createRootKey(path)) log(`Made the root key ${path}: keep a copy apart from the database.`);
}

/** Where the root key of this project comes from. */
export function rootKeySource(project: Project, config: Config, env: NodeJS.ProcessEnv): RootKeySource {
  const { provider, path, variable } = config.keys;
  return provider === 'file' ? { provider, path: project.path(path) } : { provider, value: env[variable] };
}

/** The keys that open the ledger's sections, for verbs that read them. */
export async function openKeys(
  { project, env }: Pick<VerbContext, 'project' | 'env'>,
  config: Config,
  sql: postgres.Sql,
): Promise<KeyRing> {
  const rootKey = await readRootKey(rootKeySource(project, config, env));
  return openKeyRing({ sql, rootKey, tenants: [DEPLOYMENT, ...config.tenants.keys()] });
}
