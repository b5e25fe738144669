import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import type { JsonValue } from './canonical.ts';
import { sectionNames } from './entry.ts';
import { createMac } from './hmac.ts';
import { leafHash, merkleRoot } from './merkle.ts';
import type { RandomHex } from './random.ts';

/** What seals one subject's sections in one month. Destroying it erases both the texts and what their hashes could be guessed from. */
export interface SealKeys {
  /** The keystore row, stored with the entry; null = the tenant's own key. */
  readonly ref: string | null;
  readonly cipher: KeyObject;
  /** 16-byte salt, lower hex, of a section. */
  salt(call: string, entryClass: string, section: string): string;
}

/** What identifies an entry before it has a place in a log. */
export interface Sealing {
  readonly tenant: string;
  readonly kind: string;
  readonly class: string;
  readonly call: string;
}

/** An entry's body, ready to be stored. Blobs are lower hex: version 01, 12-byte IV, 16-byte tag, ciphertext. */
export interface SealedBody {
  readonly root: string;
  /** Leaf hashes one after the other, lower hex. */
  readonly leaves: string;
  readonly facts: string;
  readonly factsSalt: string;
  readonly sealed: string | null;
  readonly content: string | null;
}

/** An opened blob. `authentic` is false when the tag did not fit: the texts are what the altered bytes decrypt to. */
export interface OpenedBlob {
  readonly authentic: boolean;
  readonly texts: readonly string[];
}

export type BlobPart = 'sections' | 'content';

const BLOB_VERSION = '01';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + IV_BYTES + TAG_BYTES;

/** @param key 32 bytes */
export function createSealKeys(key: Uint8Array, ref: string | null): SealKeys {
  const mac = createMac(expand(key, 'salt'));
  return {
    ref,
    cipher: createSecretKey(expand(key, 'cipher')),
    salt: (call, entryClass, section) => mac(`${call}\n${entryClass}\n${section}`).slice(0, 32),
  };
}

function expand(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `countersign/seal/v1\n${purpose}`, 32));
}

/** The commitment to one section, from its canonical text and its salt. */
export function sectionLeaf(salt: string, text: string): string {
  return leafHash('["' + salt + '",' + text + ']');
}

/**
 * Commits to every section of the kind and encrypts all but `facts`.
 *
 * @throws {LedgerError} `invalid_value` when a section is outside the canonical profile.
 */
export function sealBody(
  entry: Sealing,
  sections: Readonly<Record<string, JsonValue | null>>,
  keys: SealKeys,
  random: RandomHex,
): SealedBody {
  const leaves: string[] = [];
  const hidden: string[] = [];
  let facts = 'null';
  let factsSalt = '';
  let content: string | null = null;
  let present = false;
  for (const name of sectionNames(entry.kind)) {
    const value = sections[name] ?? null;
    const text = canonicalJson(value);
    const salt = name === 'facts' ? random(16) : keys.salt(entry.call, entry.class, name);
    leaves.push(sectionLeaf(salt, text));
    if (name === 'facts') {
      facts = text;
      factsSalt = salt;
    } else if (name === 'content') {
      if (value !== null) content = text;
    } else {
      hidden.push(text);
      present ||= value !== null;
    }
  }
  return {
    root: merkleRoot(leaves),
    leaves: leaves.join(''),
    facts,
    factsSalt,
    // Canonical JSON holds no raw line feed, so it can separate.
    sealed: present ? encrypt(entry, 'sections', hidden.join('\n'), keys, random) : null,
    content: content === null ? null : encrypt(entry, 'content', content, keys, random),
  };
}

function encrypt(entry: Sealing, part: BlobPart, text: string, keys: SealKeys, random: RandomHex): string {
  const iv = random(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.cipher, Buffer.from(iv, 'hex'));
  cipher.setAAD(associatedData(entry, part));
  const body = cipher.update(text, 'utf8', 'hex') + cipher.final('hex');
  return BLOB_VERSION + iv + cipher.getAuthTag().toString('hex') + body;
}

/** Binds a blob to its call without binding it to a place in a log. */
function associatedData(entry: Sealing, part: BlobPart): Buffer {
  return Buffer.from(`countersign/blob/v1\n${entry.tenant}\n${entry.call}\n${entry.class}\n${part}`, 'latin1');
}

/** Null when the bytes are no blob of this version. */
export function openBlob(entry: Sealing, part: BlobPart, blob: Uint8Array, keys: SealKeys): OpenedBlob | null {
  if (blob.length < HEAD_BYTES || blob[0] !== 1) return null;
  const iv = blob.subarray(1, 1 + IV_BYTES);
  const body = blob.subarray(HEAD_BYTES);
  const split = (text: string): string[] => (part === 'content' ? [text] : text.split('\n'));
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.cipher, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(entry, part));
    decipher.setAuthTag(blob.subarray(1 + IV_BYTES, HEAD_BYTES));
    return { authentic: true, texts: split(decipher.update(body, undefined, 'utf8') + decipher.final('utf8')) };
  } catch {
    // GCM is CTR with a counter that starts at 2 for the text (NIST SP 800-38D 7.1): without the tag every untouched byte still
    // decrypts, so the section whose leaf hash no longer fits can be named.
    const counter = Buffer.concat([iv, Buffer.from([0, 0, 0, 2])]);
    const decipher = createDecipheriv('aes-256-ctr', keys.cipher, counter);
    return { authentic: false, texts: split(decipher.update(body, undefined, 'utf8') + decipher.final('utf8')) };
  }
}
