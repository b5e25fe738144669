/** Countersign as `npm start` runs it, with everything on: its own folder, database, root key, tenant budget and API key. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import {
  answering,
  freePort,
  stopChild,
  type Check,
  type RunningTarget,
  type Target,
  type TargetContext,
} from './targets.ts';

const TENANT = 'demo';
const START_TIMEOUT_MS = 180_000;
const STOP_GRACE_MS = 60_000;

/** A whole configuration; the mock is `external`, so that the policy has to redact, and priced, so that budgets count. */
function configuration(port: number, adminPort: number, mockPort: number): string {
  return `
listen: { host: 127.0.0.1, port: ${port}, admin_port: ${adminPort} }
providers:
  mock: { kind: openai, base_url: "http://127.0.0.1:${mockPort}/v1", api_key: sk-bench, region: us, hosting: external }
models:
  - { name: bench-model, deployments: [ { provider: mock, model: bench-model } ] }
tenants:
  - { id: ${TENANT}, policies: [baseline], budget: { monthly_usd: "1000000" } }
prices:
  overrides:
    - { provider: mock, model: bench-model, from: "2026-01-01", input_usd_per_mtok: "0.15", output_usd_per_mtok: "0.60" }
`;
}

/** One installation of the product in a folder of its own. */
class Installation {
  readonly #root: string;
  readonly #config: string;
  readonly #folder: string;

  constructor(root: string, folder: string, config: string) {
    this.#root = root;
    this.#folder = folder;
    this.#config = join(folder, 'countersign.yaml');
    writeFileSync(this.#config, config);
  }

  /** Starts the server; its log goes to a file, as under a service manager. */
  up(): ChildProcess {
    const log = openSync(join(this.#folder, 'server.log'), 'a');
    return spawn(process.execPath, [...this.#bootstrap(), 'up', '--config', this.#config], {
      cwd: this.#root,
      stdio: ['ignore', log, log],
    });
  }

  /** Runs one verb and parses what it prints; a verb that ends with 1 has still answered. */
  async ask(...verb: string[]): Promise<unknown> {
    const command = [...this.#bootstrap(), ...verb, '--json', '--config', this.#config];
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      cwd: this.#root,
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: Error & { stdout?: string; stderr?: string }) => {
      if (error.stdout?.startsWith('{') === true) return { stdout: error.stdout };
      throw new Error(`countersign ${verb.join(' ')} failed: ${error.stderr?.trim() ?? error.message}`);
    });
    return JSON.parse(stdout);
  }

  /** The durability the server really runs with, asked from its own database. */
  async settings(): Promise<{ fsync: string; synchronousCommit: string; version: string }> {
    const state = JSON.parse(readFileSync(join(this.#folder, '.countersign', 'embedded.json'), 'utf8')) as {
      home: string;
      superuserPassword: string;
    };
    // The lock file of a running server names its port in line 4 and its socket folder in line 5.
    const lock = readFileSync(join(state.home, 'data', 'postmaster.pid'), 'utf8').split('\n');
    const sql = postgres({
      host: lock[4] ?? '',
      port: Number(lock[3]),
      database: 'postgres',
      user: 'countersign_super',
      password: state.superuserPassword,
      max: 1,
    });
    try {
      const [row] = await sql<{ fsync: string; commit: string; version: string }[]>`
        select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('server_version') as version`;
      return { fsync: row?.fsync ?? '', synchronousCommit: row?.commit ?? '', version: row?.version ?? '' };
    } finally {
      await sql.end();
    }
  }

  lastLog(): string {
    return readFileSync(join(this.#folder, 'server.log'), 'utf8').trimEnd().split('\n').slice(-12).join('\n');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #bootstrap(): string[] {
    return [join(this.#root, 'cli', 'bootstrap.js')];
  }
}

async function start({ root, mockPort, say }: TargetContext): Promise<RunningTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  // PostgreSQL runs under another account when we are root; it has to be able to enter.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const installation = new Installation(root, folder, configuration(port, await freePort(), mockPort));
  const child = installation.up();
  try {
    await answering(port, child, 'countersign', '/readyz', START_TIMEOUT_MS);
    const { key } = (await installation.ask('keys', 'create', '--tenant', TENANT)) as { key: string };
    const settings = await installation.settings();
    const before = await countEntries(installation);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return {
      port,
      headers: { authorization: `Bearer ${key}` },
      version: `${version}, PostgreSQL ${settings.version}`,
      pid: child.pid ?? null,
      check: (calls) => checks(installation, calls, before),
      stop: async () => {
        await stopChild(child, STOP_GRACE_MS);
        installation.remove();
      },
    };
  } catch (error) {
    say(`The server's last lines:\n${installation.lastLog()}`);
    await stopChild(child, STOP_GRACE_MS);
    throw error;
  }
}

async function checks(installation: Installation, calls: number, before: number): Promise<Check[]> {
  const { fsync, synchronousCommit } = await installation.settings();
  const entries = (await countEntries(installation)) - before;
  const report = (await installation.ask('ledger', 'verify')) as {
    verdict: string;
    consistent: boolean;
    openCalls: number;
    entries: number;
  };
  return [
    { name: 'fsync on', ok: fsync === 'on', found: fsync },
    { name: 'synchronous_commit on', ok: synchronousCommit === 'on', found: synchronousCommit },
    { name: 'entries = 2 x calls', ok: entries === 2 * calls, found: `${entries} entries, ${calls} calls` },
    {
      name: 'ledger consistent',
      ok: report.consistent,
      found: `${report.verdict}, ${report.entries} entries`,
    },
    { name: 'no call left open', ok: report.openCalls === 0, found: String(report.openCalls) },
  ];
}

async function countEntries(installation: Installation): Promise<number> {
  const { logs } = (await installation.ask('ledger', 'status')) as { logs: { tenant: string; entries: number }[] };
  return logs.find((log) => log.tenant === TENANT)?.entries ?? 0;
}

export const countersign: Target = { name: 'countersign', start };
