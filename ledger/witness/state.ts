import { hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** What a witness remembers: the newest checkpoint it cosigned of each log, as the log signed it. */
export interface WitnessState {
  /** Null when no checkpoint of this origin was ever cosigned. */
  readonly latest: (origin: string) => Promise<string | null>;
  /** On disk, file and folder, before this returns. */
  readonly keep: (origin: string, note: string) => Promise<void>;
  /** Puts a request aside that shows a log contradicting itself; a bounded number for each log. */
  readonly keepContradiction: (origin: string, request: string) => Promise<void>;
}

const MAX_CONTRADICTIONS = 64;

/** State in a folder, made when first written to. One process at a time; files are their owner's only. */
export function createWitnessState(dir: string): WitnessState {
  // A name out of a digest: no two origins share a file, and none leads out of the folder.
  const nameOf = (origin: string): string => hash('sha256', origin, 'hex');
  return {
    latest: async (origin) => {
      try {
        return await readFile(join(dir, `${nameOf(origin)}.checkpoint`), 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    keep: (origin, note) => replaceFile(dir, `${nameOf(origin)}.checkpoint`, note),
    keepContradiction: async (origin, request) => {
      const prefix = `${nameOf(origin)}.fork-`;
      const name = `${prefix}${hash('sha256', request, 'hex').slice(0, 16)}`;
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const kept = (await readdir(dir)).filter((file) => file.startsWith(prefix));
      if (kept.length < MAX_CONTRADICTIONS && !kept.includes(name)) await replaceFile(dir, name, request);
    },
  };
}

/** A reader sees the old file or the new one; after a power cut too. */
async function replaceFile(dir: string, name: string, text: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, name);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dir, 'r');
  await folder.sync().finally(() => folder.close());
}
