import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors.ts';
import type { Account } from './account.ts';
import { CLEAN_ENVIRONMENT, POSTGRES_MAJOR, type Binaries } from './binaries.ts';
import { ensurePrivateFolder, writeWhole } from './files.ts';
import { HOST_BASED_ACCESS, inspectMachine, serverSettings, SUPERUSER } from './settings.ts';
import { waitUntilReady, type Postmaster } from './postmaster.ts';

const LOG_MAX_BYTES = 10 * 1024 * 1024;
const READY_TIMEOUT_MS = 10 * 60_000;

/** Byte order everywhere: sorting must not change with the operating system's locale data. */
const CLUSTER_OPTIONS = [
  '--data-checksums',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
] as const;

/**
 * Makes the data folder once. It is built under another name and renamed when complete, so a start that is killed in
 * the middle leaves nothing that looks like a database.
 */
export async function createCluster(
  home: string,
  password: string,
  binaries: Binaries,
  account: Account | null,
): Promise<void> {
  for (const name of readdirSync(home)) {
    if (name.startsWith('init-')) rmSync(join(home, name), { recursive: true, force: true });
  }
  const id = randomBytes(4).toString('hex');
  const staging = join(home, `init-${id}`);
  const passwordFile = join(home, `init-${id}.password`);
  ensurePrivateFolder(staging, account);
  try {
    writeFileSync(passwordFile, `${password}\n`, { flag: 'wx', mode: 0o600 });
    if (account !== null) chownSync(passwordFile, account.uid, account.gid);
    await runInitdb(binaries, staging, passwordFile, account);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(staging, join(home, 'data'));
}

async function runInitdb(
  binaries: Binaries,
  data: string,
  passwordFile: string,
  account: Account | null,
): Promise<void> {
  const child = spawn(
    binaries.initdb,
    ['-D', data, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...CLUSTER_OPTIONS],
    { env: CLEAN_ENVIRONMENT, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], ...identity(account) },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-2000)));
  const ended = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code) => {
      resolve(code === 0 ? null : `status ${String(code)}`);
    });
  });
  if (ended === null) return;
  throw new CliError('start_failed', `initdb could not create the database in ${data} (${ended}): ${lastLine(errors)}`);
}

function identity(account: Account | null): { uid: number; gid: number } | Record<string, never> {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** @throws CliError `data_broken`, `wrong_version` */
export function checkData(home: string): void {
  const data = join(home, 'data');
  const missing = ['PG_VERSION', 'global/pg_control', 'base', 'pg_wal'].filter((name) => !existsSync(join(data, name)));
  if (missing.length > 0) {
    throw new CliError(
      'data_broken',
      `Expected ${data} to be a complete PostgreSQL data folder, found it without ${missing.join(', ')}. ` +
        'Restore it from a backup. To begin anew with an empty ledger, move the folder away.',
    );
  }
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (version === POSTGRES_MAJOR) return;
  throw new CliError(
    'wrong_version',
    `Expected a data folder of PostgreSQL ${POSTGRES_MAJOR} in ${data}, found one of version ${version.slice(0, 16)}. ` +
      'Use the release of Countersign that wrote it, or move its content to a new database with pg_dump of that version.',
  );
}

export interface LaunchOptions {
  readonly home: string;
  readonly socketDir: string;
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly log: (line: string) => void;
}

/** Starts the server in a session of its own, so that Ctrl-C in our terminal reaches only us. */
export async function launch(options: LaunchOptions): Promise<Postmaster> {
  const { home, socketDir, account } = options;
  const data = join(home, 'data');
  ensurePrivateFolder(socketDir, account);
  const mode = account === null ? 0o600 : 0o644;
  writeWhole(join(home, 'postgresql.conf'), serverSettings(socketDir, inspectMachine(home)), mode);
  writeWhole(join(home, 'pg_hba.conf'), HOST_BASED_ACCESS, mode);
  const child = spawnServer(options, data);
  const ended = watch(child, join(home, 'postgres.log'));
  try {
    return await waitUntilReady(data, {
      pid: child.pid,
      timeoutMs: READY_TIMEOUT_MS,
      died: ended,
      onSlow: () => {
        options.log('PostgreSQL is still starting (replaying its log after a crash takes a while)…');
      },
    });
  } catch (error) {
    if (ended() === null) child.kill('SIGINT');
    throw error;
  }
}

function spawnServer({ home, binaries, account }: LaunchOptions, data: string): ChildProcess {
  const logFile = openLog(join(home, 'postgres.log'));
  try {
    const child = spawn(
      binaries.postgres,
      ['-D', data, '-c', `config_file=${join(home, 'postgresql.conf')}`, '-c', `hba_file=${join(home, 'pg_hba.conf')}`],
      { env: CLEAN_ENVIRONMENT, cwd: '/', detached: true, stdio: ['ignore', logFile, logFile], ...identity(account) },
    );
    child.unref();
    return child;
  } finally {
    closeSync(logFile);
  }
}

function openLog(path: string): number {
  const file = openSync(path, 'a', 0o600);
  if (fstatSync(file).size > LOG_MAX_BYTES) ftruncateSync(file);
  return file;
}

/** Tells how the process ended, in words; null while it is running. */
function watch(child: ChildProcess, log: string): () => string | null {
  let failure: string | null = null;
  child.once('error', (error) => (failure = error.message));
  return () => {
    if (failure !== null) return `PostgreSQL could not be started: ${failure}`;
    if (child.exitCode === null && child.signalCode === null) return null;
    return `PostgreSQL did not start: ${lastFatal(log)}. If its files were damaged, restore them from a backup; its log is ${log}.`;
  };
}

function lastFatal(log: string): string {
  const lines = readFileSync(log, 'utf8').slice(-4000).split('\n');
  const fatal = lines.findLast((line) => /(FATAL|PANIC):/.test(line));
  return fatal?.replace(/^.*?(FATAL|PANIC): */, '') ?? lastLine(lines.join('\n'));
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
