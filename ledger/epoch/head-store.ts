import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createHeadKeeping } from '../fork/kept-heads.ts';
import type { HeadKeeping } from '../fork/kept-heads.ts';

/**
 * What a restored database is compared with, outside of it: published checkpoints as signed notes, the newest of each origin and a
 * history of all; and the last entries that processes were told are durable.
 */
export interface HeadStore extends HeadKeeping {
  /** The newest note of an origin; null when none was kept. */
  readonly latest: (origin: string) => Promise<string | null>;
  /** All that were kept, of any origin, in the order they were kept; in short reads. */
  readonly history: () => AsyncIterable<string>;
  /** On disk before this returns. */
  readonly keep: (origin: string, note: string, atMs: number) => Promise<void>;
}

/** A head store in a folder, made when first written to. Files are their owner's only. */
export function createHeadStore(dir: string): HeadStore {
  const safe = (name: string): string => name.replaceAll(/[^A-Za-z0-9.-]/g, '_');
  const pathOf = (origin: string): string => join(dir, `${safe(origin)}.checkpoint`);
  return {
    ...createHeadKeeping(dir, safe),
    latest: async (origin) => {
      try {
        return await readFile(pathOf(origin), 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    history: () => readHistory(dir),
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

async function* readHistory(dir: string): AsyncGenerator<string> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.filter((each) => /^history-\d{4}-\d{2}\.jsonl$/.test(each)).toSorted())
    for await (const line of createInterface({ input: createReadStream(join(dir, name), 'utf8') })) {
      const note = noteOf(line);
      if (note !== null) yield note;
    }
}

/** Null for a line that a crash cut off. */
function noteOf(line: string): string | null {
  try {
    const { note } = JSON.parse(line) as { note?: unknown };
    return typeof note === 'string' ? note : null;
  } catch {
    return null;
  }
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
