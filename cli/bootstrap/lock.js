import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootstrapError } from './error.js';

const TOUCH_MS = 2000;
/** A holder that was killed stops touching its lock. */
const STALE_MS = 15_000;

/**
 * Runs the work while no other process does the same in this clone: two `npm ci` at once destroy each other's folder.
 * @param {string} folder where the lock file lies; made when missing
 * @param {(line: string) => void} say
 * @param {() => Promise<void>} work
 */
export async function withLock(folder, say, work) {
  const path = join(folder, '.lock');
  await take(folder, path, say);
  const touching = setInterval(() => touch(path), TOUCH_MS);
  try {
    await work();
  } finally {
    clearInterval(touching);
    rmSync(path, { force: true });
  }
}

async function take(folder, path, say) {
  for (let waited = false; ; waited = true) {
    if (tryTake(folder, path)) return;
    if (isStale(path)) rmSync(path, { force: true });
    if (!waited) say('Another process is preparing this clone; waiting for it…');
    await sleep(200);
  }
}

function tryTake(folder, path) {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new BootstrapError(
      `Cannot write ${folder} (${error.code}): something has to be installed or compiled here first. Run once as the owner of this folder.`,
      { cause: error },
    );
  }
}

function isStale(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > STALE_MS;
}

function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Removed by somebody who thought we were dead; the work goes on, the lock is not worth failing for.
  }
}
