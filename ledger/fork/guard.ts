import type postgres from 'postgres';
import { agree, findDeployment } from '../epoch/continuity.ts';
import type { DeploymentLog } from '../epoch/continuity.ts';
import type { HeadStore } from '../epoch/head-store.ts';
import { LedgerError } from '../error.ts';
import { originLine, parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { findMissing } from './acknowledged.ts';
import type { KeptHeads } from './kept-heads.ts';
import { readForgottenLogs } from './lost-logs.ts';
import { askOutside } from './outside.ts';
import type { KnownCheckpoint, OutsideAnswer, OutsideMemory } from './outside.ts';

/** What the guard could compare the database with, and what it found. */
export interface ForkFinding {
  /**
   * The nearest of what there is: what this host has kept, or somebody outside who answered. `memory only`: neither, so a restore
   * between two starts does not show.
   */
  readonly guard: 'head store' | 'outside' | 'memory only';
  /** Why the ledger must not be written to; null when it may. */
  readonly problem: string | null;
  /** What was asked outside of this host. */
  readonly outside: readonly OutsideAnswer[];
}

/** Incarnations looked for beyond the database's own: one is declared after the other, by hand. */
const INCARNATIONS_AHEAD = 16;

/**
 * Is what was kept outside the database still in it? Asked before anything is written, and by `ledger status`.
 *
 * @param heads null where nothing outside is kept
 * @param name the deployment's, as configured
 * @param memories witnesses and archives that are asked too
 */
export async function findFork(
  sql: postgres.Sql,
  heads: HeadStore | null,
  name: string,
  memories: readonly OutsideMemory[] = [],
): Promise<ForkFinding> {
  const log = await findDeployment(sql);
  const kept = await readKept(sql, heads, log, name);
  const outside = await askOutside(sql, log, await knownCheckpoint(sql, log, name), memories);
  const isKept = kept.checkpoint !== null || kept.incarnation !== null || kept.heads.size > 0;
  const reached = outside.some(({ said }) => said !== 'unreached') ? 'outside' : 'memory only';
  const guard = isKept ? 'head store' : reached;
  const problem =
    (await findMissingKept(sql, log, kept)) ?? outside.find((answer) => answer.problem !== null)?.problem ?? null;
  return { guard, problem, outside };
}

interface Kept {
  /** One that the database does not know. */
  readonly incarnation: number | null;
  readonly checkpoint: Checkpoint | null;
  readonly heads: KeptHeads;
}

async function readKept(
  sql: postgres.Sql,
  heads: HeadStore | null,
  log: DeploymentLog | null,
  name: string,
): Promise<Kept> {
  if (heads === null) return { incarnation: null, checkpoint: null, heads: new Map() };
  return {
    incarnation: await newestIncarnation(heads, log?.name ?? name, log?.inc ?? -1),
    checkpoint: log === null ? null : await keptCheckpoint(heads, log.origin),
    heads: await awaited(sql, await heads.acknowledged(name)),
  };
}

/** Without logs that were declared lost as a whole. */
async function awaited(sql: postgres.Sql, heads: KeptHeads): Promise<KeptHeads> {
  const forgotten = heads.size === 0 ? new Set() : await readForgottenLogs(sql);
  return new Map([...heads].filter(([log]) => !forgotten.has(log)));
}

async function knownCheckpoint(sql: postgres.Sql, log: DeploymentLog | null, name: string): Promise<KnownCheckpoint> {
  if (log === null) return { name, inc: -1, log: null, size: 0, note: null };
  const [row] = await sql<{ size: string; note: string }[]>`
    select size, note from ledger.checkpoints where log = ${log.log} order by size desc limit 1`;
  return { name: log.name, inc: log.inc, log: log.log, size: Number(row?.size ?? 0), note: row?.note ?? null };
}

async function findMissingKept(sql: postgres.Sql, log: DeploymentLog | null, kept: Kept): Promise<string | null> {
  if (kept.incarnation !== null) {
    const known = log === null ? 'is empty' : `knows of incarnation ${String(log.inc)} only`;
    return `checkpoints of incarnation ${String(kept.incarnation)} were published, and the database ${known}`;
  }
  if (log !== null && (await isUnfinished(sql)))
    return 'a loss was declared and not all of it was recorded: run ledger recover again';
  const lost = log === null ? null : await findLost(sql, log, kept.checkpoint);
  if (lost !== null) return lost;
  const missing = await findMissing(sql, kept.heads);
  if (missing === null) return null;
  return `entry ${String(kept.heads.get(missing)?.seq)} of log ${missing} was acknowledged, and the database has another or none`;
}

async function findLost(sql: postgres.Sql, log: DeploymentLog, kept: Checkpoint | null): Promise<string | null> {
  if (kept === null) return null;
  try {
    await agree(sql, log, kept, null);
    if (await hasEntry(sql, log.log, kept.size - 1)) return null;
    return `entry ${String(kept.size - 1)} of the deployment's log was published and is missing`;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'forked') return error.message;
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
