import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import type { Ledger } from '../ledger.ts';
import { merkleRoot, ZERO_HASH } from '../merkle.ts';
import { growHeads, readHeads } from './heads.ts';
import type { GrownHead, LogHead } from './heads.ts';
import { epochCall, epochFacts } from './record.ts';
import type { EpochRecord } from './record.ts';
import { buildSlotTree, slotCount } from './slots.ts';
import type { SlotHead } from './slots.ts';

/** What makes an epoch. */
export interface EpochMaker {
  readonly sql: postgres.Sql;
  readonly ledger: Pick<Ledger, 'append' | 'status'>;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
}

/** An epoch that is in the deployment's log. */
export interface Epoch {
  readonly epoch: number;
  /** Logs whose heads it bound anew. */
  readonly changed: number;
}

interface EpochRow {
  readonly epoch: string;
  readonly slots: string;
  readonly root: string;
}

/**
 * Binds the heads of all tenants' logs into one entry of the deployment's log, if anything was appended since the last one;
 * null when nothing was. First the epoch is stored, then its entry is appended: after a crash in between the next run
 * appends it. Two processes at once make one epoch each or the same one, never two of one number.
 *
 * @param force make one even though nothing changed
 * @throws {LedgerError} `unavailable`, `forked`
 */
export async function makeEpoch(maker: EpochMaker, force = false): Promise<Epoch | null> {
  const { sql, ledger } = maker;
  const { fork } = ledger.status();
  if (fork !== null) throw new LedgerError('forked', `expected a ledger that may be written to, found none: ${fork}`);
  const last = await finishLast(maker);
  const heads = await readHeads(sql);
  const grown = await growHeads(sql, heads);
  if (grown.length === 0 && !force && !(await hasNews(sql))) return null;
  const epoch = await prepare(maker, last === null ? 0 : last + 1, heads, grown);
  if (epoch === null) return null;
  await append(maker, epoch);
  return { epoch: epoch.epoch, changed: grown.length };
}

/** The number of the last epoch, its entry in the log; null before the first. */
async function finishLast(maker: EpochMaker): Promise<number | null> {
  const [row] = await maker.sql<EpochRow[]>`
    select epoch, slots, encode(root, 'hex') as root from ledger.epochs order by epoch desc limit 1`;
  if (row === undefined) return null;
  const epoch = Number(row.epoch);
  if ((await entryHash(maker.sql, epoch)) === null)
    await append(maker, { epoch, slots: Number(row.slots), root: row.root });
  return epoch;
}

/** Anything in the deployment's log behind the last epoch's own entry. */
async function hasNews(sql: postgres.Sql): Promise<boolean> {
  const [tail] = await sql<{ kind: string }[]>`
    select e.kind from ledger.logs l
    join lateral (select x.kind from ledger.entries x where x.log = l.log order by x.seq desc limit 1) e on true
    where l.tenant = ${DEPLOYMENT} order by l.inc desc limit 1`;
  return tail !== undefined && tail.kind !== 'epoch';
}

/** Null when another process stored an epoch of this number first. */
async function prepare(
  { sql, random }: EpochMaker,
  epoch: number,
  heads: readonly LogHead[],
  grown: readonly GrownHead[],
): Promise<Omit<EpochRecord, 'prev'> | null> {
  const secret = random(32);
  const roots = new Map(grown.map(({ log, range }) => [log, range.root()]));
  const bound = heads.map(({ log, slot, size, known }): SlotHead => ({
    log, slot, size, root: roots.get(log) ?? known?.root ?? merkleRoot([]),
  })); // prettier-ignore
  const used = (heads.at(-1)?.slot ?? 0) + 1;
  const slots = slotCount(used);
  const tree = buildSlotTree(slots, bound, secret);
  // An array of bytea travels as the texts PostgreSQL reads them from.
  const bytes = (hex: string): string => `\\x${hex}`;
  const [row] = await sql<{ first: boolean }[]>`
    select ledger.prepare_epoch(${epoch}, ${slots}, ${used}, ${Buffer.from(tree.root, 'hex')}, ${secret},
      ${grown.map(({ log }) => log)}::text[], ${grown.map(({ size }) => size)}::bigint[],
      ${grown.map(({ range }) => bytes(range.root()))}::text[]::bytea[], ${grown.map(({ range }) => bytes(range.nodes))}::text[]::bytea[],
      ${grown.map(({ slot }) => bytes(tree.path(slot).join('')))}::text[]::bytea[]) as first`;
  return row?.first === true ? { epoch, slots, root: tree.root } : null;
}

async function append({ sql, ledger }: EpochMaker, record: Omit<EpochRecord, 'prev'>): Promise<void> {
  const { epoch } = record;
  const prev = epoch === 0 ? ZERO_HASH : await entryHash(sql, epoch - 1);
  if (prev === null) {
    throw new LedgerError(
      'forked',
      `expected the entry of epoch ${String(epoch - 1)} in the log, found none; was it restored?`,
    );
  }
  const [clock] = await sql<{ ms: number }[]>`
    select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  await ledger
    .append({
      tenant: DEPLOYMENT,
      kind: 'epoch',
      class: 'event',
      call: epochCall(epoch),
      subject: null,
      sections: { facts: epochFacts({ ...record, prev }, clock?.ms ?? 0) },
    })
    .catch((error: unknown) => {
      // Another process appended it, from the same stored epoch.
      if (!(error instanceof LedgerError && error.code === 'duplicate')) throw error;
    });
}

/** Leaf hash of an epoch's entry, lower hex; null when it is in no log of the deployment. */
async function entryHash(sql: postgres.Sql, epoch: number): Promise<string | null> {
  const [row] = await sql<{ hash: string }[]>`
    select encode(e.hash, 'hex') as hash from ledger.logs l
    join ledger.entries e on e.log = l.log and e.call = ${epochCall(epoch)} and e.class = 'event'
    where l.tenant = ${DEPLOYMENT} order by l.inc desc limit 1`;
  return row?.hash ?? null;
}
