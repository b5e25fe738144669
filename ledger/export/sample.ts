import type postgres from 'postgres';
import { LedgerError } from '../error.ts';
import { proveEntry } from '../epoch/prove.ts';
import { Draw, MAX_SAMPLE, MAX_SEED_CHARS, proofFile } from './draw.ts';
import type { SampleWish } from './options.ts';
import type { OutFolder } from './out.ts';

const PAGE = 5000;

/** @throws {LedgerError} `invalid_value` */
export function checkSample({ size, seed }: SampleWish): void {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SAMPLE)
    throw new LedgerError(
      'invalid_value',
      `expected a sample of 1 to ${String(MAX_SAMPLE)} calls, found another number`,
    );
  if (seed.length < 1 || seed.length > MAX_SEED_CHARS)
    throw new LedgerError('invalid_value', `expected a seed of 1 to ${String(MAX_SEED_CHARS)} characters`);
}

/** Draws calls out of all calls decided in a range; reads are short. */
export async function drawSample(
  sql: postgres.Sql,
  logs: readonly { readonly log: string; readonly first: number; readonly end: number }[],
  wish: SampleWish,
): Promise<Draw> {
  const draw = new Draw(wish);
  for (const { log, first, end } of logs) {
    for (let from = first; from < end; from += PAGE) {
      const rows = await sql<{ seq: string; call: string; hash: string }[]>`
        select seq, call, encode(hash, 'hex') as hash from ledger.entries
        where log = ${log} and seq >= ${from} and seq < ${Math.min(from + PAGE, end)} and kind = 'decision'`;
      for (const { seq, call, hash } of rows) draw.add({ log, seq: Number(seq), call, hash });
    }
  }
  return draw;
}

/** The draw and, where a checkpoint covers it already, each call's own proof. */
export async function writeSample(sql: postgres.Sql, folder: OutFolder, draw: Draw): Promise<void> {
  const proven = new Set<string>();
  for (const pick of draw.picks) {
    const proof = await proofOf(sql, pick);
    if (proof === null) continue;
    await folder.write(proofFile(pick), proof);
    proven.add(proofFile(pick));
  }
  const written = draw.files((pick) => (proven.has(proofFile(pick)) ? proofFile(pick) : null));
  for (const [path, text] of written) await folder.write(path, text);
}

async function proofOf(
  sql: postgres.Sql,
  { log, seq, hash }: { readonly log: string; readonly seq: number; readonly hash: string },
): Promise<string | null> {
  try {
    return await proveEntry(sql, { log, seq, hash });
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'not_yet') return null;
    throw error;
  }
}
