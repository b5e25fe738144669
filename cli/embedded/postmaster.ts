import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, errno } from '../errors.ts';
import { birthOf } from './lock.ts';

/** What a running server writes about itself into `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly status: string;
}

const POLL_MS = 10;

/** The server that is alive on this data folder, or null. */
export function findPostmaster(data: string): Postmaster | null {
  const found = readPostmaster(data);
  if (found === null) return null;
  if (servesFolder(found.pid, data)) return found;
  if (isTaken(found.pid)) disown(data);
  return null;
}

/** Whether any process has this number: another program, or a dead one that nobody has waited for. */
function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errno(error) === 'EPERM';
  }
}

/** Larger than any process number, so never in use. */
const NO_PROCESS = 2_147_483_647;

/**
 * PostgreSQL refuses to start as long as *any* process has the number in its pid file. The number is replaced, the rest
 * of the file stays: its shared memory key is how a new server notices that sessions of the old one are still alive.
 */
function disown(data: string): void {
  // The account PostgreSQL runs under could have put a link there; root must not write through it.
  const file = openSync(join(data, 'postmaster.pid'), constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const text = readFileSync(file, 'utf8');
    ftruncateSync(file);
    writeSync(file, text.replace(/^.*/, String(NO_PROCESS)), 0);
  } finally {
    closeSync(file);
  }
}

/** Lines of the file: pid, data folder, start time, port, socket folder, TCP address, shared memory key, status. */
function readPostmaster(data: string): Postmaster | null {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').slice(0, 4096).split('\n');
    return {
      pid: Math.abs(Number(lines[0])),
      port: Number(lines[3]),
      socketDir: lines[4] ?? '',
      status: (lines[7] ?? '').trim(),
    };
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
}

/** PostgreSQL makes its data folder its working directory, which is how a recycled process number is told apart. */
function servesFolder(pid: number, data: string): boolean {
  if (birthOf(pid) === null) return false;
  if (process.platform !== 'linux') return commandOf(pid).includes('postgres');
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) === realpathSync(data);
  } catch (error) {
    // Another user's process: not ours. Its folder could not be read, ours could.
    if (errno(error) === 'ENOENT' || errno(error) === 'EACCES') return false;
    throw error;
  }
}

function commandOf(pid: number): string {
  try {
    return execFileSync('/bin/ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

export interface Waiting {
  /** The server waited for: a file that an earlier one left says nothing about it. */
  readonly pid: number | undefined;
  readonly timeoutMs: number;
  /** Says that the server has ended, and why; null while it is alive. */
  readonly died: () => string | null;
  readonly onSlow: () => void;
}

const SLOW_MS = 3000;

/** Waits until the server accepts connections; a crash recovery before that can take minutes. */
export async function waitUntilReady(data: string, options: Waiting): Promise<Postmaster> {
  const started = Date.now();
  for (let announced = false; ; await sleep(POLL_MS)) {
    const cause = options.died();
    if (cause !== null) throw new CliError('start_failed', cause);
    const found = readPostmaster(data);
    if (found?.status === 'ready' && found.pid === options.pid) return found;
    const waitedMs = Date.now() - started;
    if (waitedMs > options.timeoutMs) throw tooSlow(data, options.timeoutMs);
    if (waitedMs > SLOW_MS && !announced) {
      announced = true;
      options.onSlow();
    }
  }
}

function tooSlow(data: string, timeoutMs: number): CliError {
  return new CliError(
    'start_failed',
    `PostgreSQL on ${data} was not ready after ${String(timeoutMs / 1000)} s. It may still be replaying its log after a crash: look at postgres.log beside it and start again.`,
  );
}

/**
 * Fast shutdown: sessions end, a checkpoint is written. A server that does not end in time is told to stop at once,
 * which loses nothing that was committed and costs a recovery at the next start.
 */
export async function stopPostmaster(data: string, pid: number, timeoutMs = 60_000): Promise<void> {
  if (!servesFolder(pid, data)) return;
  signal(pid, 'SIGINT');
  if (await gone(pid, timeoutMs)) return;
  signal(pid, 'SIGQUIT');
  if (await gone(pid, 10_000)) return;
  throw new CliError(
    'stop_failed',
    `PostgreSQL (process ${String(pid)}) does not stop. Look at postgres.log beside ${data}.`,
  );
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errno(error) !== 'ESRCH') throw error;
  }
}

async function gone(pid: number, timeoutMs: number): Promise<boolean> {
  const born = birthOf(pid);
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(POLL_MS)) {
    if (birthOf(pid) !== born || born === null) return true;
  }
  return false;
}
