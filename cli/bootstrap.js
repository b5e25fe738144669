#!/usr/bin/env node
// The one file that runs before anything is installed: Node's own modules only, and a syntax that an old Node can read
// far enough to say that it is too old. It installs and compiles what a clone is missing, then runs the verb.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FLOOR = [20, 19];
/** Verbs of a clone, not of the product: each is a program of its own, test/<verb>/run.js. */
const CLONE_VERBS = ['bench', 'torture'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function say(line) {
  process.stderr.write(line + '\n');
}

function nodeIsTooOld() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1]);
}

/** A built package, or production: what is there has to be enough. */
function mayChangeItself() {
  const sources = existsSync(join(root, 'cli', 'main.ts')) && existsSync(join(root, 'package-lock.json'));
  return sources && process.env.NODE_ENV !== 'production';
}

async function prepare() {
  if (mayChangeItself()) {
    const { withLock } = await import('./bootstrap/lock.js');
    const { ensureInstalled, isInstalled } = await import('./bootstrap/install.js');
    const { ensureBuilt, isBuilt } = await import('./bootstrap/build.js');
    if (isInstalled(root) && isBuilt(root)) return;
    await withLock(join(root, 'dist'), say, async () => {
      await ensureInstalled(root, say);
      await ensureBuilt(root, say);
    });
  } else if (!existsSync(join(root, 'dist', 'cli', 'main.js'))) {
    const { BootstrapError } = await import('./bootstrap/error.js');
    throw new BootstrapError(
      'Expected a built package (dist/cli/main.js), found none, and with NODE_ENV=production nothing is installed or compiled. ' +
        'Run "node cli/bootstrap.js build" without NODE_ENV=production once, then start again.',
    );
  }
}

async function run(argv) {
  await prepare();
  if (argv[0] === 'build') return 0;
  if (argv[0] === 'test') {
    const { runTests } = await import('./bootstrap/test.js');
    return runTests(root, argv.slice(1), say);
  }
  if (CLONE_VERBS.includes(argv[0])) {
    const { runProgram } = await import('./bootstrap/process.js');
    const program = join(root, 'test', argv[0], 'run.js');
    return (await runProgram(process.execPath, [program, ...argv.slice(1)], { cwd: root, show: true })).status;
  }
  const { main } = await import(pathToFileURL(join(root, 'dist', 'cli', 'main.js')).href);
  return main({ argv, root, startedAtMs: performance.timeOrigin });
}

async function start() {
  if (nodeIsTooOld()) {
    say(
      `countersign needs Node ${FLOOR.join('.')} or newer, found ${process.versions.node}. Install a current Node (nodejs.org), then start again.`,
    );
    return 2;
  }
  try {
    return await run(process.argv.slice(2));
  } catch (error) {
    say(
      error instanceof Error && error.name === 'BootstrapError'
        ? `countersign: ${error.message}`
        : String(error?.stack ?? error),
    );
    return 3;
  }
}

process.exitCode = await start();
