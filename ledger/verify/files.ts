import { createReadStream } from 'node:fs';
import { lstat, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFiles } from './bundle-files.ts';

const CHUNK_BYTES = 1 << 18;
/** Deeper than any tile lies. */
const MAX_DEPTH = 10;

/** A folder on disk. Symbolic links, in the path as well, are refused: a folder from elsewhere must not lead out of itself. */
export function openFolder(dir: string): BundleFiles {
  return {
    look: async (path) => {
      const whole = join(dir, path);
      try {
        if (!(await lstat(whole)).isFile()) return 'unsafe';
        return (await realpath(whole)) === join(await realpath(dir), path) ? 'file' : 'unsafe';
      } catch {
        // Not there, or not for us to read: either way there is nothing to check.
        return 'none';
      }
    },
    list: () => walk(dir, '', 0),
    chunks: (path) => createReadStream(join(dir, path), { highWaterMark: CHUNK_BYTES }),
  };
}

/** Links are files here: nothing is followed. */
async function* walk(dir: string, prefix: string, depth: number): AsyncGenerator<string> {
  for await (const found of await opendir(join(dir, prefix))) {
    const path = prefix + found.name;
    if (found.isDirectory() && depth < MAX_DEPTH) yield* walk(dir, `${path}/`, depth + 1);
    else yield path;
  }
}
