import type postgres from 'postgres';
import { LedgerError } from '../error.ts';
import { consistencySteps, inclusionSteps, stepHash } from '../tree/proof.ts';
import type { ProofStep } from '../tree/proof.ts';
import { encodeBundle, nodeInTile, TILE_WIDTH, tileOf, tilePath } from '../tree/tile.ts';
import type { EntryBundle, Tile } from '../tree/tile.ts';

/**
 * The hashes of a tile, lower hex. Full tiles are stored; the ragged edge is read from the entries, or from the roots of
 * the tiles below it.
 *
 * @throws {LedgerError} `not_found` when the log does not reach that far
 */
export async function readTile(sql: postgres.Sql, log: string, tile: Tile): Promise<string[]> {
  const { level, n, width } = tile;
  const stored = width === TILE_WIDTH ? await storedTile(sql, log, tile) : null;
  const hashes = stored ?? (await edge(sql, log, { level, from: n * TILE_WIDTH, to: n * TILE_WIDTH + width }));
  if (hashes.length === width) return hashes;
  throw new LedgerError(
    'not_found',
    `expected ${String(width)} hashes for tile ${tilePath(tile)}, found ${String(hashes.length)}`,
  );
}

async function storedTile(sql: postgres.Sql, log: string, { level, n }: Tile): Promise<string[] | null> {
  const [row] = await sql<{ hashes: string }[]>`
    select encode(hashes, 'hex') as hashes from ledger.tiles where log = ${log} and level = ${level} and n = ${n}`;
  return row === undefined ? null : split(row.hashes);
}

async function edge(
  sql: postgres.Sql,
  log: string,
  { level, from, to }: { level: number; from: number; to: number },
): Promise<string[]> {
  const [row] =
    level === 0
      ? await sql<{ hashes: string | null }[]>`
          select encode(string_agg(hash, '' order by seq), 'hex') as hashes
          from ledger.entries where log = ${log} and seq >= ${from} and seq < ${to}`
      : await sql<{ hashes: string | null }[]>`
          select encode(string_agg(root, '' order by n), 'hex') as hashes
          from ledger.tiles where log = ${log} and level = ${level - 1} and n >= ${from} and n < ${to}`;
  return split(row?.hashes ?? '');
}

function split(hashes: string): string[] {
  return hashes.match(/.{64}/g) ?? [];
}

/** The headers of up to 256 entries as an entry bundle. @throws {LedgerError} `not_found` */
export async function readBundle(sql: postgres.Sql, log: string, { n, width }: EntryBundle): Promise<Buffer> {
  const from = n * TILE_WIDTH;
  const rows = await sql<{ header: string }[]>`
    select header from ledger.entries where log = ${log} and seq >= ${from} and seq < ${from + width} order by seq`;
  const bundle = rows.length === width ? encodeBundle(rows.map(({ header }) => Buffer.from(header, 'utf8'))) : null;
  if (bundle !== null) return bundle;
  throw new LedgerError('not_found', `expected ${String(width)} entries from ${String(from)} on, found fewer`);
}

/** Proof that entry `index` is in the first `size` entries (RFC 6962, 2.1.1). @throws {LedgerError} `not_found` */
export function readInclusion(sql: postgres.Sql, log: string, index: number, size: number): Promise<string[]> {
  return readSteps(sql, log, size, inclusionSteps(index, size));
}

/**
 * Proof that the first `oldSize` entries are the beginning of the first `size` (RFC 6962, 2.1.2).
 *
 * @throws {LedgerError} `not_found`
 */
export function readConsistency(sql: postgres.Sql, log: string, oldSize: number, size: number): Promise<string[]> {
  return readSteps(sql, log, size, consistencySteps(oldSize, size));
}

/** A proof's hashes: the tiles they are in, each read once. */
async function readSteps(
  sql: postgres.Sql,
  log: string,
  size: number,
  steps: readonly ProofStep[] | null,
): Promise<string[]> {
  if (steps === null)
    throw new LedgerError('not_found', `expected a place within ${String(size)} entries, found another`);
  const tiles = new Map(steps.flat().map((node) => tileOf(node, size)).map((tile) => [tilePath(tile), tile])); // prettier-ignore
  const read = new Map<string, readonly string[]>();
  for (const [path, tile] of tiles) read.set(path, await readTile(sql, log, tile));
  return steps.map((step) =>
    stepHash(step, (node) => {
      const tile = tileOf(node, size);
      return nodeInTile(node, tile, read.get(tilePath(tile)) ?? []);
    }),
  );
}
