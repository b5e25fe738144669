import type { Sql } from 'postgres';
import type { Config } from '../gateway/config.ts';
import { checkReachable, describeDatabase, ensureRootKey, prepareEmbedded, type OpenDatabase } from './database.ts';
import { readDatabaseUrl, type DatabaseOptions } from './database-url.ts';
import { startEmbedded } from './embedded/embedded.ts';
import { CliError } from './errors.ts';
import type { VerbContext } from './verb.ts';

/** The database of a server: `gateway` is all that the gateway ever gets of it. */
export interface ServingDatabase extends OpenDatabase {
  readonly gateway: DatabaseOptions;
}

/** Opens the database to serve from, migrated and with a root key. */
export async function openServing(context: VerbContext, config: Config): Promise<ServingDatabase> {
  return config.database.url === null ? openEmbedded(context, config) : openOwn(context, config, config.database.url);
}

async function openEmbedded({ project, out }: VerbContext, config: Config): Promise<ServingDatabase> {
  const embedded = await startEmbedded({ dataRoot: project.stateDir, log: out.note, role: 'server' });
  if (embedded.adopted)
    out.note(`Adopted the PostgreSQL (process ${String(embedded.pid)}) that an earlier start left running.`);
  try {
    await prepareEmbedded(embedded, project, config, out.note);
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  const unwatch = embedded.keepRunning(out.note);
  const database = describeDatabase(embedded.superuser, embedded.gateway, () => {
    unwatch();
    return embedded.stop();
  });
  return { ...database, gateway: embedded.gateway };
}

async function openOwn({ project, out }: VerbContext, config: Config, url: string): Promise<ServingDatabase> {
  const gateway = readDatabaseUrl(url);
  const database = describeDatabase(gateway, gateway, () => Promise.resolve());
  await checkReachable(database.sql, gateway);
  try {
    await checkRole(database.sql);
    await ensureRootKey(database.sql, project, config, out.note);
  } catch (error) {
    await database.close();
    throw error;
  }
  return { ...database, gateway };
}

interface Rights {
  readonly name: string;
  readonly isSuper: boolean;
  readonly migrated: boolean;
  readonly owner: boolean;
  readonly gateway: boolean;
}

/**
 * A gateway that could rewrite its own evidence would prove nothing: it serves only as a plain member of cs_gateway.
 * @throws CliError `refused_role`, `not_migrated`
 */
async function checkRole(sql: Sql): Promise<void> {
  const [rights] = await sql<Rights[]>`
    select current_user as name, rolsuper as "isSuper", to_regnamespace('ledger') is not null as migrated,
      coalesce((select bool_or(pg_has_role(current_user, oid, 'MEMBER')) from pg_roles where rolname in ('cs_owner', 'cs_append', 'cs_pruner')), false) as owner,
      coalesce((select pg_has_role(current_user, oid, 'USAGE') from pg_roles where rolname = 'cs_gateway'), false) as gateway
    from pg_roles where rolname = current_user`;
  if (rights === undefined || rights.isSuper || rights.owner) {
    throw refused(rights?.name ?? 'unknown', rights?.isSuper === true ? 'a superuser' : 'an owner of the ledger');
  }
  if (!rights.migrated) {
    throw new CliError(
      'not_migrated',
      'Expected a migrated database, found one without our schemas. Run "countersign migrate" as its owner first.',
    );
  }
  if (!rights.gateway) throw refused(rights.name, 'not a member of cs_gateway');
}

function refused(name: string, found: string): CliError {
  return new CliError(
    'refused_role',
    `Expected the login of database.url to be a plain member of cs_gateway, found ${name}, which is ${found}. ` +
      "Create one: create role my_gateway login password '…' in role cs_gateway.",
  );
}
