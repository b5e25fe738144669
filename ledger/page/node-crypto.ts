import { Buffer } from './buffer.ts';
import { ed25519Key } from './public-key.ts';
import type { PageKey } from './public-key.ts';
import { digest, Sha256 } from './sha2.ts';
import type { DigestName } from './sha2.ts';

/** Stands in for `node:crypto` in the page: what the verifier calls of it, with the same results. */
export { X509Certificate } from './x509.ts';

type HashEncoding = 'hex' | 'base64' | 'buffer';
const encoder = new TextEncoder();
const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? encoder.encode(data) : data);

export function hash(name: DigestName, data: string | Uint8Array, encoding: HashEncoding = 'hex'): unknown {
  const found = Buffer.from(digest(name, bytesOf(data)));
  return encoding === 'buffer' ? found : found.toString(encoding);
}

/** Of files as large as they are only SHA-256 is asked: it keeps nothing of them. */
export function createHash(name: DigestName): { update(data: string | Uint8Array): unknown; digest(): unknown } {
  const parts: Uint8Array[] = [];
  const streamed = name === 'sha256' ? new Sha256() : null;
  const self = {
    update: (data: string | Uint8Array): unknown => {
      if (streamed === null) parts.push(bytesOf(data));
      else streamed.update(bytesOf(data));
      return self;
    },
    digest: (): unknown => Buffer.from(streamed?.digest() ?? digest(name, Buffer.concat(parts))),
  };
  return self;
}

/** @throws {TypeError} for anything but an Ed25519 key as a JSON Web Key */
export function createPublicKey({ key }: { key: { kty: string; crv: string; x: string } }): PageKey {
  const raw = Buffer.from(key.x, 'base64url');
  if (key.kty !== 'OKP' || key.crv !== 'Ed25519' || raw.length !== 32) throw new TypeError('expected an Ed25519 key');
  return ed25519Key(raw);
}

export function verify(name: DigestName | null, message: Uint8Array, key: PageKey, signature: Uint8Array): boolean {
  return key.verifies(name, message, signature);
}
