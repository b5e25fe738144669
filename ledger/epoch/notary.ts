import type postgres from 'postgres';
import { LedgerError } from '../error.ts';
import { formatCheckpoint, parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import { createNoteSigner, formatVerifierKey } from '../note/key.ts';
import type { NoteSigner } from '../note/key.ts';
import { openNote, signNote } from '../note/note.ts';
import type { CompactRange } from '../tree/range.ts';
import { agree, extend, findDeployment, lastStored } from './continuity.ts';
import type { DeploymentLog } from './continuity.ts';
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

/**
 * Signs the deployment's log up to its last epoch, if that is beyond the last checkpoint, and publishes: first to the head
 * store, then to the database, where readers find it. Whatever is signed continues what was signed before; a log that does not
 * is refused, and nothing is signed until an operator has looked. Null when there is nothing new.
 *
 * @throws {LedgerError} `forked`, `checkpoint_key`, `invalid_note`
 */
export async function publishCheckpoint(options: NotaryOptions): Promise<Published | null> {
  const { sql, heads } = options;
  const log = await findDeployment(sql);
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
