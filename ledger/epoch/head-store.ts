import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Published checkpoints outside the database: what a restored database is compared with. The newest of each origin, and a
 * history of all, as signed notes.
 */
export interface HeadStore {
  /** The newest note of an origin; null when none was kept. */
  readonly latest: (origin: string) => Promise<string | null>;
  /** On disk before this returns. */
  readonly keep: (origin: string, note: string, atMs: number) => Promise<void>;
}

/** A head store in a folder, made when first written to. Files are their owner's only. */
export function createHeadStore(dir: string): HeadStore {
  const pathOf = (origin: string): string => join(dir, `${origin.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.checkpoint`);
  return {
    latest: async (origin) => {
      try {
        return await readFile(pathOf(origin), 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    keep: async (origin, note, atMs) => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const month = new Date(atMs).toISOString().slice(0, 7);
      await write(join(dir, `history-${month}.jsonl`), 'a', `${JSON.stringify({ at_ms: atMs, note })}\n`);
      // A reader sees the old file or the new one; after a power cut too.
      const path = pathOf(origin);
      await write(`${path}.new`, 'w', note);
      await rename(`${path}.new`, path);
      const folder = await open(dir, 'r');
      await folder.sync().finally(() => folder.close());
    },
  };
}

async function write(path: string, flags: 'a' | 'w', text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
