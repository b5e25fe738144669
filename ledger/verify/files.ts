import { createReadStream } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFiles } from './bundle-files.ts';

const CHUNK_BYTES = 1 << 18;

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
    chunks: (path) => createReadStream(join(dir, path), { highWaterMark: CHUNK_BYTES }),
  };
}
