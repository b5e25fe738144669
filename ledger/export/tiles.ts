import type postgres from 'postgres';
import { readBundle, readTile } from '../epoch/tree-reader.ts';
import { bundlePath, encodeTile, hashesAt, TILE_WIDTH, tilePath } from '../tree/tile.ts';
import type { Tile } from '../tree/tile.ts';
import type { BundleFolder } from './folder.ts';

/**
 * The tree of a log up to a size in the layout of c2sp.org/tlog-tiles, entry bundles included, below `logs/<log>/tile/`: other
 * people's tools read it there. One tile in memory.
 */
export async function writeTiles(
  sql: postgres.Sql,
  folder: BundleFolder,
  { log, size }: { readonly log: string; readonly size: number },
): Promise<void> {
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const count = hashesAt(level, size);
    for (let n = 0; n * TILE_WIDTH < count; n += 1) {
      const tile: Tile = { level, n, width: Math.min(TILE_WIDTH, count - n * TILE_WIDTH) };
      await folder.write(`logs/${log}/tile/${tilePath(tile)}`, encodeTile(await readTile(sql, log, tile)));
      if (level > 0) continue;
      await folder.write(`logs/${log}/tile/${bundlePath(tile)}`, await readBundle(sql, log, tile));
    }
  }
}
