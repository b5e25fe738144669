import { createCipheriv, createDecipheriv, createSecretKey, hash, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CanonicalWriter } from './canonical.ts';
import type { JsonValue } from './canonical.ts';
import { sectionNames } from './entry.ts';
import { leafHash, merkleRoot } from './merkle.ts';
import type { RandomHex } from './random.ts';

/** What seals one subject's sections in one month. Destroying it erases the texts and, with them, the salts that keep their hashes from being guessed. */
export interface SealKeys {
  /** The keystore row, stored with the entry; null = the tenant's own key. */
  readonly ref: string | null;
  readonly cipher: KeyObject;
}

/** What identifies an entry before it has a place in a log. */
export interface Sealing {
  readonly tenant: string;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
}

/** An entry's body, ready to be stored. Blobs are base64: version 02, 12-byte IV, 16-byte tag, ciphertext. */
export interface SealedBody {
  readonly root: string;
  /** Leaf hashes one after the other, lower hex. */
  readonly leaves: string;
  readonly facts: string;
  readonly factsSalt: string;
  readonly sealed: string | null;
  readonly content: string | null;
}

/** A section's canonical text and its salt (32 lower hex digits; none for an absent section); whoever has both can check the commitment. */
export interface OpenedSection {
  readonly salt: string;
  readonly text: string;
}

/** An opened blob. `authentic` is false when the tag did not fit: the sections are what the altered bytes decrypt to. */
export interface OpenedBlob {
  readonly authentic: boolean;
  readonly sections: readonly OpenedSection[];
}

export type BlobPart = 'sections' | 'content';

/** A section that is not there: a committed null. It holds nothing to protect, so it has no salt. */
export const ABSENT: OpenedSection = { salt: '', text: 'null' };

const BLOB_VERSION = 2;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + IV_BYTES + TAG_BYTES;
const SALT_BYTES = 16;
const SALT_CHARS = 2 * SALT_BYTES;
/** Content up to this length travels in the blob of the other sections; longer one has a blob of its own, read only when asked for. */
const SMALL_CONTENT_BYTES = 1024;
/** Of `\0["<salt>",`, the beginning of what a leaf hashes. */
const LEAF_HEAD_CHARS = 1 + 2 + SALT_CHARS + 2;

/** @param key 32 bytes */
export function createSealKeys(key: Uint8Array, ref: string | null): SealKeys {
  return { ref, cipher: createSecretKey(expand(key, 'cipher')) };
}

function expand(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `countersign/seal/v1\n${purpose}`, 32));
}

/** The commitment to one section, from its canonical text and its salt. */
export function sectionLeaf(salt: string, text: string): string {
  return leafHash('["' + salt + '",' + text + ']');
}

const ABSENT_LEAF = sectionLeaf(ABSENT.salt, ABSENT.text);

/** Whether an entry's encrypted sections are stored, as far as it shows without the key. */
export type StoredBody = 'stored' | 'missing' | 'none';

/** A content that was in a blob of its own cannot be missed without the key: it could be small and in the other one. */
export function storedBody(
  kind: string,
  leaves: readonly string[],
  { sealed, content }: { readonly sealed: Uint8Array | null; readonly content: Uint8Array | null },
): StoredBody {
  const hidden = sectionNames(kind).filter((name, index) => name !== 'facts' && leaves[index] !== ABSENT_LEAF);
  if (hidden.length === 0) return 'none';
  const isContent = hidden.every((name) => name === 'content');
  return sealed !== null || (isContent && content !== null) ? 'stored' : 'missing';
}

/**
 * Commits to every section of the kind and encrypts all but `facts`, each with its salt.
 *
 * @throws {LedgerError} `invalid_value` when a section is outside the canonical profile.
 */
