import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';

/** Why a migration stopped. */
export type MigrationErrorCode =
  'no_migrations' | 'changed_migration' | 'unknown_migration' | 'out_of_order' | 'failed';

/** Nothing of the failed step is kept: every migration file is one transaction. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationErrorCode;

  constructor(code: MigrationErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Where the migrations are, and who hears of each. */
export interface MigrateOptions {
  /** Folder that holds NNNN_name.sql. */
  readonly dir: string;
  /** Called with one line per applied file. */
  readonly log?: (line: string) => void;
}

/** What a run did. */
export interface MigrateResult {
  /** Names of the files applied by this run, in order; empty when the database was current. */
  readonly applied: string[];
  /** Name of the newest migration the database now has. */
  readonly current: string;
}

interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

interface Row {
  readonly name: string;
  readonly checksum: string;
}

/** Any fixed number: the lock's name, one per database. */
const LOCK = 4_826_910_773;
const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

/**
 * Brings a database to the newest schema. Forward only; each file in one transaction under an advisory lock, so that several
 * processes may start at once. Needs a superuser, or a role that may create roles and schemas.
 *
 * @throws {MigrationError} when the database knows a migration this build does not, when an applied file was edited, or when a
 *   statement fails.
 */
export async function migrate(sql: postgres.Sql, options: MigrateOptions): Promise<MigrateResult> {
  const migrations = await readMigrations(options.dir);
  const applied: string[] = [];
  await createBook(sql);
  for (const migration of migrations) {
    if (await applyOnce(sql, migration, migrations)) {
      applied.push(migration.name);
      options.log?.(`migration ${migration.name} applied`);
    }
  }
  return { applied, current: migrations.at(-1)?.name ?? '' };
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => FILE_NAME.test(name)).toSorted();
  if (names.length === 0) {
    throw new MigrationError(
      'no_migrations',
      `expected files named 0001_name.sql in ${dir}, found none; point at the product's migrations folder`,
    );
  }
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dir, name), 'utf8');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function createBook(sql: postgres.Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    const [found] = await tx`select 1 from pg_catalog.pg_namespace where nspname = 'migrations'`;
    if (found) return;
    await tx`create schema migrations`;
    await tx`create table migrations.applied (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`;
  });
}

/** True when this run applied it, false when it was there already. */
async function applyOnce(sql: postgres.Sql, migration: Migration, known: readonly Migration[]): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    const rows = await tx<Row[]>`select name, checksum from migrations.applied order by name`;
    checkBook(rows, known);
    if (rows.some((row) => row.name === migration.name)) return false;
    const newest = rows.at(-1)?.name;
    if (newest !== undefined && newest > migration.name) {
      throw new MigrationError(
        'out_of_order',
        `expected ${migration.name} to be newer than ${newest}, which the database already has; rename the file`,
      );
    }
    await runFile(tx, migration);
    await tx`insert into migrations.applied (name, checksum) values (${migration.name}, ${migration.checksum})`;
    return true;
  });
}

function checkBook(rows: readonly Row[], known: readonly Migration[]): void {
  const files = new Map(known.map((migration) => [migration.name, migration.checksum]));
  for (const row of rows) {
    const checksum = files.get(row.name);
    if (checksum === undefined) {
      throw new MigrationError(
        'unknown_migration',
        `the database has migration ${row.name}, which this build does not know; start the newer build or restore the older database`,
      );
    }
    if (checksum !== row.checksum) {
      throw new MigrationError(
        'changed_migration',
        `migration ${row.name} was applied with another content than the file has now; restore the file, and put changes in a new one`,
      );
    }
  }
}

async function runFile(tx: postgres.TransactionSql, migration: Migration): Promise<void> {
  try {
    await tx.unsafe(migration.text).simple();
    // A file may switch to the owner with `set local role`; the book belongs to the migrator.
    await tx`reset role`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError('failed', `migration ${migration.name} failed and was rolled back: ${reason}`, {
      cause: error,
    });
  }
}
