import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapError } from './error.js';
import { buildPage, PAGE } from './page.js';
import { runProgram } from './process.js';

const CONFIGURATION = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Whether dist was compiled from exactly these sources. */
export function isBuilt(root) {
  const stamp = join(root, 'dist', '.stamp');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(root);
}

/**
 * Compiles the sources into dist; does nothing when dist already is their result. The new result is made beside the
 * old one and moved in folder by folder, so a failed compilation leaves a working dist.
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function ensureBuilt(root, say) {
  if (isBuilt(root)) return;
  const hash = sourceHash(root);
  const started = Date.now();
  say('Compiling…');
  const staging = join(root, 'dist', '.next');
  rmSync(staging, { recursive: true, force: true });
  await compile(root, staging);
  await buildPage(root, join(staging, PAGE));
  rmSync(join(root, 'dist', '.stamp'), { force: true });
  for (const name of readdirSync(join(root, 'dist'))) {
    if (!name.startsWith('.')) rmSync(join(root, 'dist', name), { recursive: true, force: true });
  }
  for (const name of readdirSync(staging)) renameSync(join(staging, name), join(root, 'dist', name));
  rmSync(staging, { recursive: true, force: true });
  writeFileSync(join(root, 'dist', '.stamp'), hash);
  say(`Compiled in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

async function compile(root, outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc)) {
    throw new BootstrapError(
      'Expected the TypeScript compiler in node_modules, found none. Run "npm ci --include=dev", then start again.',
    );
  }
  mkdirSync(outDir, { recursive: true });
  const { status, output } = await runProgram(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir],
    { cwd: root },
  );
  if (status !== 0) throw new BootstrapError(`The sources do not compile:\n${output.trim()}`);
}

/** The folders the build configuration names. */
function sourceFolders(root) {
  return JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')).include;
}

function sourceHash(root) {
  const hash = createHash('sha256');
  const files = sourceFolders(root).flatMap((folder) => listSources(root, folder));
  for (const name of [...CONFIGURATION, ...files.sort()]) {
    const content = readFileSync(join(root, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function listSources(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listSources(root, name);
    return /\.(?:ts|html|css)$/.test(name) ? [name] : [];
  });
}
