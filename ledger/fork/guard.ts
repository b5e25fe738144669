import type postgres from 'postgres';
import { agree, findDeployment } from '../epoch/continuity.ts';
import type { HeadStore } from '../epoch/head-store.ts';
import { LedgerError } from '../error.ts';
import { originLine, parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';

/** What the guard could compare the database with, and what it found. */
export interface ForkFinding {
  /** `memory only`: nothing was kept outside, so a restore between two starts does not show. */
  readonly guard: 'head store' | 'memory only';
  /** Why the ledger must not be written to; null when it may. */
  readonly problem: string | null;
}

/** Incarnations looked for beyond the database's own: one is declared after the other, by hand. */
const INCARNATIONS_AHEAD = 16;

/**
 * Is what was kept outside the database still in it? Asked before anything is written, and by `ledger status`.
 *
 * @param heads null where nothing outside is kept
 * @param name the deployment's, for a database that does not know it yet
 */
export async function findFork(sql: postgres.Sql, heads: HeadStore | null, name: string): Promise<ForkFinding> {
  const log = await findDeployment(sql);
  const inc = log?.inc ?? -1;
  const newest = heads === null ? null : await newestIncarnation(heads, log?.name ?? name, inc);
  const kept = heads === null || log === null ? null : await keptCheckpoint(heads, log.origin);
  const guard = kept === null && newest === null ? 'memory only' : 'head store';
  if (newest !== null) {
    const known = log === null ? 'is empty' : `knows of incarnation ${String(inc)} only`;
    return { guard, problem: `checkpoints of incarnation ${String(newest)} were published, and the database ${known}` };
  }
  if (log === null) return { guard, problem: null };
  if (await isUnfinished(sql))
    return { guard, problem: 'a loss was declared and not all of it was recorded: run ledger recover again' };
  try {
    if (kept !== null) await agree(sql, log, kept, null);
    if (kept === null || (await hasEntry(sql, log.log, kept.size - 1))) return { guard, problem: null };
    return { guard, problem: `entry ${String(kept.size - 1)} of the deployment's log was published and is missing` };
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'forked') return { guard, problem: error.message };
    throw error;
  }
}

/** The newest incarnation that was published and that the database does not know; null when it knows all. */
export async function newestIncarnation(heads: HeadStore, name: string, inc: number): Promise<number | null> {
  for (let ahead = INCARNATIONS_AHEAD; ahead >= 1; ahead -= 1)
    if ((await heads.latest(originLine(name, inc + ahead))) !== null) return inc + ahead;
  return null;
}

/**
 * Read without its signature: whoever can write to the head store can stop the gateway, and can do no more with it.
 *
 * @throws {LedgerError} `invalid_note`
 */
export async function keptCheckpoint(heads: HeadStore, origin: string): Promise<Checkpoint | null> {
  const note = await heads.latest(origin);
  return note === null ? null : checkpointOf(note);
}

/** What a signed note says. @throws {LedgerError} `invalid_note` */
export function checkpointOf(note: string): Checkpoint {
  return parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
}

/** A log of a later incarnation without its first entry. */
async function isUnfinished(sql: postgres.Sql): Promise<boolean> {
  const rows = await sql`
    select 1 from ledger.logs l where l.inc > 0 and not exists (select 1 from ledger.closed_logs c where c.log = l.log)
      and not exists (select 1 from ledger.entries e where e.log = l.log) limit 1`;
  return rows.length > 0;
}

async function hasEntry(sql: postgres.Sql, log: string, seq: number): Promise<boolean> {
  return (await sql`select 1 from ledger.entries where log = ${log} and seq = ${seq}`).length > 0;
}
