import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { leafHash } from '../merkle.ts';
import { formatCheckpoint, originLine, parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { createNoteSigner, formatVerifierKey } from '../note/key.ts';
import type { NoteSigner } from '../note/key.ts';
import { openNote, signNote } from '../note/note.ts';
import { CompactRange } from '../tree/range.ts';
import type { HeadStore } from './head-store.ts';
import { buildTiles } from './heads.ts';

/** What signing needs. It reads headers of the deployment's log, and can write nothing but checkpoints. */
export interface NotaryOptions {
  /** With the rights of cs_notary. */
  readonly sql: postgres.Sql;
  /** RFC 8032 private key, 32 bytes. */
  readonly key: Uint8Array;
  readonly heads: HeadStore;
  /** Unix ms. */
  readonly now: () => number;
}

/** A checkpoint that is out. */
export interface Published {
  readonly size: number;
  readonly root: string;
  /** The signed note. */
  readonly note: string;
  /** The key it is checked with. */
  readonly vkey: string;
}

interface DeploymentLog {
  readonly log: string;
  readonly origin: string;
}

interface PublishedRow {
  readonly size: string;
  readonly root: string;
  readonly frontier: string;
}

const READ_HEADERS = 2000;

/**
 * Signs the deployment's log up to its last epoch, if that is beyond the last checkpoint, and publishes: first to the head
 * store, then to the database, where readers find it. Whatever is signed continues what was signed before; a log that does not
 * is refused, and nothing is signed until an operator has looked. Null when there is nothing new.
 *
 * @throws {LedgerError} `forked`, `checkpoint_key`, `invalid_note`
 */
export async function publishCheckpoint(options: NotaryOptions): Promise<Published | null> {
  const { sql, heads } = options;
  const log = await findLog(sql);
  if (log === null) return null;
  const signer = createNoteSigner(log.origin, 'ed25519', options.key);
  const kept = await lastKept(heads, log, signer);
  const stored = await lastStored(sql, log);
  const range = await agree(sql, log, kept, stored);
  const [epoch] = await sql<{ seq: string }[]>`
    select seq from ledger.entries where log = ${log.log} and kind = 'epoch' order by seq desc limit 1`;
  const size = epoch === undefined ? 0 : Number(epoch.seq) + 1;
  // Signed before a crash, and not yet in the database: the same size gives the same note again.
  if (size <= range.size && Number(stored?.size ?? 0) === range.size) return null;
  await extend(sql, log, range, Math.max(size, range.size));
  await buildTiles(sql, log.log, range.size);
  return publish(options, log, signer, range);
}

async function findLog(sql: postgres.Sql): Promise<DeploymentLog | null> {
  const [row] = await sql<{ log: string; inc: number; origin: string }[]>`
    select log, inc, origin from ledger.logs where tenant = ${DEPLOYMENT} order by inc desc limit 1`;
  return row === undefined ? null : { log: row.log, origin: originLine(row.origin, row.inc) };
}

async function lastKept(heads: HeadStore, { origin }: DeploymentLog, signer: NoteSigner): Promise<Checkpoint | null> {
  const note = await heads.latest(origin);
  if (note === null) return null;
  const checkpoint = parseCheckpoint(openNote(note, [signer.key]).text);
  if (checkpoint.origin === origin) return checkpoint;
  throw new LedgerError(
    'invalid_note',
    `expected a checkpoint of ${origin} in the head store, found one of another log`,
  );
}

async function lastStored(sql: postgres.Sql, { log }: DeploymentLog): Promise<PublishedRow | null> {
  const [row] = await sql<PublishedRow[]>`
    select size, encode(root, 'hex') as root, encode(frontier, 'hex') as frontier
    from ledger.checkpoints where log = ${log} order by size desc limit 1`;
  return row ?? null;
}

/** The tree up to the newer of the two checkpoints, when the log, the database and the head store tell one story. */
async function agree(
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

/** Continues with the hashes of the headers themselves, not with what is stored beside them. */
async function extend(sql: postgres.Sql, log: DeploymentLog, range: CompactRange, size: number): Promise<void> {
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

async function publish(
  { sql, heads, now }: NotaryOptions,
  log: DeploymentLog,
  signer: NoteSigner,
  range: CompactRange,
): Promise<Published | null> {
  const [size, root] = [range.size, range.root()];
  const note = signNote(formatCheckpoint({ origin: log.origin, size, root, extensions: [] }), [signer]);
  const vkey = formatVerifierKey(signer.key);
  await heads.keep(log.origin, note, now());
  const [row] = await sql<{ first: boolean }[]>`
    select ledger.publish_checkpoint(${log.log}, ${size}, ${Buffer.from(root, 'hex')}, ${Buffer.from(range.nodes, 'hex')}, ${note}, ${vkey}) as first`;
  return row?.first === true ? { size, root, note, vkey } : null;
}

function forked({ origin }: DeploymentLog, size: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected the log of ${origin} to continue the checkpoint of its first ${String(size)} entries, found another history; was the database restored?`,
  );
}
