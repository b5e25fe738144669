import { readChildren, readDer, readTime, sameBytes, TAG, writeDer, writeOid } from '../anchor/der.ts';
import type { DerNode } from '../anchor/der.ts';
import { readPublicKey } from './public-key.ts';
import type { PageKey } from './public-key.ts';
import type { DigestName } from './sha2.ts';

const BASIC_CONSTRAINTS = writeOid('2.5.29.19');
const KEY_USAGE = writeOid('2.5.29.15');
const TRUE = writeDer(TAG.boolean, Uint8Array.of(0xff));
const UTC_TIME = 0x17;
const SIGNS_CERTIFICATES = 0x04;

/** Signature algorithms (RFC 8017, RFC 5758, RFC 8410) and their digests; none of them is SHA-1. */
const SIGNATURES: readonly (readonly [oid: Uint8Array, name: DigestName | null])[] = [
  [writeOid('1.2.840.113549.1.1.11'), 'sha256'],
  [writeOid('1.2.840.113549.1.1.12'), 'sha384'],
  [writeOid('1.2.840.113549.1.1.13'), 'sha512'],
  [writeOid('1.2.840.10045.4.3.2'), 'sha256'],
  [writeOid('1.2.840.10045.4.3.3'), 'sha384'],
  [writeOid('1.2.840.10045.4.3.4'), 'sha512'],
  [writeOid('1.3.101.112'), null],
];

/** A certificate (RFC 5280) with as much of Node's X509Certificate as the verifier uses. */
export class X509Certificate {
  readonly publicKey: PageKey;
  readonly ca: boolean;
  /** ISO 8601. */
  readonly validFrom: string;
  readonly validTo: string;
  readonly #body: DerNode;
  readonly #issuer: Uint8Array;
  readonly #subject: Uint8Array;
  readonly #usage: number | null;
  readonly #algorithm: DerNode | undefined;
  readonly #signature: Uint8Array;

  /** @throws {TypeError} for what is no certificate, or one with a key that is not known here */
  constructor(der: Uint8Array) {
    const [body, algorithm, signature] = readChildren(readDer(der)) ?? [];
    const parts = readChildren(body) ?? [];
    const [, , issuer, validity, subject, key, ...rest] = parts[0]?.tag === 0xa0 ? parts.slice(1) : parts;
    const [from, to] = readChildren(validity) ?? [];
    if (body === undefined || issuer === undefined || subject === undefined || key === undefined)
      throw new TypeError('expected a certificate, found another form');
    this.#body = body;
    this.#issuer = issuer.whole;
    this.#subject = subject.whole;
    this.#algorithm = readChildren(algorithm)?.[0];
    this.#signature = signature?.tag === 3 ? signature.value.subarray(1) : new Uint8Array();
    this.publicKey = readPublicKey(key.whole);
    this.validFrom = isoTime(from);
    this.validTo = isoTime(to);
    const extensions = readChildren(readChildren(rest.find(({ tag }) => tag === 0xa3))?.[0]) ?? [];
    this.ca = sameBytes(readChildren(extension(extensions, BASIC_CONSTRAINTS))?.[0]?.whole, TRUE);
    this.#usage = extension(extensions, KEY_USAGE)?.value[1] ?? null;
  }

  /** Could the other one have issued this one: by name, and by what its key is for? */
  checkIssued(issuer: X509Certificate): boolean {
    const mayIssue = issuer.#usage === null || (issuer.#usage & SIGNS_CERTIFICATES) !== 0;
    return mayIssue && sameBytes(issuer.#subject, this.#issuer);
  }

  verify(key: PageKey): boolean {
    const found = SIGNATURES.find(([oid]) => sameBytes(this.#algorithm?.whole, oid));
    return found !== undefined && key.verifies(found[1], this.#body.whole, this.#signature);
  }
}

/** What an extension says: the contents of its octets. */
function extension(extensions: readonly DerNode[], oid: Uint8Array): DerNode | null {
  const found = extensions.map((each) => readChildren(each) ?? []).find(([type]) => sameBytes(type?.whole, oid));
  return readDer(found?.at(-1)?.value ?? new Uint8Array());
}

/** UTCTime counts from 1950 (RFC 5280, 4.1.2.5.1). @throws {TypeError} */
function isoTime(node: DerNode | undefined): string {
  const short = node?.tag === UTC_TIME ? String.fromCharCode(...node.value.slice(0, 13)) : null;
  const century = short !== null && Number(short.slice(0, 2)) < 50 ? '20' : '19';
  const ms =
    short === null
      ? readTime(node)
      : readTime({
          tag: TAG.generalizedTime,
          value: new TextEncoder().encode(century + short),
          whole: new Uint8Array(),
        });
  if (ms === null) throw new TypeError('expected the dates of a certificate, found another form');
  return new Date(ms).toISOString();
}
