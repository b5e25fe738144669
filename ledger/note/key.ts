import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LedgerError } from '../error.ts';

/** Signature types of c2sp.org/signed-note that this product reads: the byte before the public key. */
const ALGORITHMS = { ed25519: 1, cosignature: 4 } as const;
/** `ed25519` signs the text itself; `cosignature` is a witness's timestamped signature (c2sp.org/tlog-cosignature, v1). */
export type NoteAlgorithm = keyof typeof ALGORITHMS;

/** A key that notes are checked with, as a trust file names it. */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0a ‖ type ‖ public key), big-endian. */
  readonly id: number;
  readonly algorithm: NoteAlgorithm;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
}

/** A key that signs notes. */
export interface NoteSigner {
  readonly key: VerifierKey;
  /** 64 bytes over the bytes of a message. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

const MAX_NAME_CHARS = 256;
const SEED_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Neither empty, nor with a Unicode space, a plus sign or a control character; at most 256 characters. */
export function isKeyName(name: string): boolean {
  // In a regular expression with the u flag, the class Cs is a surrogate without its other half.
  return name !== '' && name.length <= MAX_NAME_CHARS && !/[\p{White_Space}\p{Cc}\p{Cs}+]/u.test(name);
}

/** @throws {LedgerError} `checkpoint_key` for a name or a length that is not allowed */
export function createVerifierKey(name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw badKey('a name without spaces and plus signs', 'another form');
  if (publicKey.length !== 32) throw badKey('a public key of 32 bytes', `${String(publicKey.length)} bytes`);
  const typed = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(ALGORITHMS[algorithm]), publicKey]);
  return { name, id: Number.parseInt(hash('sha256', typed, 'hex').slice(0, 8), 16), algorithm, publicKey };
}

/** `<name>+<key id, 8 hex digits>+<base64 of type and public key>`: c2sp.org/signed-note, verifier keys. */
export function formatVerifierKey({ name, id, algorithm, publicKey }: VerifierKey): string {
  const material = Buffer.concat([Buffer.of(ALGORITHMS[algorithm]), publicKey]).toString('base64');
  return `${name}+${id.toString(16).padStart(8, '0')}+${material}`;
}

/** Reads a verifier key. @throws {LedgerError} `checkpoint_key` */
export function parseVerifierKey(text: string): VerifierKey {
  // The material is base64 and may hold plus signs; the name may not.
  const found = /^([^+]{1,256})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(text);
  const [, name = '', id = '', material = ''] = found ?? [];
  const bytes = Buffer.from(material, 'base64');
  const algorithm = (Object.keys(ALGORITHMS) as NoteAlgorithm[]).find((each) => ALGORITHMS[each] === bytes[0]);
  if (algorithm === undefined || bytes.length !== 33 || bytes.toString('base64') !== material) {
    throw badKey('<name>+<8 hex digits>+<base64> of an Ed25519 key', 'another form');
  }
  const key = createVerifierKey(name, algorithm, bytes.subarray(1));
  if (key.id !== Number.parseInt(id, 16)) throw badKey('a key id that fits name and key', 'another id');
  return key;
}

/** A signer from the 32 bytes of an RFC 8032 private key. @throws {LedgerError} `checkpoint_key` */
export function createNoteSigner(name: string, algorithm: NoteAlgorithm, seed: Uint8Array): NoteSigner {
  if (seed.length !== 32) throw badKey('a private key of 32 bytes', `${String(seed.length)} bytes`);
  const privateKey = createPrivateKey({ key: Buffer.concat([SEED_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    key: createVerifierKey(name, algorithm, Buffer.from(x, 'base64url')),
    sign: (message) => sign(null, message, privateKey),
  };
}

const keyObjects = new WeakMap<VerifierKey, KeyObject | null>();

/** Plain Ed25519 over a message; false for a key that is not a point of the curve. */
export function isSignedBy(key: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean {
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = toKeyObject(key);
    keyObjects.set(key, object);
  }
  return object !== null && signature.length === 64 && verify(null, message, object, signature);
}

function toKeyObject({ publicKey }: VerifierKey): KeyObject | null {
  try {
    const x = Buffer.from(publicKey).toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return null;
  }
}

function badKey(expected: string, found: string): LedgerError {
  return new LedgerError('checkpoint_key', `expected ${expected}, found ${found}; check the key`);
}
