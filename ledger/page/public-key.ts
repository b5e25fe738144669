import { readChildren, readDer, TAG, writeOid } from '../anchor/der.ts';
import { CURVES, verifyEcdsa } from './ecdsa.ts';
import { verifyEd25519 } from './ed25519.ts';
import { verifyRsa } from './rsa.ts';
import { digest } from './sha2.ts';
import type { DigestName } from './sha2.ts';

/** A public key with as much of Node's KeyObject as the verifier uses. */
export interface PageKey {
  readonly asymmetricKeyType: 'ed25519' | 'ec' | 'rsa';
  /** @param name null for Ed25519, which has a digest of its own */
  verifies(name: DigestName | null, message: Uint8Array, signature: Uint8Array): boolean;
}

/** @param raw 32 bytes, RFC 8032 */
export function ed25519Key(raw: Uint8Array): PageKey {
  return {
    asymmetricKeyType: 'ed25519',
    verifies: (name, message, signature) => name === null && verifyEd25519(raw, message, signature),
  };
}

const hex = (bytes: Uint8Array | undefined): string =>
  Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
const RSA = hex(writeOid('1.2.840.113549.1.1.1'));
const EC = hex(writeOid('1.2.840.10045.2.1'));
const ED25519 = hex(writeOid('1.3.101.112'));
const CURVE_BY_OID = new Map([...CURVES].map(([dotted, curve]) => [hex(writeOid(dotted)), curve]));

/** Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). @throws {TypeError} for a kind of key that is not known here */
export function readPublicKey(der: Uint8Array): PageKey {
  const [algorithm, bits] = readChildren(readDer(der)) ?? [];
  const [oid, parameter] = readChildren(algorithm) ?? [];
  const kind = hex(oid?.whole);
  const curve = CURVE_BY_OID.get(hex(parameter?.whole));
  // A BIT STRING begins with the number of bits that do not count.
  if (bits?.tag !== 3 || bits.value[0] !== 0) throw new TypeError('expected a public key, found another form');
  const key = bits.value.subarray(1);
  if (kind === ED25519 && key.length === 32) return ed25519Key(key);
  if (kind === RSA && parameter?.tag === TAG.null)
    return {
      asymmetricKeyType: 'rsa',
      verifies: (name, message, signature) => name !== null && verifyRsa(key, name, digest(name, message), signature),
    };
  if (kind === EC && curve !== undefined)
    return {
      asymmetricKeyType: 'ec',
      verifies: (name, message, signature) =>
        name !== null && verifyEcdsa(curve, key, digest(name, message), signature),
    };
  throw new TypeError('expected an RSA key, one on P-256 or P-384, or Ed25519, found another');
}
