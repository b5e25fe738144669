import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startWorker } from './worker.ts';

/** What is measured: something that answers `POST /v1/chat/completions` by asking the mock. */
export interface Target {
  readonly name: string;
  start(context: TargetContext): Promise<RunningTarget>;
}

export interface TargetContext {
  readonly root: string;
  readonly mockPort: number;
  readonly say: (line: string) => void;
}

export interface RunningTarget {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Shown with the results. */
  readonly version: string;
  /** Process whose memory is the target's, or null for the mock itself. */
  readonly pid: number | null;
  /** Proves after the last request that what was measured really happened. */
  check?(calls: number): Promise<Check[]>;
  stop(): Promise<void>;
}

/** One condition without which the figures mean nothing. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
}

export const direct: Target = {
  name: 'direct',
  start: ({ mockPort }) =>
    Promise.resolve({ port: mockPort, headers: {}, version: 'no gateway', pid: null, stop: () => Promise.resolve() }),
};

export const proxy: Target = {
  name: 'proxy',
  start: async ({ mockPort, root }) => {
    const { worker, ready } = await startWorker('proxy', { BENCH_UPSTREAM: `http://127.0.0.1:${mockPort}` });
    const { port } = ready as { port: number };
    const version = `hono ${packageVersion(root, 'hono')}, undici ${packageVersion(root, 'undici')}`;
    return { port, headers: {}, version, pid: worker.pid, stop: () => worker.stop() };
  },
};

export const portkey: Target = {
  name: 'portkey',
  start: async ({ root, mockPort, say }) => {
    const folder = join(root, 'test', 'bench', 'portkey');
    const script = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
    if (!existsSync(script)) {
      say('Installing @portkey-ai/gateway for the comparison (about 25 MB)…');
      await finished(
        spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] }),
        'npm ci',
      );
    }
    const port = await freePort();
    const child = spawn(process.execPath, [script, '--headless', `--port=${port}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 2],
    });
    await answering(port, child, 'portkey');
    const headers = {
      authorization: 'Bearer sk-bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${mockPort}/v1`,
    };
    return {
      port,
      headers,
      version: packageVersion(folder, '@portkey-ai/gateway'),
      pid: child.pid ?? null,
      stop: () => stopChild(child, 5000),
    };
  },
};

function packageVersion(folder: string, name: string): string {
  const manifest = readFileSync(join(folder, 'node_modules', ...name.split('/'), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until something answers HTTP on the port, at most `timeoutMs`, and fails as soon as the process ends. */
export async function answering(
  port: number,
  child: ChildProcess,
  name: string,
  path = '/',
  timeoutMs = 60_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode} while starting.`);
    const status = await fetch(`http://127.0.0.1:${port}${path}`).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      () => 0,
    );
    if (status > 0 && status < 500) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} did not answer on port ${port} within ${timeoutMs} ms.`);
}

/** Asks a process to end, and ends it when it does not. */
export async function stopChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(timer);
}

export function finished(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with status ${code ?? 'signal'}.`));
    });
  });
}
