import { createPrivateKey, createPublicKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, errors } from 'jose';
import { z } from 'zod';
import { readBundleFiles } from './bundle.ts';
import { canonicalJson } from './canonical.ts';
import { PolicyError } from './errors.ts';
import type { TarEntry } from './tar.ts';

/**
 * Signatures of bundles as OPA has them (openpolicyagent.org/docs/management-bundles#signing): `.signatures.json` holds
 * one JWT over the names and hashes of all other files.
 */
export const SIGNATURES = '.signatures.json';

/** Algorithms OPA signs bundles with. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
] as const;

/** What a bundle is signed or verified with. */
export interface SignatureKey {
  readonly keyId: string;
  readonly algorithm: (typeof SIGNATURE_ALGORITHMS)[number];
  /** PEM; for HS256 and its like the secret itself. */
  readonly key: string;
  /** Has to be the same on both sides; empty for none. */
  readonly scope: string;
}

const signaturesFile = z.object({
  signatures: z.array(z.string().max(4_000_000)).length(1),
  plugin: z.string().optional(),
});
const payloadShape = z.looseObject({
  files: z.array(z.object({ name: z.string(), hash: z.string(), algorithm: z.string() })).max(4096),
  keyid: z.string().optional(),
  scope: z.string().optional(),
});
type SignedFile = z.infer<typeof payloadShape>['files'][number];

/**
 * Throws PolicyError `invalid_signature` unless the key signed exactly these files: none changed, missing or added.
 */
async function verifySignature(files: readonly TarEntry[], name: string, key: SignatureKey): Promise<void> {
  const signatures = files.find((file) => file.name === SIGNATURES);
  if (signatures === undefined) throw refused(name, 'it is not signed');
  const signed = await readToken(signatures, name, key);
  const expected = new Map(signed.map((file) => [file.name.replace(/^\//, ''), file]));
  for (const file of files) {
    if (file.name === SIGNATURES) continue;
    const wanted = expected.get(file.name);
    if (wanted === undefined) throw refused(name, `${file.name} was added to it`);
    if (hashOf(file, wanted.algorithm) !== wanted.hash.toLowerCase()) throw refused(name, `${file.name} was changed`);
    expected.delete(file.name);
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw refused(name, `${missing} is missing`);
}

/** As `verifySignature`, for an archive. Throws PolicyError `invalid_bundle` for what is none. */
export async function verifyBundle(bytes: Uint8Array, name: string, key: SignatureKey): Promise<void> {
  await verifySignature(readBundleFiles(bytes, name), name, key);
}

async function readToken(file: TarEntry, name: string, key: SignatureKey): Promise<SignedFile[]> {
  try {
    const { signatures } = signaturesFile.parse(JSON.parse(Buffer.from(file.bytes).toString('utf8')));
    const verified = await compactVerify(signatures[0] ?? '', verificationKey(key), { algorithms: [key.algorithm] });
    const payload = payloadShape.parse(JSON.parse(Buffer.from(verified.payload).toString('utf8')));
    const keyId = verified.protectedHeader.kid ?? payload.keyid ?? key.keyId;
    if (keyId !== key.keyId) throw refused(name, 'it is signed with another key than the configured one');
    if ((payload.scope ?? '') !== key.scope) throw refused(name, 'it is signed for another scope');
    return payload.files;
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    const why = cause instanceof errors.JWSSignatureVerificationFailed ? 'the signature is wrong' : 'it cannot be read';
    throw refused(name, `${SIGNATURES}: ${why}`, cause);
  }
}

/** `.signatures.json` for these files. Throws PolicyError `invalid_signature` when the key does not fit its algorithm. */
export async function signFiles(files: readonly TarEntry[], key: SignatureKey): Promise<TarEntry> {
  const listed = files.map((file) => ({ name: file.name, hash: hashOf(file, 'SHA-256'), algorithm: 'SHA-256' }));
  const payload = { files: listed, keyid: key.keyId, ...(key.scope === '' ? {} : { scope: key.scope }) };
  try {
    const secret = key.algorithm.startsWith('HS') ? Buffer.from(key.key) : createPrivateKey(key.key);
    const token = await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId })
      .sign(secret);
    return { name: SIGNATURES, bytes: Buffer.from(`${JSON.stringify({ signatures: [token] })}\n`) };
  } catch (cause) {
    throw new PolicyError('invalid_signature', `expected a private key for ${key.algorithm}, found another one`, {
      cause,
    });
  }
}

function verificationKey(key: SignatureKey): KeyObject | Uint8Array {
  return key.algorithm.startsWith('HS') ? Buffer.from(key.key) : createPublicKey(key.key);
}

const HASHES: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
/** Files that are hashed by what they say, not by their bytes. */
const STRUCTURED = /(?:^|\/)(?:data\.json|\.manifest)$/;

function hashOf({ name, bytes }: TarEntry, algorithm: string): string {
  const known = HASHES[algorithm];
  if (known === undefined) throw refused(name, `its hash ${algorithm.slice(0, 20)} is not SHA-256, SHA-384 or SHA-512`);
  return hash(known, STRUCTURED.test(name) ? canonicalJson(Buffer.from(bytes).toString('utf8')) : bytes, 'hex');
}

function refused(name: string, found: string, cause?: unknown): PolicyError {
  const message = `${name}: expected a bundle signed with the configured key; ${found}; sign it again`;
  return new PolicyError('invalid_signature', message, cause === undefined ? undefined : { cause });
}
