import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PolicyError } from '../errors.ts';

/**
 * Finds the policy compiler: the official opa in exactly one version, so that the same sources give the same module
 * everywhere. Order: COUNTERSIGN_OPA, PATH, our cache, and last a build with Go from the module in policies/compiler,
 * whose go.sum pins every byte of source. Nothing is ever downloaded except by Go's own module client.
 */

/** Has to be the version policies/compiler/go.mod requires (tested). */
export const OPA_VERSION = '1.22.2';

export interface FindOpaOptions {
  /** Folder that holds go.mod and go.sum of the compiler: policies/compiler. */
  readonly compilerDir: string;
  /** Receives one line for each step of a build, which takes minutes. */
  readonly log: (line: string) => void;
  /** Default: process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const REMEDY =
  `install Go 1.26 or newer (https://go.dev/dl) and run again, or put opa ${OPA_VERSION} on PATH, ` +
  'or set COUNTERSIGN_OPA to its path';
const PACKAGE = 'github.com/open-policy-agent/opa';
const LOCK_POLL_MS = 500;
const LOCK_STALE_MS = 30 * 60_000;
const PROGRESS_MS = 15_000;

const run = promisify(execFile);

/**
 * Path of an executable opa of the pinned version. Throws PolicyError `compiler_version` (COUNTERSIGN_OPA points to
 * something else), `compiler_missing` (none found and no Go) or `compiler_failed` (the build failed).
 */
export async function findOpa(options: FindOpaOptions): Promise<string> {
  const env = options.env ?? process.env;
  const chosen = env['COUNTERSIGN_OPA'];
  if (chosen !== undefined && chosen !== '') return checkChosen(chosen);
  for (const candidate of onPath(env, 'opa')) {
    if ((await opaVersion(candidate)) === OPA_VERSION) return candidate;
  }
  const folder = join(cacheRoot(env), 'opa', `${OPA_VERSION}-${process.platform}-${process.arch}`);
  const cached = join(folder, executable('opa'));
  if ((await opaVersion(cached)) === OPA_VERSION) return cached;
  await withLock(folder, options.log, async () => {
    if ((await opaVersion(cached)) !== OPA_VERSION) await buildWithGo(options, env, cached);
  });
  return cached;
}

async function checkChosen(path: string): Promise<string> {
  const version = await opaVersion(path);
  if (version === OPA_VERSION) return path;
  const found = version === null ? 'something that is not opa' : `opa ${version}`;
  throw new PolicyError(
    'compiler_version',
    `COUNTERSIGN_OPA: expected opa ${OPA_VERSION}, found ${found}; unset it or ${REMEDY}`,
  );
}

/** The version an opa says it has; null when it is not there or not opa. */
async function opaVersion(path: string): Promise<string | null> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['version'], { timeout: 20_000, maxBuffer: 64 * 1024 });
    return /^Version: (\S+)$/m.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

function onPath(env: Readonly<Record<string, string | undefined>>, name: string): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, executable(name)));
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const configured = env['XDG_CACHE_HOME'];
  if (configured !== undefined && isAbsolute(configured)) return join(configured, 'countersign');
  const home = env['HOME'] ?? homedir();
  if (isAbsolute(home)) return join(home, '.cache', 'countersign');
  throw new PolicyError(
    'compiler_missing',
    `no folder to keep the compiler in (HOME is not set); set XDG_CACHE_HOME or ${REMEDY}`,
  );
}

/** Builds beside the target and renames, so that nobody ever sees half an executable. */
async function buildWithGo(
  options: FindOpaOptions,
  env: Readonly<Record<string, string | undefined>>,
  target: string,
): Promise<void> {
  const go = await findGo(env);
  options.log(`policy compiler: building opa ${OPA_VERSION} with Go, once; this takes one to five minutes`);
  const temporary = `${target}.${process.pid}.tmp`;
  const startedMs = Date.now();
  const progress = setInterval(() => {
    options.log(`policy compiler: still building (${Math.round((Date.now() - startedMs) / 1000)} s)`);
  }, PROGRESS_MS);
  try {
    const args = ['build', '-mod=readonly', '-trimpath', '-ldflags', '-s -w', '-o', temporary, PACKAGE];
    await run(go, args, { cwd: options.compilerDir, env: goEnvironment(env), maxBuffer: 16 * 1024 * 1024 });
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } catch (cause) {
    throw new PolicyError('compiler_failed', `opa ${OPA_VERSION} could not be built: ${goMessage(cause)}; ${REMEDY}`, {
      cause,
    });
  } finally {
    clearInterval(progress);
    await rm(temporary, { force: true });
  }
  options.log(`policy compiler: opa ${OPA_VERSION} is ready (${Math.round((Date.now() - startedMs) / 1000)} s)`);
}

async function findGo(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const root = env['GOROOT'];
  const own = root !== undefined && isAbsolute(root) ? [join(root, 'bin', executable('go'))] : [];
  for (const candidate of [...own, ...onPath(env, 'go')]) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new PolicyError(
    'compiler_missing',
    `policies are compiled with opa ${OPA_VERSION}, and neither it nor Go was found; ${REMEDY}`,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The module decides alone: no workspace, no vendor folder, no C compiler. Without a home Go keeps its files in our cache. */
function goEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const caches = join(cacheRoot(env), 'go');
  const homeless = env['HOME'] === undefined || env['HOME'] === '';
  return {
    ...env,
    CGO_ENABLED: '0',
    GOWORK: 'off',
    GOFLAGS: '-buildvcs=false',
    ...(homeless ? { GOCACHE: join(caches, 'build'), GOPATH: join(caches, 'path') } : {}),
  };
}

/** The last lines Go printed: its own words on what failed. */
function goMessage(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = text.trim().split('\n').slice(-3).join(' | ');
  return lines === '' ? 'go gave no reason' : lines.slice(0, 600);
}

/**
 * One build for each cache folder: whoever makes the lock file builds, the others wait for it. A lock whose owner has
 * died, or that is older than any build, is removed.
 */
async function withLock(folder: string, log: (line: string) => void, work: () => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, 'build.lock');
  for (let waits = 0; !(await tryLock(lock)); waits += 1) {
    if (waits === 0) log('policy compiler: another process is building it; waiting');
    if (await isStale(lock)) await rm(lock, { force: true });
    else await sleep(LOCK_POLL_MS);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600);
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new PolicyError(
      'compiler_missing',
      `the cache folder of the compiler cannot be written; set XDG_CACHE_HOME or ${REMEDY}`,
      {
        cause: error,
      },
    );
  }
}

async function isStale(lock: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lock);
    const age = Date.now() - mtimeMs;
    const pid = Number(await readFile(lock, 'utf8'));
    if (age > LOCK_STALE_MS) return true;
    return pid > 0 && !isAlive(pid);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
