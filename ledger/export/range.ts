import type postgres from 'postgres';
import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import type { OpenedHead } from '../epoch/check.ts';
import { isHash } from '../epoch/record.ts';
import { readConsistency, readTile } from '../epoch/tree-reader.ts';
import { LedgerError } from '../error.ts';
import { ZERO_HASH } from '../merkle.ts';
import { rootStep } from '../tree/proof.ts';
import { nodeInTile, tileOf } from '../tree/tile.ts';
import { asObject } from '../verify/call-check.ts';

/** Beside the entries of a log that was exported in part: what leads from the rest of the log to them. */
export const RANGE_FILE = 'range.json';
export const MAX_RANGE_BYTES = 20_000;
const MAX_NODES = 64;

/** The evidence that the entries [first, end) stand where they say in a log of which the rest is left out. */
export interface RangeEvidence {
  readonly first: number;
  /** One more than the last sequence. */
  readonly end: number;
  /** Hash of the entry before the first; 64 zeros at the beginning of the log. */
  readonly prev: string;
  /** Roots of the complete subtrees of the entries before the first, largest first: appending to them gives every later root. */
  readonly peaks: readonly string[];
  /** The oldest epoch with at least `end` entries and the consistency proof from `end` to its size; null when there is none. */
  readonly cover: { readonly epoch: number; readonly path: readonly string[] } | null;
}

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

export function writeRange({ first, end, prev, peaks, cover }: RangeEvidence): string {
  const written = cover === null ? null : { epoch: cover.epoch, path: [...cover.path] };
  return `${canonicalJson({ cover: written, end, first, peaks: [...peaks], prev })}\n`;
}

/** Null when the text has another form. */
export function readRange(text: string): RangeEvidence | null {
  let value: JsonValue;
  try {
    value = parseCanonical(text.trimEnd());
  } catch {
    return null;
  }
  const { first, end, prev, peaks, cover } = asObject(value);
  if (!isCount(first) || !isCount(end) || end < first || !isHash(prev) || !areHashes(peaks)) return null;
  if (cover === null) return { first, end, prev, peaks, cover };
  const { epoch, path } = asObject(cover);
  return isCount(epoch) && areHashes(path) ? { first, end, prev, peaks, cover: { epoch, path } } : null;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

function areHashes(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.length <= MAX_NODES && value.every(isHash);
}
