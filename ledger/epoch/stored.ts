import type postgres from 'postgres';
import { merkleRoot } from '../merkle.ts';
import { DEPLOYMENT } from '../entry.ts';
import type { OpenedHead } from './check.ts';
import { buildSlotTree, slotNonce } from './slots.ts';
import type { SlotHead, SlotTree } from './slots.ts';

const PAGE = 500;

/** Heads of a log that epochs up to `lastEpoch` bound anew, opened, in order; in short reads. */
export async function* readOpenings(
  sql: postgres.Sql,
  { log, slot }: { readonly log: string; readonly slot: number },
  lastEpoch: number,
): AsyncGenerator<OpenedHead> {
  for (let after = -1; ;) {
    const rows = await sql<{ epoch: string; size: string; root: string; path: string; secret: Buffer }[]>`
      select h.epoch, h.size, encode(h.root, 'hex') as root, encode(h.path, 'hex') as path, e.secret
      from ledger.epoch_heads h join ledger.epochs e using (epoch)
      where h.log = ${log} and h.epoch > ${after} and h.epoch <= ${lastEpoch} order by h.epoch limit ${PAGE}`;
    for (const { epoch, size, root, path, secret } of rows) {
      const nonce = slotNonce(secret, slot);
      yield { epoch: Number(epoch), size: Number(size), root, nonce, path: path.match(/.{64}/g) ?? [] };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = Number(last.epoch);
  }
}

/** One epoch with all its slots. */
export interface WholeEpoch {
  readonly epoch: number;
  readonly tree: SlotTree;
  /** Null for a log that was not there yet. */
  open(log: string): OpenedHead | null;
}

/** An epoch built again from what is stored; null when there is none of that number. Costs a hash or two for each slot. */
export async function readWholeEpoch(sql: postgres.Sql, epoch: number): Promise<WholeEpoch | null> {
  const [row] = await sql<{ slots: string; used: string; secret: Buffer }[]>`
    select slots, used, secret from ledger.epochs where epoch = ${epoch}`;
  if (row === undefined) return null;
  const rows = await sql<{ log: string; slot: string; size: string | null; root: string | null }[]>`
    select l.log, l.slot, h.size, encode(h.root, 'hex') as root from ledger.logs l
    left join lateral (select x.size, x.root from ledger.epoch_heads x
      where x.log = l.log and x.epoch <= ${epoch} order by x.epoch desc limit 1) h on true
    where l.tenant <> ${DEPLOYMENT} and l.slot < ${row.used} order by l.slot`;
  const heads = rows.map(({ log, slot, size, root }): SlotHead => ({
    log, slot: Number(slot), size: Number(size ?? 0), root: root ?? merkleRoot([]),
  })); // prettier-ignore
  const byLog = new Map(heads.map((head) => [head.log, head]));
  const tree = buildSlotTree(Number(row.slots), heads, row.secret);
  return {
    epoch,
    tree,
    open: (log) => {
      const head = byLog.get(log);
      if (head === undefined) return null;
      const { size, root, slot } = head;
      return { epoch, size, root, nonce: slotNonce(row.secret, slot), path: tree.path(slot) };
    },
  };
}

/** A published checkpoint as it is stored. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly vkey: string;
}

/** Checkpoints of a log up to `lastSize`, in order; in short reads. */
export async function* readCheckpoints(
  sql: postgres.Sql,
  log: string,
  lastSize: number,
): AsyncGenerator<StoredCheckpoint> {
  for (let after = 0; ;) {
    const rows = await sql<{ size: string; note: string; vkey: string }[]>`
      select size, note, vkey from ledger.checkpoints
      where log = ${log} and size > ${after} and size <= ${lastSize} order by size limit ${PAGE}`;
    for (const { size, note, vkey } of rows) yield { size: Number(size), note, vkey };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = Number(last.size);
  }
}
