import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BUNDLE_LIMITS, isBundleFile } from './bundle.ts';
import { PolicyError } from './errors.ts';
import { writeTar } from './tar.ts';
import type { TarEntry } from './tar.ts';

/**
 * Packs an unpacked bundle (`.manifest`, `data.json`, `policy.wasm` and its sources) as it would be in its archive. Other
 * files in the folder are left out, links are not followed. Throws PolicyError `bundle_too_large`.
 */
export async function packFolder(dir: string): Promise<Uint8Array> {
  const listed = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = listed.filter((entry) => entry.isFile() && isBundleFile(entry.name));
  if (files.length > BUNDLE_LIMITS.maxEntries) {
    throw new PolicyError('bundle_too_large', `${dir}: more than ${BUNDLE_LIMITS.maxEntries} files`);
  }
  const entries: TarEntry[] = [];
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    entries.push({ name: relative(dir, path).split(sep).join('/'), bytes: await readFile(path) });
  }
  return gzipSync(writeTar(entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))));
}
