import type postgres from 'postgres';
import { readTile } from '../epoch/tree-reader.ts';
import { canonicalJson } from '../canonical.ts';
import { originLine } from '../note/checkpoint.ts';
import { encodeTile, hashesAt, TILE_WIDTH, tilePath } from '../tree/tile.ts';
import type { Tile } from '../tree/tile.ts';
import { rememberedNote } from '../fork/outside.ts';
import { getObject, listObjects, putObject } from './s3.ts';
import type { Bucket } from './s3.ts';
import type { AnchorSend } from './send.ts';
import { readAnchorsAt } from './stored.ts';
import type { AnchorCheckpoint, AnchorTarget } from './target.ts';

/** An object store that keeps copies, and for how long it must. */
export interface ArchiveOptions {
  readonly bucket: Bucket;
  /** Before every key; empty, or ends with a slash. */
  readonly prefix: string;
  /** From one copy to the next, ms. */
  readonly everyMs: number;
  /** Null: copies are not locked. */
  readonly lock: { readonly mode: 'COMPLIANCE' | 'GOVERNANCE'; readonly days: number } | null;
  /** Unix ms. */
  readonly now: () => number;
}

const DAY_MS = 86_400_000;

/**
 * A copy of checkpoints with what witnesses and authorities said of them, and of the tiles of the deployment's tree in the layout
 * of c2sp.org/tlog-tiles: enough to check any later ledger against, and nothing of its contents. Full tiles are written once.
 */
export function archiveTarget(options: ArchiveOptions, send: AnchorSend): AnchorTarget {
  const { bucket, prefix, everyMs, lock, now } = options;
  const place = `${new URL(bucket.url).host}/${bucket.bucket}/${prefix}`;
  const put = (key: string, body: Uint8Array): Promise<void> => {
    const until = lock === null ? null : { mode: lock.mode, untilMs: now() + lock.days * DAY_MS };
    return putObject(send, bucket, { key: `${prefix}${key}`, body, lock: until }, now());
  };
  return {
    id: `archive:${place}`,
    isDone: async (sql, { log, size }) =>
      (
        await sql`
          select 1 from ledger.copies where log = ${log} and place = ${place}
          and (size = ${size} or stored > clock_timestamp() - ${everyMs} * interval '1 millisecond') limit 1`
      ).length > 0,
    anchor: async (sql, checkpoint) => {
      const { log, size } = checkpoint;
      const [last] = await sql<{ size: string }[]>`
        select size from ledger.copies where log = ${log} and place = ${place} order by size desc limit 1`;
      for (const tile of newTiles(Number(last?.size ?? 0), size))
        await put(`${log}/tile/${tilePath(tile)}`, encodeTile(await readTile(sql, log, tile)));
      await putCheckpoint(sql, checkpoint, put);
      await sql`select ledger.store_copy(${log}, ${size}, ${place})`;
    },
    newest: async ({ name, inc, log, size }) => {
      if (log === null) return null;
      const folder = `${prefix}${log}/checkpoints/`;
      const after = `${folder}${padded(size)}.zzz`;
      const keys = await listObjects(send, bucket, { prefix: folder, after }, now());
      const newest = keys.findLast((key) => key.endsWith('.note'));
      if (newest === undefined) return null;
      return rememberedNote(
        Buffer.from(await getObject(send, bucket, newest, now())).toString('utf8'),
        originLine(name, inc),
      );
    },
  };
}

/** Sizes in the names are padded, so that a listing is in their order. */
async function putCheckpoint(
  sql: postgres.Sql,
  { log, size, note }: AnchorCheckpoint,
  put: (key: string, body: Uint8Array) => Promise<void>,
): Promise<void> {
  const name = `${log}/checkpoints/${padded(size)}`;
  await put(`${name}.note`, Buffer.from(note, 'utf8'));
  const { cosignatures, timestamps } = await readAnchorsAt(sql, log, size);
  const text = canonicalJson({ cosignatures: [...cosignatures], size, timestamps: [...timestamps] });
  await put(`${name}.anchors.json`, Buffer.from(`${text}\n`, 'utf8'));
}

function padded(size: number): string {
  return String(size).padStart(16, '0');
}

/** Tiles of a tree that one of `copied` leaves did not have: full ones, and the ragged edge at every level. */
export function* newTiles(copied: number, size: number): Generator<Tile> {
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const hashes = hashesAt(level, size);
    for (let n = Math.floor(hashesAt(level, copied) / TILE_WIDTH); n * TILE_WIDTH < hashes; n += 1) {
      const width = Math.min(TILE_WIDTH, hashes - n * TILE_WIDTH);
      if (n * TILE_WIDTH + width > hashesAt(level, copied)) yield { level, n, width };
    }
  }
}
