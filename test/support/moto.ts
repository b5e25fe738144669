import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './program.ts';

const REQUIREMENTS = join(process.cwd(), 'test', 'ledger', 'moto', 'requirements.txt');
const INSTALL_MS = 300_000;

/**
 * Python with moto, an S3 server, in an environment of its own that is kept for the next run; or null with the reason printed.
 * In CI (COUNTERSIGN_NO_SKIP=1) a missing one fails.
 */
export function findMoto(): string | null {
  const dir = join(
    homedir(),
    '.cache',
    'countersign',
    `moto-${hash('sha256', readFileSync(REQUIREMENTS), 'hex').slice(0, 16)}`,
  );
  try {
    if (!existsSync(dir)) install(dir);
    return join(dir, 'bin', 'python');
  } catch (error) {
    const reason =
      'moto could not be installed (Python 3.11 to 3.13 on Linux x86-64): copies in an object store are not tested';
    if (process.env['COUNTERSIGN_NO_SKIP'] === '1') throw new TypeError(reason, { cause: error });
    process.stderr.write(`skipped: ${reason}\n`);
    return null;
  }
}

/** Complete or not there at all. */
function install(dir: string): void {
  const staging = `${dir}.${String(process.pid)}`;
  const options = { stdio: 'pipe', timeout: INSTALL_MS } as const;
  mkdirSync(dirname(dir), { recursive: true });
  try {
    execFileSync('python3', ['-m', 'venv', staging], options);
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:', '-r', REQUIREMENTS]; // prettier-ignore
    execFileSync(join(staging, 'bin', 'python'), args, options);
    renameSync(staging, dir);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

export interface TestStore {
  readonly url: string;
  /** Runs Python that has `s3`, a client of the store, and gives back the JSON it printed. */
  python(code: string): unknown;
  close(): Promise<void>;
}

export async function startStore(python: string): Promise<TestStore> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const server: ChildProcess = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', port], { stdio: 'ignore' });
  const prelude = `import boto3, json\ns3 = boto3.client('s3', endpoint_url='${url}', region_name='us-east-1', aws_access_key_id='k', aws_secret_access_key='s')\n`;
  for (let tries = 0; ; tries += 1) {
    const isUp = await fetch(`${url}/moto-api/`).then(
      ({ status }) => status < 500,
      () => false,
    );
    if (isUp) break;
    if (tries > 300 || server.exitCode !== null) throw new TypeError('expected the object store to start');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url,
    python: (code) => JSON.parse(execFileSync(python, ['-c', prelude + code], { encoding: 'utf8', stdio: 'pipe' })),
    close: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
    },
  };
}
