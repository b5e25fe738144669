import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { sectionNames } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { parseHeader } from '../header.ts';
import type { EntryHeader } from '../entry.ts';
import { leafHash, merkleRoot } from '../merkle.ts';
import { originLine, parseCheckpoint } from '../note/checkpoint.ts';
import type { Checkpoint } from '../note/checkpoint.ts';
import type { VerifierKey } from '../note/key.ts';
import { openNote } from '../note/note.ts';
import type { VerifiedSignature } from '../note/note.ts';
import { sectionLeaf } from '../seal.ts';
import { verifyInclusion } from '../tree/proof.ts';
import { asObject } from '../verify/call-check.ts';
import { logId } from '../verify/log-check.ts';
import { isHash, readEpochFacts } from './record.ts';
import { slotLeaf } from './slots.ts';
import type { SlotOpening } from './slots.ts';

/** What leads from an entry of a tenant's log to a checkpoint of the deployment's. Hashes lower hex. */
export interface EntryProof {
  /** Exact text of the entry's header. */
  readonly header: string;
  /** From the entry to the root of its log at `slot.size`. */
  readonly path: readonly string[];
  /** What the log's id is made of, besides its slot. */
  readonly id: { readonly origin: string; readonly nonce: string };
  /** The log's place in the epoch. */
  readonly slot: SlotOpening;
  /** From the slot to the root of the epoch. */
  readonly slotPath: readonly string[];
  /** The epoch's entry: exact text of its header, its section hashes, and its facts with their salt. */
  readonly epoch: {
    readonly header: string;
    readonly leaves: readonly string[];
    readonly salt: string;
    readonly facts: JsonValue;
  };
  /** From the epoch's entry to the root of the checkpoint. */
  readonly epochPath: readonly string[];
  /** The checkpoint as a signed note. */
  readonly checkpoint: string;
}

/** What a proof shows once it was checked. */
export interface ProvenEntry {
  readonly header: EntryHeader;
  /** Leaf hash of the entry, lower hex: a receipt names it. */
  readonly hash: string;
  readonly epoch: number;
  readonly checkpoint: Checkpoint;
  readonly signatures: readonly VerifiedSignature[];
}

const FORMAT = 'countersign/proof/v1';
const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const MAX_CHARS = 1_000_000;

/**
 * A proof as text: c2sp.org/tlog-proof over the entry of the epoch, whose `extra` line (canonical JSON in base64) leads from
 * the epoch down to the tenant's entry.
 */
