import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './folder.ts';

const BOOTSTRAP = join(process.cwd(), 'cli', 'bootstrap.js');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves with the first line of standard output that satisfies the test. */
  line(test: (line: string) => boolean): Promise<string>;
  finished: Promise<Finished>;
}

interface StartOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** What the words are given to. Default: the program itself. */
  readonly command?: readonly string[];
}

/** Starts the program as a user does. It is killed when the test ends. */
export function start(argv: readonly string[], options: StartOptions = {}): Running {
  const running = launch(argv, options);
  onTestFinished(() => stop(running));
  return running;
}

/** Ends it as an operator does. */
export async function stop({ child, finished }: Running): Promise<void> {
  if (child.exitCode === null) child.kill('SIGTERM');
  await finished;
}

/** The same for several tests: whoever launches it stops it. */
export function launch(argv: readonly string[], options: StartOptions = {}): Running {
  const [program = '', ...words] = options.command ?? [process.execPath, BOOTSTRAP];
  const child = spawn(program, [...words, ...argv], {
    cwd: options.cwd ?? process.cwd(),
    env: { ...process.env, NODE_ENV: '', ...options.env },
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString('utf8')));
  const finished = once(child, 'close').then(([status]) => ({ status: status as number | null, ...printed }));
  const output = (): string => printed.stdout + printed.stderr;
  return { child, output, finished, line: (test) => waitForLine(child, () => printed.stdout, test, output) };
}

async function waitForLine(
  child: ChildProcess,
  text: () => string,
  test: (line: string) => boolean,
  output: () => string,
): Promise<string> {
  for (;;) {
    const found = text().split('\n').slice(0, -1).find(test);
    if (found !== undefined) return found;
    if (child.exitCode !== null) throw new Error(`the program ended with ${String(child.exitCode)}: ${output()}`);
    await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'close')]);
  }
}

/** Runs the program to its end. */
export function run(argv: readonly string[], options?: StartOptions): Promise<Finished> {
  return start(argv, options).finished;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Deployment {
  /** Folder of the configuration and the state. */
  readonly folder: string;
  readonly config: string;
  readonly port: number;
  readonly adminPort: number;
}

/** A configuration with the sandbox model in a folder of its own. `more` is appended to it. */
export async function deployment(more = ''): Promise<Deployment> {
  const folder = temporaryFolder();
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = join(folder, 'countersign.yaml');
  writeFileSync(
    config,
    `listen: { host: 127.0.0.1, port: ${String(port)}, admin_port: ${String(adminPort)} }
providers: { sandbox: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: sandbox, model: echo }] }]
tenants: [{ id: demo, policies: [baseline], budget: { monthly_usd: "50" } }]
logging: { level: warn }
${more}`,
  );
  return { folder, config, port, adminPort };
}

/** A configuration in `folder` for verbs on a test's own database, whose ledger has the origin countersign.test. */
export function databaseConfig(folder: string, url: string): string {
  const config = join(folder, 'countersign.yaml');
  writeFileSync(
    config,
    `database: { url: "${url}" }
keys: { provider: env }
ledger: { origin: countersign.test }
providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo }]
`,
  );
  return config;
}
