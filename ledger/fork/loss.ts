import type postgres from 'postgres';
import { extend } from '../epoch/continuity.ts';
import type { HeadStore } from '../epoch/head-store.ts';
import { growHeads, readHeads } from '../epoch/heads.ts';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { merkleRoot } from '../merkle.ts';
import { originLine } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { CompactRange } from '../tree/range.ts';
import { checkpointOf } from './guard.ts';
import type { KeptHeads } from './kept-heads.ts';

/** A log that a later incarnation has replaced, as it was restored. */
export interface RestoredLog {
  readonly log: string;
  readonly inc: number;
  /** First line of the checkpoints of its incarnation. */
  readonly origin: string;
  /** Entries. */
  readonly size: number;
  /** RFC 6962 tree head over them, lower hex. */
  readonly root: string;
}

/** A log that has yet to begin, and the one it goes on from. */
export interface NewLog {
  readonly tenant: string;
  readonly log: string;
  readonly inc: number;
  readonly origin: string;
  readonly previous: RestoredLog;
}

/** What the deployment's log has lost, as far as is known outside. */
export interface Lost {
  /** The first sequence whose entry is lost: everything before it is what was published. */
  readonly from: number;
  /** The sequence after the last one that was published or acknowledged; null when nothing outside says how far the log had come. */
  readonly to: number | null;
  /** The newest checkpoint that was published. */
  readonly checkpoint: Checkpoint | null;
}

/** Logs of the newest incarnation that have no first entry yet; the deployment's first. */
export async function readNewLogs(sql: postgres.Sql): Promise<NewLog[]> {
  const rows = await sql<{ tenant: string; log: string; inc: number; origin: string; old: string; oldInc: number }[]>`
    select l.tenant, l.log, l.inc, l.origin, o.log as old, o.inc as "oldInc"
    from ledger.logs l
    join lateral (select x.log, x.inc from ledger.logs x where x.tenant = l.tenant and x.inc < l.inc order by x.inc desc limit 1) o on true
    where l.inc > 0 and not exists (select 1 from ledger.closed_logs c where c.log = l.log)
      and not exists (select 1 from ledger.entries e where e.log = l.log)
    order by l.tenant <> ${DEPLOYMENT}, l.slot`;
  if (rows.length === 0) return [];
  const heads = await readHeads(sql);
  const roots = new Map((await growHeads(sql, heads)).map(({ log, range }) => [log, range.root()]));
  const found: NewLog[] = [];
  for (const { tenant, log, inc, origin, old, oldInc } of rows) {
    const head = heads.find((each) => each.log === old);
    const known = { size: head?.size ?? 0, root: roots.get(old) ?? head?.known?.root ?? merkleRoot([]) };
    const { size, root } = tenant === DEPLOYMENT ? await deploymentHead(sql, old) : known;
    const previous = { log: old, inc: oldInc, origin: originLine(origin, oldInc), size, root };
    found.push({ tenant, log, inc, origin: originLine(origin, inc), previous });
  }
  return found;
}

async function deploymentHead(sql: postgres.Sql, log: string): Promise<{ size: number; root: string }> {
  const range = CompactRange.empty();
  const [tail] = await sql<{ seq: string }[]>`
    select seq from ledger.entries where log = ${log} order by seq desc limit 1`;
  await extend(sql, { log, origin: log }, range, tail === undefined ? 0 : Number(tail.seq) + 1);
  return { size: range.size, root: range.root() };
}

/**
 * Compares the restored log of the deployment with the checkpoints that were kept outside, from the oldest on.
 *
 * @param more signed notes from elsewhere, e.g. of a witness or an archive, and the last entries that were acknowledged
 * @throws {LedgerError} `invalid_note` for a note of another log
 */
export async function measureLoss(
  sql: postgres.Sql,
  heads: HeadStore,
  { log, origin, size }: RestoredLog,
  { notes, acknowledged }: { readonly notes: readonly string[]; readonly acknowledged: KeptHeads },
): Promise<Lost> {
  const last = (acknowledged.get(log)?.seq ?? -1) + 1;
  const published: Checkpoint[] = [];
  for await (const note of heads.history()) {
    const checkpoint = checkpointOf(note);
    if (checkpoint.origin === origin) published.push(checkpoint);
  }
  const latest = await heads.latest(origin);
  for (const note of [latest, ...notes]) if (note !== null) published.push(ofLog(checkpointOf(note), origin));
  published.sort((a, b) => a.size - b.size);
  const range = CompactRange.empty();
  let agreed = 0;
  for (const checkpoint of published) {
    if (checkpoint.size > size) break;
    await extend(sql, { log, origin }, range, checkpoint.size);
    // Two histories: what came after the last checkpoint they share is another story here.
    if (range.root() !== checkpoint.root) return lostFrom(agreed, published, last);
    agreed = checkpoint.size;
  }
  return lostFrom(size, published, last);
}

/** @param last the sequence after the last one that was acknowledged; 0 when none is known */
function lostFrom(from: number, published: readonly Checkpoint[], last: number): Lost {
  const checkpoint = published.at(-1) ?? null;
  const to = Math.max(checkpoint?.size ?? 0, last);
  return { from, to: to === 0 ? null : Math.max(to, from), checkpoint };
}

function ofLog(checkpoint: Checkpoint, origin: string): Checkpoint {
  if (checkpoint.origin === origin) return checkpoint;
  throw new LedgerError('invalid_note', `expected a checkpoint of ${origin}, found one of another log`);
}
