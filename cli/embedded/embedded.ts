import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { chooseAccount, type Account } from './account.ts';
import { findBinaries, POSTGRES_VERSION } from './binaries.ts';
import { checkData, createCluster, launch, type LaunchOptions } from './cluster.ts';
import { ensureDatabase, inspectServer, type Connection } from './connection.ts';
import { ensureFolder } from './files.ts';
import { Keeper } from './keeper.ts';
import { lockHolder, takeLock, type Lock, type Role } from './lock.ts';
import { findPostmaster, stopPostmaster, waitUntilReady, type Postmaster } from './postmaster.ts';
import { GATEWAY_ROLE, DATABASE, SUPERUSER } from './settings.ts';
import { hasData, loadState, readState, socketFolder, type EmbeddedState } from './state.ts';

export interface EmbeddedOptions {
  /** The state folder, `.countersign` of the project; made when missing. */
  readonly dataRoot: string;
  readonly log: (line: string) => void;
  /** `server` owns the database until `stop()`; `command` leaves a running one alone. Default `server`. */
  readonly role?: Role;
  /** Where root puts database and binaries when the unprivileged account cannot enter `dataRoot`. */
  readonly elsewhere?: string;
}

export interface EmbeddedDatabase {
  readonly socketDir: string;
  readonly port: number;
  readonly dataDir: string;
  /** Of the server at the time it was started. */
  readonly pid: number;
  /** The server was already running: one left behind by a killed process, or the one of a running `up`. */
  readonly adopted: boolean;
  /** For migrations. A superuser: never handed to the gateway. */
  readonly superuser: Connection;
  /** For the gateway. Usable once migrations have made the role and `setGatewayPassword` has run. */
  readonly gateway: Connection;
  /** Starts the server again whenever it has died; returns how to end that. For whoever serves from it. */
  keepRunning(log: (line: string) => void): () => void;
  /** Stops the server if it is ours to stop, and lets go of the lock. */
  stop(): Promise<void>;
}

const ELSEWHERE = '/var/lib/countersign';
const LOCK_TIMEOUT_MS = 120_000;
const LEFT_SESSIONS_MS = 15_000;

/**
 * Starts the embedded PostgreSQL, or adopts the one that is running on the same data. Class `single-host`: whoever has
 * the operating-system account of this process has the database too, so its roles are no boundary against that account.
 * @throws CliError with one of the codes of the embedded database
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const account = chooseAccount(process.getuid?.());
  ensureFolder(options.dataRoot, account === null ? 0o700 : 0o711);
  const dataRoot = realpathSync(options.dataRoot);
  const lockPath = join(dataRoot, 'embedded.lock');
  const role = options.role ?? 'server';
  if (role === 'command' && lockHolder(lockPath)?.role === 'server') return joinServer(dataRoot, lockPath);
  const lock = await takeLock(lockPath, role, {
    timeoutMs: LOCK_TIMEOUT_MS,
    waitFor: (holder) => holder.role === 'command',
  });
  try {
    return await own({ ...options, dataRoot, role }, account, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface OwnOptions extends EmbeddedOptions {
  readonly role: Role;
}

async function own(options: OwnOptions, account: Account | null, lock: Lock): Promise<EmbeddedDatabase> {
  const elsewhere = options.elsewhere ?? ELSEWHERE;
  const state = loadState(options.dataRoot, account, elsewhere);
  const running = await adopt(state, options.log);
  const postmaster = running ?? (await start(options, state, account, elsewhere));
  const database = describe(state, postmaster, running !== null);
  await ensureDatabase(database.superuser);
  // A command never stops a server it found running; everything else goes down with its owner.
  const leave = running !== null && options.role === 'command';
  const keeper = new Keeper(postmaster, () => start(options, state, account, elsewhere));
  return {
    ...database,
    keepRunning: (log) => keeper.watch(log),
    stop: async () => {
      const { pid } = await keeper.end();
      if (!leave) await stopPostmaster(database.dataDir, pid);
      lock.release();
    },
  };
}

/** A server without an owner: its process was killed and PostgreSQL went on. Another version is stopped, not adopted. */
async function adopt(state: EmbeddedState, log: (line: string) => void): Promise<Postmaster | null> {
  const data = join(state.home, 'data');
  const found = findPostmaster(data);
  if (found === null) return null;
  if (found.status === 'stopping') {
    await stopPostmaster(data, found.pid);
    return null;
  }
  const ready = await waitUntilReady(data, {
    pid: found.pid,
    timeoutMs: LOCK_TIMEOUT_MS,
    died: () =>
      findPostmaster(data) === null ? 'the running PostgreSQL ended while it was being adopted; start again' : null,
    onSlow: () => {
      log('Waiting for the running PostgreSQL to become ready…');
    },
  });
  const server = await inspectServer(describe(state, ready, true).superuser);
  if (server.dataDir !== realpathSync(data)) throw foreign(data, server.dataDir);
  if (server.version === POSTGRES_VERSION) return ready;
  log(`Replacing the running PostgreSQL ${server.version} by ${POSTGRES_VERSION}.`);
  await stopPostmaster(data, ready.pid);
  return null;
}

