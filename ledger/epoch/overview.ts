import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';

/** How far epochs and checkpoints have come. */
export interface EpochOverview {
  /** Null before the first. */
  readonly lastEpoch: { readonly epoch: number; readonly slots: number; readonly madeMs: number } | null;
  /** The newest published checkpoint; null before the first. */
  readonly checkpoint: {
    readonly size: number;
    readonly root: string;
    readonly note: string;
    readonly vkey: string;
    /** The last epoch it covers. */
    readonly epoch: number | null;
  } | null;
  /** Keys of witnesses that cosigned it. */
  readonly witnesses: readonly string[];
}

/** The last epoch and the last checkpoint, in three short reads. */
export async function epochOverview(sql: postgres.Sql): Promise<EpochOverview> {
  const [epoch] = await sql<{ epoch: string; slots: string; made: Date }[]>`
    select epoch, slots, made from ledger.epochs order by epoch desc limit 1`;
  const [checkpoint] = await sql<{ size: string; root: string; note: string; vkey: string; call: string | null }[]>`
    select c.size, encode(c.root, 'hex') as root, c.note, c.vkey, e.call
    from ledger.logs l
    join lateral (select * from ledger.checkpoints x where x.log = l.log order by x.size desc limit 1) c on true
    left join lateral (select x.call from ledger.entries x
      where x.log = l.log and x.seq < c.size and x.kind = 'epoch' order by x.seq desc limit 1) e on true
    where l.tenant = ${DEPLOYMENT} order by l.inc desc limit 1`;
  const witnesses = await sql<{ vkey: string }[]>`
    select vkey from ledger.cosignatures where size = ${checkpoint?.size ?? 0}
    and log = (select l.log from ledger.logs l where l.tenant = ${DEPLOYMENT} order by l.inc desc limit 1) order by vkey`;
  return {
    lastEpoch:
      epoch === undefined
        ? null
        : { epoch: Number(epoch.epoch), slots: Number(epoch.slots), madeMs: epoch.made.getTime() },
    checkpoint:
      checkpoint === undefined
        ? null
        : {
            size: Number(checkpoint.size),
            root: checkpoint.root,
            note: checkpoint.note,
            vkey: checkpoint.vkey,
            epoch: checkpoint.call === null ? null : Number(checkpoint.call.replace('epoch.', '')),
          },
    witnesses: witnesses.map(({ vkey }) => vkey),
  };
}