export function sealBody(
  entry: Sealing,
  sections: Readonly<Record<string, JsonValue | null>>,
  keys: SealKeys,
  random: RandomHex,
): SealedBody {
  const writer = new CanonicalWriter();
  const factsSalt = random(SALT_BYTES);
  const leaves = [writeLeaf(writer, factsSalt, sections['facts'] ?? null)];
  const facts = writer.text(LEAF_HEAD_CHARS).slice(0, -1);
  const hidden = writer.length;
  let content = -1;
  for (const name of sectionNames(entry.kind)) {
    if (name === 'facts') continue;
    const from = writer.length;
    const value = sections[name] ?? null;
    if (value === null) {
      writer.ascii('\0');
      leaves.push(ABSENT_LEAF);
    } else leaves.push(writeLeaf(writer, random(SALT_BYTES), value));
    if (name === 'content' && writer.length - from > SMALL_CONTENT_BYTES) content = from;
  }
  const end = content === -1 ? writer.length : content;
  const nothing = end - hidden < sectionNames(entry.kind).length;
  return {
    root: merkleRoot(leaves),
    leaves: leaves.join(''),
    facts,
    factsSalt,
    sealed: nothing ? null : encrypt(entry, 'sections', writer.bytes(hidden, end), keys, random),
    content: content === -1 ? null : encrypt(entry, 'content', writer.bytes(content, writer.length), keys, random),
  };
}

/** Writes what the leaf of a section hashes; a blob holds these one after the other, because no canonical text has a raw zero byte. */
function writeLeaf(writer: CanonicalWriter, salt: string, value: JsonValue): string {
  const from = writer.length;
  writer.ascii('\0["' + salt + '",');
  writer.value(value);
  writer.ascii(']');
  return hash('sha256', writer.bytes(from, writer.length), 'hex');
}

function encrypt(entry: Sealing, part: BlobPart, bytes: Buffer, keys: SealKeys, random: RandomHex): string {
  const blob = Buffer.allocUnsafe(HEAD_BYTES + bytes.length);
  blob[0] = BLOB_VERSION;
  blob.write(random(IV_BYTES), 1, 'hex');
  const cipher = createCipheriv('aes-256-gcm', keys.cipher, blob.subarray(1, 1 + IV_BYTES));
  cipher.setAAD(associatedData(entry, part));
  blob.set(cipher.update(bytes), HEAD_BYTES);
  cipher.final();
  blob.set(cipher.getAuthTag(), 1 + IV_BYTES);
  return blob.toString('base64');
}

/** Binds a blob to its call without binding it to a place in a log. */
function associatedData(entry: Sealing, part: BlobPart): Buffer {
  return Buffer.from(`countersign/blob/v1\n${entry.tenant}\n${entry.call}\n${entry.class}\n${part}`, 'latin1');
}

/** Null when the bytes are no blob of this version. */
export function openBlob(entry: Sealing, part: BlobPart, blob: Uint8Array, keys: SealKeys): OpenedBlob | null {
  if (blob.length < HEAD_BYTES || blob[0] !== BLOB_VERSION) return null;
  const iv = blob.subarray(1, 1 + IV_BYTES);
  const body = blob.subarray(HEAD_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.cipher, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(entry, part));
    decipher.setAuthTag(blob.subarray(1 + IV_BYTES, HEAD_BYTES));
    const text = decipher.update(body, undefined, 'utf8') + decipher.final('utf8');
    return { authentic: true, sections: text.split('\0').slice(1).map(toSection) };
  } catch {
    // GCM is CTR with a counter that starts at 2 for the text (NIST SP 800-38D 7.1): without the tag every untouched byte still
    // decrypts, so the section whose leaf hash no longer fits can be named.
    const counter = Buffer.concat([iv, Buffer.from([0, 0, 0, 2])]);
    const decipher = createDecipheriv('aes-256-ctr', keys.cipher, counter);
    const text = decipher.update(body, undefined, 'utf8') + decipher.final('utf8');
    return { authentic: false, sections: text.split('\0').slice(1).map(toSection) };
  }
}

function toSection(leaf: string): OpenedSection {
  if (leaf === '') return ABSENT;
  return { salt: leaf.slice(2, 2 + SALT_CHARS), text: leaf.slice(LEAF_HEAD_CHARS - 1, -1) };
}
