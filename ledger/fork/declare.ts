import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import type { AppendItem } from '../entry.ts';
import type { JsonValue } from '../canonical.ts';
import { findDeployment } from '../epoch/continuity.ts';
import type { HeadStore } from '../epoch/head-store.ts';
import { LedgerError } from '../error.ts';
import type { LedgerOptions } from '../ledger.ts';
import { openLedger } from '../open.ts';
import { recoverExpired } from '../recover.ts';
import { findFork, newestIncarnation } from './guard.ts';
import { measureLoss, readNewLogs } from './loss.ts';
import type { KeptHeads } from './kept-heads.ts';
import type { Lost, NewLog, RestoredLog } from './loss.ts';
import { readLostLogs } from './lost-logs.ts';
import type { LostLog } from './lost-logs.ts';
import type { OutsideAnswer } from './outside.ts';

/** Who declares what; appends need the gateway's rights only. */
export interface LossOptions extends Pick<LedgerOptions, 'sql' | 'writerSql' | 'keys' | 'origin' | 'now' | 'outside'> {
  /** With the rights of the owner of the database. */
  readonly ownerSql: postgres.Sql;
  readonly heads: HeadStore;
  /** A signed note from outside that is newer than what the head store has; null: none. */
  readonly checkpoint: string | null;
  /** Who declares it and why; sealed. */
  readonly by: string;
  readonly reason: string;
  /** Declare it even though the guard misses nothing: for a restore that nothing outside could show. */
  readonly force: boolean;
}

/** A new incarnation has begun. */
export interface Recovery {
  readonly inc: number;
  /** First line of the checkpoints from now on. */
  readonly origin: string;
  readonly lost: Lost;
  /** The logs that go on, and what they go on from. */
  readonly logs: readonly NewLog[];
  /** Calls that were open in the ended logs, closed as `unknown`. */
  readonly closed: number;
}

/**
 * Ends every log where the restored database ends and begins a new one for each; the first entry of each commits to the head it
 * goes on from, that of the deployment's also to the newest checkpoint that was published and to the range that is lost. All
 * writers are fenced. May be run again after a crash; then it finishes what it began.
 *
 * @throws {LedgerError} `not_forked` when nothing is missing and `force` is not set, `unavailable`
 */
export async function declareLoss(options: LossOptions): Promise<Recovery> {
  const { sql, ownerSql, heads, origin: name, checkpoint, force } = options;
  const { problem, outside } = await findFork(sql, heads, name, options.outside);
  if (problem === null && !force) {
    throw new LedgerError(
      'not_forked',
      'expected something to be missing from the database, found all that is known outside; nothing was declared',
    );
  }
  const before = await findDeployment(sql);
  if (before === null)
    throw new LedgerError(
      'not_forked',
      'expected a copy of the ledger, found a database without one: restore a copy, or begin another ledger with another ledger.origin',
    );
  const { inc } = before;
  const published = await newestIncarnation(heads, before.name, inc);
  const acknowledged = await heads.acknowledged(name);
  const used = [inc, published ?? inc, ...[...acknowledged.values()].map((head) => head.inc)];
  const slots = [...acknowledged.values()].map(({ slot }) => slot ?? -1);
  await ownerSql`
    select ledger.declare_loss(${Math.max(...used, ...outside.map(incarnationOf)) + 1}::integer, ${Math.max(-1, ...slots) + 1}::bigint)`;
  const logs = await readNewLogs(sql);
  const [deployment] = logs;
  // A crash after the deployment's own first entry leaves only tenants' logs to begin.
  const own = deployment?.tenant === DEPLOYMENT ? deployment : null;
  const lost =
    own === null
      ? { from: 0, to: null, checkpoint: null }
      : await measureLoss(sql, heads, own.previous, {
          notes: notesOf(outside, own.previous, published === null ? checkpoint : null),
          acknowledged,
        });
  const closed = await begin(options, logs, {
    acknowledged,
    first: own === null ? null : deploymentEntry(options, own, lost, await readLostLogs(sql, acknowledged)),
  });
  const now = await findDeployment(sql);
  return { inc: now?.inc ?? 0, origin: now?.origin ?? '', lost, logs, closed };
}

/** 0 for one that cannot be told. */
function incarnationOf({ remembered }: OutsideAnswer): number {
  return Number(/\/(\d{1,9})$/.exec(remembered?.origin ?? '')?.[1] ?? 0);
}

/** Notes of the ended log that somebody outside remembers, and the one that the operator brought. */
function notesOf(outside: readonly OutsideAnswer[], { origin }: RestoredLog, brought: string | null): string[] {
  const remembered = outside.flatMap((answer) =>
    answer.remembered?.origin === origin ? (answer.remembered.note ?? []) : [],
  );
  return brought === null ? remembered : [...remembered, brought];
}

async function begin(
  options: LossOptions,
  logs: readonly NewLog[],
  { acknowledged, first }: { readonly acknowledged: KeptHeads; readonly first: AppendItem | null },
): Promise<number> {
  const { sql, writerSql, keys, origin, now } = options;
  const ledger = await openLedger({
    sql, writerSql, keys, origin, now, recoverMs: 0, isRecovery: true, firstEntry: () => first,
  }); // prettier-ignore
  try {
    for (const log of logs) if (log.tenant !== DEPLOYMENT) await ledger.append(tenantEntry(options, log, acknowledged));
    // Whose process is fenced, and all are: what was open goes on as open in the new logs until it is closed there.
    return (await recoverExpired({ sql, ledger })).closed;
  } finally {
    await ledger.close();
  }
}

function deploymentEntry(
  options: LossOptions,
  log: NewLog,
  { from, to, checkpoint }: Lost,
  lostLogs: readonly LostLog[],
): AppendItem {
  const kept = checkpoint && { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root };
  const logs = lostLogs.map((each) => ({ ...each }));
  return recoveryEntry(options, log, { lost: { from, to }, lost_logs: logs, checkpoint: kept });
}

/** How far a tenant's log had come at least is what this host's processes were told; who holds receipts and exports may know more. */
function tenantEntry(options: LossOptions, log: NewLog, acknowledged: KeptHeads): AppendItem {
  const { log: previous, size: from } = log.previous;
  const last = acknowledged.get(previous);
  return recoveryEntry(options, log, { lost: { from, to: last === undefined ? null : Math.max(last.seq + 1, from) } });
}

function recoveryEntry(
  { by, reason }: LossOptions,
  { tenant, inc, origin, previous }: NewLog,
  more: { readonly [name: string]: JsonValue },
): AppendItem {
  return {
    tenant,
    kind: 'recovery',
    class: 'event',
    call: `recovery.${String(inc)}`,
    subject: null,
    sections: { facts: { inc, origin, previous: { ...previous }, ...more }, detail: { by, reason } },
  };
}
