import { readChildren, readDer, sameBytes, TAG, writeDer, writeOid } from '../anchor/der.ts';
import { bigOf, power } from './numbers.ts';
import type { DigestName } from './sha2.ts';

/** Larger ones only cost time. */
const MAX_MODULUS_BYTES = 1024;
const MAX_EXPONENT = 2n ** 33n;

const OIDS: Readonly<Record<DigestName, string>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/**
 * RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): the encoded message is built and compared, never parsed.
 *
 * @param publicKey DER of modulus and exponent
 */
export function verifyRsa(publicKey: Uint8Array, name: DigestName, digest: Uint8Array, signature: Uint8Array): boolean {
  const [modulus, exponent] = readChildren(readDer(publicKey)) ?? [];
  if (modulus?.tag !== TAG.integer || exponent?.tag !== TAG.integer) return false;
  const [n, e] = [bigOf(modulus.value), bigOf(exponent.value)];
  const length = Math.ceil(n.toString(16).length / 2);
  if (length > MAX_MODULUS_BYTES || e < 3n || e > MAX_EXPONENT || signature.length !== length) return false;
  const s = bigOf(signature);
  if (s >= n) return false;
  const info = writeDer(
    TAG.sequence,
    writeDer(TAG.sequence, writeOid(OIDS[name]), writeDer(TAG.null)),
    writeDer(TAG.octets, digest),
  );
  if (length < info.length + 11) return false;
  const expected = new Uint8Array(length).fill(0xff);
  expected.set([0, 1]);
  expected[length - info.length - 1] = 0;
  expected.set(info, length - info.length);
  const found = power(s, e, n)
    .toString(16)
    .padStart(2 * length, '0');
  return sameBytes(
    expected,
    Uint8Array.from(found.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
  );
}
