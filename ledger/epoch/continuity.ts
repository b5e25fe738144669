import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { leafHash } from '../merkle.ts';
import { originLine } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { CompactRange } from '../tree/range.ts';

/** The deployment's log as it goes on: the one of its newest incarnation. */
export interface DeploymentLog {
  readonly log: string;
  /** Name of the deployment. */
  readonly name: string;
  readonly inc: number;
  /** First line of its checkpoints. */
  readonly origin: string;
}

/** The newest checkpoint that the database has. Root and frontier lower hex. */
export interface PublishedRow {
  readonly size: string;
  readonly root: string;
  readonly frontier: string;
}

const READ_HEADERS = 2000;

export async function findDeployment(sql: postgres.Sql): Promise<DeploymentLog | null> {
  const [row] = await sql<{ log: string; inc: number; origin: string }[]>`
    select log, inc, origin from ledger.logs where tenant = ${DEPLOYMENT} order by inc desc limit 1`;
  if (row === undefined) return null;
  return { log: row.log, name: row.origin, inc: row.inc, origin: originLine(row.origin, row.inc) };
}

export async function lastStored(sql: postgres.Sql, { log }: Pick<DeploymentLog, 'log'>): Promise<PublishedRow | null> {
  const [row] = await sql<PublishedRow[]>`
    select size, encode(root, 'hex') as root, encode(frontier, 'hex') as frontier
    from ledger.checkpoints where log = ${log} order by size desc limit 1`;
  return row ?? null;
}

/**
 * The tree up to the newer of the two checkpoints, when the log, the database and what was kept outside tell one story.
 *
 * @throws {LedgerError} `forked`
 */
export async function agree(
  sql: postgres.Sql,
  log: DeploymentLog,
  kept: Checkpoint | null,
  stored: PublishedRow | null,
): Promise<CompactRange> {
  const base = kept === null ? null : await frontierAt(sql, log, kept.size);
  // What the database continues from counts only when it is what we signed; else the entries themselves have to say.
  let range = base !== null && base.root() === kept?.root ? base : CompactRange.empty();
  if (kept !== null) {
    await extend(sql, log, range, kept.size);
    if (range.root() !== kept.root) throw forked(log, kept.size);
  }
  if (stored !== null) {
    if (kept === null) range = CompactRange.restore(Number(stored.size), stored.frontier) ?? range;
    if (Number(stored.size) > range.size) await extend(sql, log, range, Number(stored.size));
    if (Number(stored.size) === range.size && range.root() !== stored.root) throw forked(log, range.size);
  }
  return range;
}

async function frontierAt(sql: postgres.Sql, { log }: DeploymentLog, size: number): Promise<CompactRange | null> {
  const [row] = await sql<{ frontier: string }[]>`
    select encode(frontier, 'hex') as frontier from ledger.checkpoints where log = ${log} and size = ${size}`;
  return row === undefined ? null : CompactRange.restore(size, row.frontier);
}

/** Continues with the hashes of the headers themselves, not with what is stored beside them. @throws {LedgerError} `forked` */
export async function extend(
  sql: postgres.Sql,
  log: Pick<DeploymentLog, 'log' | 'origin'>,
  range: CompactRange,
  size: number,
): Promise<void> {
  while (range.size < size) {
    const rows = await sql<{ seq: string; header: string }[]>`
      select seq, header from ledger.entries
      where log = ${log.log} and seq >= ${range.size} and seq < ${Math.min(size, range.size + READ_HEADERS)} order by seq`;
    for (const { seq, header } of rows) {
      if (Number(seq) !== range.size) throw forked(log, range.size);
      range.append(leafHash(header));
    }
    if (rows.length === 0) throw forked(log, size);
  }
}

export function forked({ origin }: Pick<DeploymentLog, 'origin'>, size: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected the log of ${origin} to continue the checkpoint of its first ${String(size)} entries, found another history; was the database restored?`,
  );
}