function foreign(expected: string, found: string): CliError {
  return new CliError(
    'data_foreign',
    `Expected the running PostgreSQL to serve ${expected}, found it serving ${found}. Stop that server, then start again.`,
  );
}

async function start(
  options: OwnOptions,
  state: EmbeddedState,
  account: Account | null,
  elsewhere: string,
): Promise<Postmaster> {
  const { home } = state;
  ensureFolder(home, account === null ? 0o700 : 0o711);
  const copyTo = account === null ? options.dataRoot : elsewhere;
  const binaries = findBinaries({ account, copyTo });
  if (!hasData(home)) {
    options.log('Creating the embedded database…');
    await createCluster(home, state.superuserPassword, binaries, account);
  }
  checkData(home);
  const socketDir = socketFolder(home, [tmpdir(), '/tmp']);
  return launchPatiently({ home, socketDir, binaries, account, log: options.log });
}

/** After a kill -9 of the server its sessions need a moment to notice; until then a new one rightly refuses to start. */
async function launchPatiently(options: LaunchOptions): Promise<Postmaster> {
  for (const deadline = Date.now() + LEFT_SESSIONS_MS; ; await sleep(200)) {
    try {
      return await launch(options);
    } catch (error) {
      const left =
        error instanceof CliError && /pre-existing shared memory|lock file .* already exists/.test(error.message);
      if (!left || Date.now() > deadline) throw error;
    }
  }
}

/** Another process runs `up` on this data: wait until its server is ready, use it, and leave it alone. */
async function joinServer(dataRoot: string, lockPath: string): Promise<EmbeddedDatabase> {
  for (const deadline = Date.now() + LOCK_TIMEOUT_MS; Date.now() < deadline; await sleep(50)) {
    const state = readState(dataRoot);
    const found = state === null ? null : findReady(state);
    if (state !== null && found !== null)
      return { ...describe(state, found, true), keepRunning: () => () => undefined, stop: () => Promise.resolve() };
    if (lockHolder(lockPath) === null) break;
  }
  throw new CliError(
    'busy',
    'Another process is starting Countersign on this data and its database did not become ready. Look at the output of that process and try again.',
  );
}

function findReady(state: EmbeddedState): Postmaster | null {
  if (!hasData(state.home)) return null;
  const found = findPostmaster(join(state.home, 'data'));
  return found?.status === 'ready' ? found : null;
}

function describe(
  state: EmbeddedState,
  { pid, port, socketDir }: Postmaster,
  adopted: boolean,
): Omit<EmbeddedDatabase, 'stop' | 'keepRunning'> {
  const place = { host: socketDir, port, database: DATABASE, ssl: false } as const;
  return {
    socketDir,
    port,
    pid,
    adopted,
    dataDir: join(state.home, 'data'),
    superuser: { ...place, user: SUPERUSER, password: state.superuserPassword },
    gateway: { ...place, user: GATEWAY_ROLE, password: state.gatewayPassword },
  };
}
