import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import type { EvidenceLog } from './evidence.ts';

/** What the database says around its entries, all at one moment. */
export interface Snapshot {
  readonly logs: readonly SnapshotLog[];
  readonly openCalls: readonly SnapshotCall[];
  readonly writers: readonly SnapshotWriter[];
  readonly budgets: readonly SnapshotBudget[];
  /** Logs that have entries but no row of their own. */
  readonly strays: readonly string[];
  /** Number of the last epoch that is stored; -1 before the first. */
  readonly lastEpoch: number;
}

export interface SnapshotLog extends EvidenceLog {
  /** -1 when empty. */
  readonly tail: number;
  /** Highest sequence a stored receipt is about; -1 when there is none. */
  readonly lastReceipt: number;
  /** Size of the last checkpoint; 0 when there is none. */
  readonly checkpoint: number;
}

export interface SnapshotCall {
  readonly log: string;
  readonly call: string;
  readonly seq: number;
  readonly reserved: bigint;
  readonly scopes: readonly string[];
}

export interface SnapshotWriter {
  readonly wid: string;
  readonly key: string;
  /** Highest writer sequence the process had acknowledged at its last renewal. */
  readonly wseq: number;
}

export interface SnapshotBudget {
  readonly scope: string;
  readonly createdMs: number;
  readonly initial: readonly [bigint, bigint, bigint];
  /** Day, week and month numbers the totals are about. */
  readonly periods: readonly [number, number, number];
  readonly spent: readonly [bigint, bigint, bigint];
  readonly reserved: bigint;
}

type Row = Readonly<Record<string, string>>;

/** One short REPEATABLE READ transaction: entries are read afterwards, up to the tails seen here. */
export async function readSnapshot(sql: postgres.Sql): Promise<Snapshot> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const logs = await tx<Row[]>`
      select l.log, l.tenant, l.inc, l.slot, l.nonce, l.origin, coalesce(e.seq, -1) as tail, coalesce(r.seq, -1) as receipt, coalesce(c.size, 0) as checkpoint
      from ledger.logs l
      left join lateral (select seq from ledger.entries x where x.log = l.log order by x.seq desc limit 1) e on true
      left join lateral (select seq from ledger.receipts x where x.log = l.log order by x.seq desc limit 1) r on true
      left join lateral (select size from ledger.checkpoints x where x.log = l.log order by x.size desc limit 1) c on true
      order by l.tenant <> ${DEPLOYMENT}, l.slot`;
    const open = await tx<(Omit<Row, 'scopes'> & { readonly scopes: string[] })[]>`
      select log, call, seq, reserved, scopes from ledger.open_calls order by log, call`;
    const writers = await tx<Row[]>`select wid, key, wseq from ledger.writers order by wid`;
    const budgets = await tx<Row[]>`
      select b.*, t.* from ledger.budget_scopes b
      cross join lateral (select * from ledger.budget_totals x where x.scope = b.scope order by x.n desc limit 1) t order by b.scope`;
    // A walk over the distinct first key of an index: a few steps, not a scan.
    const strays = await tx<{ log: string }[]>`
      with recursive walk(log) as (
        select min(log) from ledger.entries
        union all select (select min(e.log) from ledger.entries e where e.log > w.log) from walk w where w.log is not null)
      select log from walk where log is not null and log not in (select log from ledger.logs)`;
    const [epoch] = await tx<Row[]>`select coalesce(max(epoch), -1) as last from ledger.epochs`;
    return {
      lastEpoch: Number(epoch?.['last'] ?? -1),
      logs: logs.map(toLog),
      openCalls: open.map((row) => ({
        log: row['log'] ?? '',
        call: row['call'] ?? '',
        seq: Number(row['seq']),
        reserved: BigInt(row['reserved'] ?? 0),
        scopes: row.scopes,
      })),
      writers: writers.map((row) => ({ wid: row['wid'] ?? '', key: row['key'] ?? '', wseq: Number(row['wseq']) })),
      budgets: budgets.map(toBudget),
      strays: strays.map((row) => row.log),
    };
  });
}

function toLog(row: Row): SnapshotLog {
  return {
    log: row['log'] ?? '',
    tenant: row['tenant'] ?? '',
    inc: Number(row['inc']),
    slot: Number(row['slot']),
    nonce: row['nonce'] ?? '',
    origin: row['origin'] ?? '',
    tail: Number(row['tail']),
    lastReceipt: Number(row['receipt']),
    checkpoint: Number(row['checkpoint']),
  };
}

function toBudget(row: Row): SnapshotBudget {
  const amount = (name: string): bigint => BigInt(row[name] ?? 0);
  return {
    scope: row['scope'] ?? '',
    createdMs: Number(row['created']),
    initial: [amount('initial_day'), amount('initial_week'), amount('initial_month')],
    periods: [Number(row['day']), Number(row['week']), Number(row['month'])],
    spent: [amount('spent_day'), amount('spent_week'), amount('spent_month')],
    reserved: amount('reserved'),
  };
}
