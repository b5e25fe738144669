import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, errno } from '../errors.ts';

/** `server`: a running `up`, for its whole life. `command`: any other verb that had to start the database itself. */
export type Role = 'server' | 'command';

export interface Holder {
  readonly pid: number;
  /** Tells this process from a later one with the same number. */
  readonly born: string;
  readonly role: Role;
}

export interface Lock {
  release(): void;
}

const RETRY_MS = 50;
/** A process that died between the two lines of the steal leaves its mark; after this long it counts as dead. */
const STEAL_STALE_MS = 10_000;

/** The living holder of the lock, or null. */
export function lockHolder(path: string): Holder | null {
  const holder = readHolder(path);
  return holder !== null && isAlive(holder) ? holder : null;
}

/**
 * Takes the lock. While `waitFor` says the holder is worth waiting for, waits; otherwise throws.
 * The content appears with the file (link is atomic), so a reader never sees an empty lock.
 * @throws CliError `already_running`, `busy`
 */
export async function takeLock(
  path: string,
  role: Role,
  options: { readonly timeoutMs: number; readonly waitFor: (holder: Holder) => boolean },
): Promise<Lock> {
  const mine: Holder = { pid: process.pid, born: birthOf(process.pid) ?? 'unknown', role };
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    if (tryCreate(path, mine))
      return {
        release: () => {
          releaseLock(path, mine);
        },
      };
    const holder = readHolder(path);
    if (holder !== null && isAlive(holder)) {
      if (!options.waitFor(holder)) throw alreadyRunning(holder);
      if (Date.now() > deadline) throw stillBusy(path, holder);
    } else if (holder !== null) {
      removeStale(path, holder);
    }
    await sleep(RETRY_MS);
  }
}

function alreadyRunning(holder: Holder): CliError {
  return new CliError(
    'already_running',
    `Countersign is already running on this database as process ${String(holder.pid)}. Use it, or stop it first (kill ${String(holder.pid)}).`,
  );
}

function stillBusy(path: string, holder: Holder): CliError {
  return new CliError(
    'busy',
    `Waited for process ${String(holder.pid)}, which is using the embedded database (${path}); it did not finish. Try again later.`,
  );
}

function tryCreate(path: string, holder: Holder): boolean {
  const staging = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(staging, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
  try {
    linkSync(staging, path);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(staging, { force: true });
  }
}

function releaseLock(path: string, mine: Holder): void {
  const holder = readHolder(path);
  if (holder?.pid === mine.pid && holder.born === mine.born) rmSync(path, { force: true });
}

/** Two processes may find the same dead holder; the folder lets one of them look again and remove. */
function removeStale(path: string, dead: Holder): void {
  const mark = `${path}.steal`;
  try {
    mkdirSync(mark);
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    const stats = statSync(mark, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > STEAL_STALE_MS)
      rmSync(mark, { recursive: true, force: true });
    return;
  }
  const now = readHolder(path);
  if (now?.pid === dead.pid && now.born === dead.born) rmSync(path, { force: true });
  rmdirSync(mark);
}

function readHolder(path: string): Holder | null {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    const role: Role = value.role === 'server' ? 'server' : 'command';
    return { pid: Number(value.pid), born: String(value.born), role };
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    // Unreadable content is nobody's: process 0 is never alive.
    return { pid: 0, born: 'unreadable', role: 'command' };
  }
}

function isAlive(holder: Holder): boolean {
  return holder.pid > 0 && birthOf(holder.pid) === holder.born;
}

/**
 * When a process was started, as a text that no later process with the same number shares; null when there is none.
 * Process numbers alone are not enough: in a container every start gets the same small ones.
 */
export function birthOf(pid: number): string | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return process.platform === 'linux' ? birthFromProc(pid) : birthFromPs(pid);
}

function birthFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    // The name in parentheses may hold anything; field 22 (start time) is the 20th after it. A zombie (Z) is dead.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}

function birthFromPs(pid: number): string | null {
  try {
    const born = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { LC_ALL: 'C' },
    });
    return born.trim() === '' ? null : born.trim();
  } catch {
    return null;
  }
}
