import type postgres from 'postgres';
import { canonicalJson } from '../canonical.ts';
import { LedgerError } from '../error.ts';
import { proveEntry } from '../epoch/prove.ts';
import { sha256 } from '../merkle.ts';
import type { BundleFolder } from './folder.ts';
import type { SampleWish } from './options.ts';

const MAX_SAMPLE = 1000;
const MAX_SEED_CHARS = 200;
const PAGE = 5000;

/** A call drawn by lot. */
export interface Pick {
  readonly log: string;
  readonly seq: number;
  readonly call: string;
  readonly hash: string;
  /** What decided: the calls with the smallest ranks are drawn. */
  readonly rank: string;
}

/** Calls drawn by lot out of all calls decided in a range. */
export interface Sample extends SampleWish {
  /** Calls there were to draw from. */
  readonly population: number;
  /** By log and sequence. */
  readonly picks: readonly Pick[];
}

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

/** SHA-256 of canonical `[seed, log, seq]`: anybody with the seed can draw again. */
export function sampleRank(seed: string, log: string, seq: number): string {
  return sha256(canonicalJson([seed, log, seq]));
}

/** Draws the calls with the smallest ranks; memory is bounded by the sample, reads are short. */
export async function drawSample(
  sql: postgres.Sql,
  logs: readonly { readonly log: string; readonly first: number; readonly end: number }[],
  { size, seed }: SampleWish,
): Promise<Sample> {
  let picks: Pick[] = [];
  let population = 0;
  for (const { log, first, end } of logs) {
    for (let from = first; from < end; from += PAGE) {
      const rows = await sql<{ seq: string; call: string; hash: string }[]>`
        select seq, call, encode(hash, 'hex') as hash from ledger.entries
        where log = ${log} and seq >= ${from} and seq < ${Math.min(from + PAGE, end)} and kind = 'decision'`;
      population += rows.length;
      const found = rows.map(({ seq, call, hash }) => ({
        log, seq: Number(seq), call, hash, rank: sampleRank(seed, log, Number(seq)),
      })); // prettier-ignore
      picks = [...picks, ...found].toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, size);
    }
  }
  return { size, seed, population, picks: picks.toSorted((a, b) => (a.log === b.log ? a.seq - b.seq : 0)) };
}

/** The draw and, where a checkpoint covers it already, each call's own proof. */
export async function writeSample(sql: postgres.Sql, folder: BundleFolder, sample: Sample): Promise<void> {
  const lines: string[] = [];
  for (const { log, seq, call, hash, rank } of sample.picks) {
    const proof = await proofOf(sql, { log, seq, hash });
    const path = proof === null ? null : `samples/${log.slice(0, 16)}-${String(seq)}.tlog-proof`;
    if (path !== null && proof !== null) await folder.write(path, proof);
    lines.push(`${canonicalJson({ call, hash, log, proof: path, rank, seq })}\n`);
  }
  const { seed, size, population } = sample;
  const rule = 'the calls with the smallest SHA-256 of canonical [seed, log, seq of the decision]';
  await folder.write('samples/draw.json', `${canonicalJson({ drawn: lines.length, population, rule, seed, size })}\n`);
  await folder.write('samples/calls.jsonl', lines.join(''));
}

async function proofOf(
  sql: postgres.Sql,
  place: { readonly log: string; readonly seq: number; readonly hash: string },
): Promise<string | null> {
  try {
    return await proveEntry(sql, place);
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'not_yet') return null;
    throw error;
  }
}
