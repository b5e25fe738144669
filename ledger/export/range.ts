import type postgres from 'postgres';
import type { OpenedHead } from '../epoch/check.ts';
import { readConsistency, readTile } from '../epoch/tree-reader.ts';
import { LedgerError } from '../error.ts';
import { ZERO_HASH } from '../merkle.ts';
import { rootStep } from '../tree/proof.ts';
import { nodeInTile, tileOf } from '../tree/tile.ts';
import type { RangeEvidence } from './range-file.ts';

export async function readRangeEvidence(
  sql: postgres.Sql,
  log: string,
  { first, end, cover }: { readonly first: number; readonly end: number; readonly cover: OpenedHead | null },
): Promise<RangeEvidence> {
  const path = cover === null ? [] : await readConsistency(sql, log, end, cover.size);
  return {
    first,
    end,
    prev: first === 0 ? ZERO_HASH : await readHash(sql, log, first - 1),
    peaks: await readPeaks(sql, log, first),
    cover: cover === null ? null : { epoch: cover.epoch, path },
  };
}

async function readHash(sql: postgres.Sql, log: string, seq: number): Promise<string> {
  const [row] = await sql<{ hash: string }[]>`
    select encode(hash, 'hex') as hash from ledger.entries where log = ${log} and seq = ${seq}`;
  if (row !== undefined) return row.hash;
  throw new LedgerError(
    'not_found',
    `expected entry ${String(seq)} before the range, found none; export the whole log`,
  );
}

/** The subtrees come from tiles: a few reads whatever the size. */
async function readPeaks(sql: postgres.Sql, log: string, size: number): Promise<string[]> {
  const peaks: string[] = [];
  for (const node of rootStep(size)) {
    const tile = tileOf(node, size);
    peaks.push(nodeInTile(node, tile, await readTile(sql, log, tile)));
  }
  return peaks;
}