export function formatProof({ checkpoint, epochPath, ...inner }: EntryProof): string {
  const { id, slot, slotPath, epoch, header, path } = inner;
  const { seq } = parseHeader(epoch.header) ?? { seq: 0 };
  const extra = canonicalJson({
    format: FORMAT,
    entry: { header, path: [...path] },
    id: { ...id },
    slot: { ...slot, path: [...slotPath] },
    epoch: { header: epoch.header, leaves: [...epoch.leaves], facts: { salt: epoch.salt, value: epoch.facts } },
  });
  const hashes = epochPath.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`);
  const encoded = Buffer.from(extra, 'utf8').toString('base64');
  return `${FIRST_LINE}\nextra ${encoded}\nindex ${String(seq)}\n${hashes.join('')}\n${checkpoint}`;
}

/** Reads a proof without believing any of it. @throws {LedgerError} `invalid_proof` */
export function parseProof(text: string): EntryProof {
  const end = text.indexOf('\n\n');
  const [first, extra = '', index = '', ...hashes] = text.slice(0, end).split('\n');
  if (text.length > MAX_CHARS || end < 0 || first !== FIRST_LINE || !extra.startsWith('extra ')) throw badForm();
  const inner = readExtra(extra.slice('extra '.length));
  const header = parseHeader(inner.epoch.header);
  if (header === null || index !== `index ${String(header.seq)}`) throw badForm();
  return { ...inner, epochPath: hashes.map(readHash), checkpoint: text.slice(end + 2) };
}

function readExtra(base64: string): Omit<EntryProof, 'epochPath' | 'checkpoint'> {
  let value: JsonValue;
  try {
    value = parseCanonical(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    throw badForm();
  }
  const all = asObject(value);
  const [entry, slot, epoch] = [asObject(all['entry']), asObject(all['slot']), asObject(all['epoch'])];
  const id = asObject(all['id']);
  const facts = asObject(epoch['facts']);
  const salt = facts['salt'];
  if (all['format'] !== FORMAT || typeof salt !== 'string' || !/^[0-9a-f]{32}$/.test(salt)) throw badForm();
  return {
    header: text(entry['header']),
    path: hashesOf(entry['path']),
    id: { origin: text(id['origin']), nonce: text(id['nonce']) },
    slot: {
      log: hashOf(slot['log']),
      nonce: hashOf(slot['nonce']),
      root: hashOf(slot['root']),
      size: count(slot['size']),
      slot: count(slot['slot']),
    },
    slotPath: hashesOf(slot['path']),
    epoch: { header: text(epoch['header']), leaves: hashesOf(epoch['leaves']), salt, facts: facts['value'] ?? null },
  };
}

/**
 * Checks every link from the entry to a checkpoint that one of the keys signed.
 *
 * @param keys the log's key, and those of witnesses, from the reader's own trust file: none of them comes from the proof
 * @throws {LedgerError} `invalid_proof` or `invalid_note`
 */
export function verifyProof(proofText: string, keys: readonly VerifierKey[]): ProvenEntry {
  const { header, path, id, slot, slotPath, epoch, epochPath, checkpoint: note } = parseProof(proofText);
  const opened = openNote(note, keys);
  const checkpoint = parseCheckpoint(opened.text);
  const entry = parseHeader(header);
  const log = { log: slot.log, tenant: null, inc: 0, slot: slot.slot, ...id };
  if (entry?.log !== slot.log || logId(log) !== slot.log) throw broken('the entry', 'of the log that has this slot');
  const hash = leafHash(header);
  const inLog = { leaf: hash, index: entry.seq, size: slot.size, proof: path, root: slot.root };
  if (!verifyInclusion(inLog)) throw broken('the entry', 'a leaf of its log');
  const record = readEpochFacts(epoch.facts);
  const facts = sectionLeaf(epoch.salt, canonicalJson(epoch.facts));
  const place = parseHeader(epoch.header);
  const isEpoch = record !== null && place?.kind === 'epoch' && epoch.leaves.length === sectionNames('epoch').length;
  if (!isEpoch || epoch.leaves[0] !== facts || merkleRoot(epoch.leaves) !== place.body)
    throw broken('the epoch', 'an entry that commits to these facts');
  const inEpoch = { leaf: slotLeaf(slot), index: slot.slot, size: record.slots, proof: slotPath, root: record.root };
  if (!verifyInclusion(inEpoch)) throw broken('the slot', 'a leaf of the epoch');
  const leaf = leafHash(epoch.header);
  const { size, root } = checkpoint;
  const isOurs = checkpoint.origin === originLine(id.origin, place.inc);
  if (!isOurs || !verifyInclusion({ leaf, index: place.seq, size, proof: epochPath, root }))
    throw broken('the epoch', 'a leaf of the checkpoint');
  return { header: entry, hash, epoch: record.epoch, checkpoint, signatures: opened.verified };
}

function readHash(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== base64) throw badForm();
  return bytes.toString('hex');
}

function hashesOf(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value) || value.length > 64) throw badForm();
  return value.map(hashOf);
}

function hashOf(value: JsonValue | undefined): string {
  if (isHash(value)) return value;
  throw badForm();
}

function text(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  throw badForm();
}

function count(value: JsonValue | undefined): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw badForm();
}

function badForm(): LedgerError {
  return new LedgerError('invalid_proof', 'expected a tlog-proof with the inner proof of an entry, found another form');
}

function broken(what: string, expected: string): LedgerError {
  return new LedgerError('invalid_proof', `expected ${what} to be ${expected}, found that it is not`);
}
