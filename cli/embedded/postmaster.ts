import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
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

/**
 * The server that is alive on this data folder, or null. A pid file whose process is gone, or whose number now belongs
 * to another program, is removed: PostgreSQL itself would refuse to start as long as *any* process has that number.
 */
export function findPostmaster(data: string): Postmaster | null {
  const found = readPostmaster(data);
  if (found === null) return null;
  if (servesFolder(found.pid, data)) return found;
  rmSync(join(data, 'postmaster.pid'), { force: true });
  return null;
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

/**
 * Waits until the server accepts connections; a crash recovery before that can take minutes.
 * @param died says that the process we started has ended, and why
 */
export async function waitUntilReady(
  data: string,
  options: { readonly timeoutMs: number; readonly died: () => string | null; readonly onSlow: () => void },
): Promise<Postmaster> {
  const started = Date.now();
  let announced = false;
  for (;;) {
    const cause = options.died();
    if (cause !== null) throw new CliError('start_failed', cause);
    const found = readPostmaster(data);
    if (found?.status === 'ready') return found;
    const waitedMs = Date.now() - started;
    if (waitedMs > options.timeoutMs) throw tooSlow(data, options.timeoutMs);
    if (waitedMs > 3000 && !announced) {
      announced = true;
      options.onSlow();
    }
    await sleep(POLL_MS);
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
