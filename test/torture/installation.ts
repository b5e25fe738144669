/**
 * The product as a package: compiled, in a folder of its own, with its own state. Its programs are run as an operator
 * runs them, so that they can be killed as an operator's are.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { connect, type Connection } from '../../cli/embedded/connection.ts';
import { birthOf } from '../../cli/embedded/lock.ts';
import { findPostmaster, stopPostmaster } from '../../cli/embedded/postmaster.ts';
import { DATABASE, GATEWAY_ROLE, SUPERUSER } from '../../cli/embedded/settings.ts';
import { readState } from '../../cli/embedded/state.ts';
import { openKeyRing, readRootKey, type KeyRing } from '../../ledger/index.ts';

const PREFIX = 'countersign-torture-';
const START_TIMEOUT_MS = 300_000;

/** One `up`, from its spawn on. */
export interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when it serves; rejects when it ended before. */
  readonly ready: Promise<{ readonly dataUrl: string }>;
  readonly ended: Promise<void>;
  /** Has it ended because another process took over? Then it wants to be started again. */
  isFenced(): boolean;
}

export class Installation {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param root of the project's sources, installed */
  static create(root: string): Installation {
    removeAbandoned();
    const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${String(process.pid)}-`));
    // As root the database runs under another account, which has to be able to enter.
    chmodSync(folder, 0o711);
    const dist = join(folder, 'dist');
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const built = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', dist], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(`the product does not compile:\n${built.stdout}${built.stderr}`);
    writeFileSync(join(dist, '.stamp'), 'torture');
    for (const name of ['package.json', 'migrations', join('policies', 'dist'), join('cli', 'bootstrap.js')])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return new Installation(folder);
  }

  writeConfig(name: string, yaml: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, yaml);
    return path;
  }

  up(config: string, name: string): Server {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const child = this.#spawn(['up', '--json', '--config', config], log);
    closeSync(log);
    const ended = once(child, 'close').then(() => undefined);
    const printed = { text: '' };
    child.stdout?.on('data', (chunk: Buffer) => {
      printed.text += chunk.toString('utf8');
      appendFileSync(join(this.folder, `${name}.log`), chunk);
    });
    const ready = readyLine(
      child,
      ended,
      () => printed.text,
      () => this.log(name),
    );
    // Whoever kills it while it starts does not wait for it.
    ready.catch(() => undefined);
    return {
      child,
      pid: child.pid ?? 0,
      ready,
      ended,
      isFenced: () => child.exitCode === 1 && printed.text.includes('"code":"fenced"'),
    };
  }

  /** Runs one verb to its end and parses what it prints. */
  async ask(config: string, ...verb: string[]): Promise<unknown> {
    const child = this.#spawn([...verb, '--json', '--config', config], 'ignore');
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
    await once(child, 'close');
    return JSON.parse(printed);
  }

  #spawn(argv: string[], stderr: number | 'ignore'): ChildProcess {
    const child = spawn(process.execPath, [join(this.folder, 'cli', 'bootstrap.js'), ...argv], {
      cwd: this.folder,
      env: { ...process.env, NODE_ENV: 'production', COUNTERSIGN_CONFIG: '' },
      stdio: ['ignore', 'pipe', stderr],
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** The database, as its owner sees it; null while it does not run. */
  database(): { postmaster: number; superuser: Connection; gateway: Connection } | null {
    const state = readState(join(this.folder, '.countersign'));
    const found = state === null ? null : findPostmaster(join(state.home, 'data'));
    if (state === null || found?.status !== 'ready') return null;
    const place = { host: found.socketDir, port: found.port, database: DATABASE, ssl: false } as const;
    return {
      postmaster: found.pid,
      superuser: { ...place, user: SUPERUSER, password: state.superuserPassword },
      gateway: { ...place, user: GATEWAY_ROLE, password: state.gatewayPassword },
    };
  }

  /** A pool with all rights. */
  connect(): Sql {
    const database = this.database();
    if (database === null) throw new Error('the database does not run');
    return connect(database.superuser, 2);
  }

  async keys(sql: Sql, tenants: readonly string[]): Promise<KeyRing> {
    const rootKey = await readRootKey({ provider: 'file', path: join(this.folder, '.countersign', 'keys') });
    return openKeyRing({ sql, rootKey, tenants: ['_deployment', ...tenants] });
  }

  /** The last lines a server wrote, without what it says over and over while its database is away. */
  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => !/"event":"(ledger|key_cache|budget_snapshot)"/.test(line))
      .slice(-60)
      .join('\n');
  }

  /** Ends everything and removes the folder. */
  async remove(): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await stopDatabase(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function stopDatabase(folder: string): Promise<void> {
  mkdirSync(join(folder, '.countersign'), { recursive: true });
  const state = readState(join(folder, '.countersign'));
  const data = state === null ? null : join(state.home, 'data');
  const found = data === null ? null : findPostmaster(data);
  if (data !== null && found !== null) await stopPostmaster(data, found.pid);
  if (state !== null && !state.home.startsWith(folder)) rmSync(state.home, { recursive: true, force: true });
}

/** A run that was killed leaves a folder and perhaps a database behind. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || birthOf(pid) !== null) continue;
    const folder = join(tmpdir(), name);
    void stopDatabase(folder).then(
      () => {
        rmSync(folder, { recursive: true, force: true });
      },
      // Another user's: theirs to clear away.
      () => undefined,
    );
  }
}

async function readyLine(
  child: ChildProcess,
  ended: Promise<void>,
  printed: () => string,
  log: () => string,
): Promise<{ dataUrl: string }> {
  const late = AbortSignal.timeout(START_TIMEOUT_MS);
  for (;;) {
    const line = printed()
      .split('\n')
      .find((each) => each.includes('"ready":true'));
    if (line !== undefined) return { dataUrl: (JSON.parse(line) as { data_url: string }).data_url };
    if (child.exitCode !== null || child.signalCode !== null || late.aborted)
      throw new Error(`a server did not start (${String(child.exitCode ?? child.signalCode)}):\n${log()}`);
    await Promise.race([child.stdout === null ? ended : once(child.stdout, 'data', { signal: late }), ended]);
  }
}
