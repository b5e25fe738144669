import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { parseVerifierKey } from '../note/key.ts';
import { formatProof, verifyProof } from './proof-text.ts';
import type { EntryProof } from './proof-text.ts';
import { epochCall } from './record.ts';
import { slotNonce } from './slots.ts';
import { readInclusion } from './tree-reader.ts';

/** Which entry: a receipt, or the place it names. */
export interface EntryPlace {
  readonly log: string;
  readonly seq: number;
  /** Leaf hash the entry must have, lower hex; null when only the place is known. */
  readonly hash: string | null;
}

/** What a receipt says (`x-countersign-receipt`); null when it is none. Its signature is not looked at. */
export function parseReceipt(receipt: string): EntryPlace | null {
  const found =
    /^([0-9a-f]{64})\/[0-9]{1,9}\/([0-9]{1,15})\/([0-9a-f]{64})\/[a-z0-9._:-]{1,64}\/[A-Za-z0-9_-]{86}$/.exec(receipt);
  return found === null ? null : { log: found[1] ?? '', seq: Number(found[2]), hash: found[3] ?? '' };
}

interface BoundRow {
  readonly epoch: string;
  readonly slot: string;
  readonly size: string;
  readonly root: string;
  readonly path: string;
  readonly secret: Buffer;
  readonly origin: string;
  readonly nonce: string;
}

interface EpochRow {
  readonly log: string;
  readonly seq: string;
  readonly header: string;
  readonly leaves: string;
  readonly facts: string;
  readonly facts_salt: string;
  readonly size: string | null;
  readonly note: string | null;
  readonly vkey: string | null;
}

/**
 * The proof that an entry is in its log, in the first epoch that bound it and in the first checkpoint after that; checked
 * before it is given away.
 *
 * @returns c2sp.org/tlog-proof text
 * @throws {LedgerError} `not_found` when there is no such entry (with a receipt in hand: evidence of an omission), `not_yet`
 *   until the next checkpoint, `invalid_proof` when the database contradicts itself
 */
export async function proveEntry(sql: postgres.Sql, place: EntryPlace): Promise<string> {
  const header = await readHeader(sql, place);
  const bound = await readBound(sql, place);
  const epoch = await readEpoch(sql, Number(bound.epoch));
  const [size, slot] = [Number(bound.size), Number(bound.slot)];
  const proof: EntryProof = {
    header,
    path: await readInclusion(sql, place.log, place.seq, size),
    id: { origin: bound.origin, nonce: bound.nonce },
    slot: { log: place.log, nonce: slotNonce(bound.secret, slot), root: bound.root, size, slot },
    slotPath: bound.path.match(/.{64}/g) ?? [],
    epoch: {
      header: epoch.header,
      leaves: epoch.leaves.match(/.{64}/g) ?? [],
      salt: epoch.facts_salt,
      facts: JSON.parse(epoch.facts) as JsonValue,
    },
    epochPath: await readInclusion(sql, epoch.log, Number(epoch.seq), Number(epoch.size)),
    checkpoint: epoch.note ?? '',
  };
  const text = formatProof(proof);
  verifyProof(text, [parseVerifierKey(epoch.vkey ?? '')]);
  return text;
}

async function readHeader(sql: postgres.Sql, { log, seq, hash }: EntryPlace): Promise<string> {
  const [entry] = await sql<{ header: string; hash: string }[]>`
    select header, encode(hash, 'hex') as hash from ledger.entries where log = ${log} and seq = ${seq}`;
  if (entry !== undefined && (hash === null || hash === entry.hash)) return entry.header;
  const found = entry === undefined ? 'none' : 'another one';
  throw new LedgerError(
    'not_found',
    `expected this entry at its place in the log, found ${found}; if a receipt names it, keep the receipt as evidence`,
  );
}

/** The first epoch that bound the entry. */
async function readBound(sql: postgres.Sql, { log, seq }: EntryPlace): Promise<BoundRow> {
  const [row] = await sql<BoundRow[]>`
    select h.epoch, l.slot, l.origin, l.nonce, h.size, encode(h.root, 'hex') as root, encode(h.path, 'hex') as path, e.secret
    from ledger.epoch_heads h join ledger.epochs e using (epoch) join ledger.logs l on l.log = h.log
    where h.log = ${log} and h.size > ${seq} order by h.size limit 1`;
  if (row === undefined) throw notYet();
  return row;
}

/** The entry of an epoch, and the first checkpoint over it. */
async function readEpoch(sql: postgres.Sql, epoch: number): Promise<EpochRow> {
  const [row] = await sql<EpochRow[]>`
    select e.log, e.seq, e.header, encode(e.leaves, 'hex') as leaves, e.facts, e.facts_salt, c.size, c.note, c.vkey
    from ledger.logs l
    join ledger.entries e on e.log = l.log and e.call = ${epochCall(epoch)} and e.class = 'event'
    left join lateral (select * from ledger.checkpoints x where x.log = l.log and x.size > e.seq order by x.size limit 1) c on true
    where l.tenant = ${DEPLOYMENT} order by l.inc desc limit 1`;
  if (row === undefined || row.size === null) throw notYet();
  return row;
}

function notYet(): LedgerError {
  return new LedgerError(
    'not_yet',
    'expected a checkpoint over this entry, found none yet; ask again after the next epoch',
  );
}

/** The entry of a tenant's call with this class; null when there is none. */
export async function findEntry(
  sql: postgres.Sql,
  tenant: string,
  call: string,
  entryClass: string,
): Promise<EntryPlace | null> {
  const [row] = await sql<{ log: string; seq: string; hash: string }[]>`
    select e.log, e.seq, encode(e.hash, 'hex') as hash from ledger.logs l
    join ledger.entries e on e.log = l.log and e.call = ${call} and e.class = ${entryClass}
    where l.tenant = ${tenant} order by l.inc desc limit 1`;
  return row === undefined ? null : { log: row.log, seq: Number(row.seq), hash: row.hash };
}

/** A log and how far it is bound: the newest checkpoint of the deployment's, the newest epoch of a tenant's. */
export interface BoundLog {
  readonly log: string;
  readonly size: number;
  /** RFC 6962 tree head, lower hex. */
  readonly root: string;
}

/** The newest log of a tenant, or of the deployment; null until an epoch (a checkpoint) has bound it. */
export async function findBoundLog(sql: postgres.Sql, tenant: string): Promise<BoundLog | null> {
  const rows =
    tenant === DEPLOYMENT
      ? await sql<{ log: string; size: string; root: string }[]>`
          select c.log, c.size, encode(c.root, 'hex') as root from ledger.logs l join ledger.checkpoints c on c.log = l.log
          where l.tenant = ${tenant} order by l.inc desc, c.size desc limit 1`
      : await sql<{ log: string; size: string; root: string }[]>`
          select h.log, h.size, encode(h.root, 'hex') as root from ledger.logs l join ledger.epoch_heads h on h.log = l.log
          where l.tenant = ${tenant} order by l.inc desc, h.size desc limit 1`;
  const [row] = rows;
  return row === undefined ? null : { log: row.log, size: Number(row.size), root: row.root };
}

/** Is this a log of the tenant? A receipt may name any. */
export async function isLogOf(sql: postgres.Sql, tenant: string, log: string): Promise<boolean> {
  return (await sql`select 1 from ledger.logs where log = ${log} and tenant = ${tenant}`).length > 0;
}
