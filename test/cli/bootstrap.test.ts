import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A clone in miniature: the real bootstrap, a program of one file, and one package that lies beside it and plays the
 * compiler, so that the real npm installs without a network.
 */
function miniature(): string {
  const root = temporaryFolder();
  mkdirSync(join(root, 'cli'));
  for (const name of ['bootstrap.js', 'bootstrap'])
    cpSync(join('cli', name), join(root, 'cli', name), { recursive: true });
  // The verifier's page is made of sources that a miniature does not have.
  writeFileSync(join(root, 'cli', 'bootstrap', 'page.js'), PAGE);
  const compiler = join(root, 'vendor', 'typescript');
  mkdirSync(join(compiler, 'bin'), { recursive: true });
  writeFileSync(join(compiler, 'package.json'), '{"name":"typescript","version":"1.0.0","type":"module"}');
  writeFileSync(join(compiler, 'bin', 'tsc'), COMPILER);
  const manifest = {
    name: 'miniature',
    version: '1.0.0',
    type: 'module',
    dependencies: { typescript: 'file:vendor/typescript' },
  };
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK));
  writeFileSync(join(root, 'tsconfig.json'), '{}');
  writeFileSync(join(root, 'tsconfig.build.json'), '{"include":["cli","absent"]}');
  writeFileSync(join(root, 'cli', 'main.ts'), PROGRAM);
  return root;
}

const LOCK = {
  name: 'miniature',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name: 'miniature', version: '1.0.0', dependencies: { typescript: 'file:vendor/typescript' } },
    'node_modules/typescript': { resolved: 'vendor/typescript', link: true },
    'vendor/typescript': { version: '1.0.0' },
  },
};

const COMPILER = `
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
const out = process.argv[process.argv.indexOf('--outDir') + 1];
if (readFileSync('cli/main.ts', 'utf8').includes('wrong')) { console.log('cli/main.ts(1,1): error TS0: wrong'); process.exit(2); }
mkdirSync(out + '/cli', { recursive: true });
copyFileSync('cli/main.ts', out + '/cli/main.js');
`;
const PAGE = `export const PAGE = 'page.html';
export const buildPage = () => Promise.resolve();
`;
const PROGRAM = `export async function main({ argv, root, startedAtMs }) {
  process.stdout.write(JSON.stringify({ argv, root, started: startedAtMs < Date.now() }));
  return argv[0] === 'fail' ? 1 : 0;
}
`;

function run(
  root: string,
  argv: readonly string[],
  env: Record<string, string> = {},
  preload: readonly string[] = [],
): Promise<Run> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [...preload, join(root, 'cli', 'bootstrap.js'), ...argv], {
    cwd: root,
    env: {
      PATH,
      HOME: join(root, 'empty-home'),
      npm_config_offline: 'true',
      npm_config_fund: 'false',
      npm_config_audit: 'false',
      ...env,
    },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
  return new Promise((resolve) => {
    child.once('close', (status) => {
      resolve({ status, ...output });
    });
  });
}

describe('the bootstrap', () => {
  test('installs and compiles a fresh clone once, then only runs', async () => {
    const root = miniature();
    const first = await run(root, ['verb', '--flag']);
    expect(first).toMatchObject({
      status: 0,
      stdout: JSON.stringify({ argv: ['verb', '--flag'], root, started: true }),
    });
    expect(first.stderr).toMatch(/Installing packages[^]*Installed in[^]*Compiling[^]*Compiled in/);
    expect(await run(root, ['fail'])).toMatchObject({ status: 1, stderr: '' });
  });

  test('compiles again when a source changed, and only compiles', async () => {
    const root = miniature();
    await run(root, []);
    appendFileSync(join(root, 'cli', 'main.ts'), '// changed\n');
    const { stderr } = await run(root, []);
    expect(stderr).toMatch(/^Compiling…\nCompiled in \d+\.\d s\.\n$/);
  });

  test('keeps the last good result when the sources do not compile, and shows the compiler’s message', async () => {
    const root = miniature();
    await run(root, []);
    writeFileSync(join(root, 'cli', 'main.ts'), 'wrong');
    expect(await run(root, [])).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining('error TS0: wrong') as string,
    });
    expect(readFileSync(join(root, 'dist', 'cli', 'main.js'), 'utf8')).toBe(PROGRAM);
  });

  test('accepts what somebody installed with npm, without installing again', async () => {
    const root = miniature();
    await run(root, []);
    rmSync(join(root, 'node_modules', '.countersign-stamp'));
    expect((await run(root, [])).stderr).toBe('');
  });

  test('prepares a clone once when two are started together', async () => {
    const root = miniature();
    const runs = await Promise.all([run(root, []), run(root, []), run(root, [])]);
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes('Installing packages'))).toHaveLength(1);
    expect(existsSync(join(root, 'dist', '.lock'))).toBe(false);
  });

  test('explains an npm that fails', async () => {
    const root = miniature();
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ ...LOCK, packages: { '': LOCK.packages[''] } }));
    const result = await run(root, []);
    expect(result).toMatchObject({ status: 3, stdout: '' });
    expect(result.stderr).toMatch(/npm ci failed: package\.json and package-lock\.json disagree/);
  });

  test('never installs or compiles in production', async () => {
    const root = miniature();
    const refused = await run(root, [], { NODE_ENV: 'production' });
    expect(refused).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('nothing is installed or compiled') as string,
    });
    expect(existsSync(join(root, 'node_modules'))).toBe(false);
    await run(root, ['build']);
    appendFileSync(join(root, 'cli', 'main.ts'), '// changed\n');
    expect(await run(root, ['verb'], { NODE_ENV: 'production' })).toMatchObject({ status: 0, stderr: '' });
  });

  test('runs a built package that has no sources', async () => {
    const root = miniature();
    await run(root, ['build']);
    rmSync(join(root, 'cli', 'main.ts'));
    rmSync(join(root, 'package-lock.json'));
    expect(await run(root, ['verb'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('says what is expected to a Node that is too old', async () => {
    const older = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.18.3"})';
    const result = await run(miniature(), [], {}, ['--import', older]);
    expect(result).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/needs Node 20\.19 or newer, found 20\.18\.3/) as string,
    });
  });
});
