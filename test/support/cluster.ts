import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { Connection } from '../../cli/embedded/connection.ts';
import { startEmbedded } from '../../cli/embedded/embedded.ts';
import { birthOf } from '../../cli/embedded/lock.ts';
import { findPostmaster, stopPostmaster } from '../../cli/embedded/postmaster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly superuser: Connection;
    readonly gateway: Connection;
  }
}

const PREFIX = 'countersign-test-';

/** One real PostgreSQL for the whole run, started the way the product starts its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${String(process.pid)}-`));
  // As root the server runs under another account, which has to be able to enter.
  if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  const database = await startEmbedded({ dataRoot: folder, log: () => undefined });
  project.provide('superuser', database.superuser);
  project.provide('gateway', database.gateway);
  return async () => {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** A run that was killed leaves its server behind; the next one clears it away. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^countersign-test-(\d+)-/.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || birthOf(pid) !== null) continue;
    const folder = join(tmpdir(), name);
    const data = join(folder, 'postgres', 'data');
    try {
      const left = findPostmaster(data);
      if (left !== null) await stopPostmaster(data, left.pid);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's: theirs to clear away.
    }
  }
}
