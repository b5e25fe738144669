// Compiles the torture test into dist/.torture and runs it: Node 20 cannot run TypeScript itself, and the product's
// build must not contain it.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const built = spawnSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.json')], { stdio: ['ignore', 2, 2] });
if (built.status !== 0) {
  process.stderr.write('The torture test does not compile; the compiler said why above.\n');
  process.exit(3);
}
const { runTorture } = await import(pathToFileURL(join(root, 'dist', '.torture', 'test', 'torture', 'main.js')).href);
process.exitCode = await runTorture(process.argv.slice(2), root);
