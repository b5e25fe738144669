import { createHash } from 'node:crypto';
import type { WrittenFile } from '../export/out.ts';
import { hashesAt, parseTilePath, TILE_WIDTH } from '../tree/tile.ts';
import type { BundleFiles } from './bundle-files.ts';
import { plain } from './compare.ts';
import type { FileProblem, FolderReport } from './report.ts';

/** Names of files that are shown; more are counted. */
const MOST_NAMED = 20;
const MOST_CHARS = 120;
const SHOWN_DIGITS = 16;

/** Is every listed file there with its length and digest? @returns the first problem */
export async function checkListed(
  files: BundleFiles,
  listed: ReadonlyMap<string, WrittenFile>,
): Promise<FileProblem | null> {
  for (const [path, written] of listed) {
    if ((await files.look(path)) !== 'file')
      return { file: path, problem: `the file ${path} is missing`, shows: 'INCOMPLETE' };
    const found = await digestOf(files, path, written.bytes);
    if (found.bytes === written.bytes && found.sha256 === written.sha256) continue;
    const bytes = found.bytes > written.bytes ? `more than ${String(written.bytes)}` : String(found.bytes);
    return {
      file: path,
      problem: `${path} is not the file that the manifest lists: expected ${String(written.bytes)} bytes with SHA-256 ${written.sha256.slice(0, SHOWN_DIGITS)}, found ${bytes} with ${found.sha256.slice(0, SHOWN_DIGITS)}`,
      shows: 'TAMPERED',
    };
  }
  return null;
}

/** Reads no further than where the file is too long. */
async function digestOf(files: BundleFiles, path: string, most: number): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of files.chunks(path)) {
    bytes += chunk.length;
    hash.update(chunk);
    if (bytes > most) break;
  }
  return { bytes, sha256: hash.digest().toString('hex') };
}

/** The trees of the logs that are in the folder as tiles, by log: their sizes. */
export type TileSizes = ReadonlyMap<string, number>;

/** What is in the folder, and of it what no part of the export is: nobody looked into that. */
export async function surveyFolder(
  files: BundleFiles,
  listed: ReadonlyMap<string, WrittenFile>,
  tiles: TileSizes,
): Promise<FolderReport> {
  const strangers: string[] = [];
  let count = 0;
  for await (const path of files.list()) {
    if (path === 'manifest.json' || listed.has(path) || isTile(path, tiles)) continue;
    count += 1;
    if (strangers.length < MOST_NAMED) strangers.push(plain(path.slice(0, MOST_CHARS)));
  }
  return { listed: listed.size, strangers: strangers.toSorted(), more: count - strangers.length };
}

/** A tile of a tree of that size, with exactly the width it has there. */
function isTile(path: string, tiles: TileSizes): boolean {
  const [, log = '', rest = ''] = /^logs\/([0-9a-f]{64})\/tile\/(.{1,60})$/.exec(path) ?? [];
  const size = tiles.get(log);
  const tile = size === undefined ? null : parseTilePath(rest);
  if (tile === null || size === undefined) return false;
  const level = 'level' in tile ? Number(tile.level) : 0;
  return level <= 7 && tile.width === Math.min(TILE_WIDTH, hashesAt(level, size) - tile.n * TILE_WIDTH);
}
