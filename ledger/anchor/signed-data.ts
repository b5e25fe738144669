import { createHash, verify } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { readCertificate, type TokenCertificate } from './certificate.ts';
import { readChildren, readDer, readInteger, sameBytes, TAG, writeDer, writeOid } from './der.ts';
import type { DerNode } from './der.ts';

/** A CMS SignedData over a TSTInfo (RFC 5652, RFC 3161 2.4.2), taken apart. Its signature is not checked yet. */
export interface TimestampToken {
  /** DER of the TSTInfo. */
  readonly content: Uint8Array;
  /** Certificates that came along. */
  readonly certificates: readonly TokenCertificate[];
  readonly signer: SignerInfo;
}

interface SignerInfo {
  /** Issuer's name (DER) and serial number (hex), or null when the signer is named by its key identifier. */
  readonly issuer: Uint8Array | null;
  readonly serial: string | null;
  readonly digest: string;
  /** The attributes as they were signed. */
  readonly signedBytes: Uint8Array;
  readonly attributes: readonly DerNode[];
  readonly signatureOid: Uint8Array;
  readonly signature: Uint8Array;
}

const OID = {
  signedData: writeOid('1.2.840.113549.1.7.2'),
  timestampInfo: writeOid('1.2.840.113549.1.9.16.1.4'),
  contentType: writeOid('1.2.840.113549.1.9.3'),
  messageDigest: writeOid('1.2.840.113549.1.9.4'),
  signingCertificate: writeOid('1.2.840.113549.1.9.16.2.12'),
  signingCertificateV2: writeOid('1.2.840.113549.1.9.16.2.47'),
} as const;

/** Digests by the DER of their identifiers. SHA-1 signs nothing here; it only names certificates. */
const DIGESTS: ReadonlyMap<string, string> = new Map(
  ['2.16.840.1.101.3.4.2.1 sha256', '2.16.840.1.101.3.4.2.2 sha384', '2.16.840.1.101.3.4.2.3 sha512'].map((line) => {
    const [oid = '', name = ''] = line.split(' ');
    return [writeOid(oid).toString('hex'), name];
  }),
);

/** Signature algorithms: the kind of key each needs, and its digest where it names one. */
const SIGNATURES: ReadonlyMap<string, { readonly key: string; readonly digest: string | null }> = new Map(
  [
    '1.2.840.113549.1.1.1 rsa', '1.2.840.113549.1.1.11 rsa sha256', '1.2.840.113549.1.1.12 rsa sha384',
    '1.2.840.113549.1.1.13 rsa sha512', '1.2.840.10045.4.3.2 ec sha256', '1.2.840.10045.4.3.3 ec sha384',
    '1.2.840.10045.4.3.4 ec sha512', '1.3.101.112 ed25519',
  ].map((line) => {
    const [oid = '', key = '', digest = null] = line.split(' ');
    return [writeOid(oid).toString('hex'), { key, digest }];
  }),
); // prettier-ignore

const MAX_CERTIFICATES = 16;

/** Null for anything but a SignedData with one signer over a TSTInfo. */
export function readToken(bytes: Uint8Array): TimestampToken | null {
  const [type, wrapped] = readChildren(readDer(bytes)) ?? [];
  if (!sameBytes(type?.whole, OID.signedData) || wrapped?.tag !== 0xa0) return null;
  const [, , content, ...rest] = readChildren(readChildren(wrapped)?.[0]) ?? [];
  const [contentType, contentWrap] = readChildren(content) ?? [];
  const octets = contentWrap?.tag === 0xa0 ? readChildren(contentWrap)?.[0] : undefined;
  if (!sameBytes(contentType?.whole, OID.timestampInfo) || octets?.tag !== TAG.octets) return null;
  const bundled = rest.find(({ tag }) => tag === 0xa0);
  const certificates = bundled === undefined ? [] : readChildren(bundled);
  const signers = readChildren(rest.find(({ tag }) => tag === TAG.set));
  const signer = signers?.length === 1 ? readSigner(signers[0]) : null;
  if (certificates === null || certificates.length > MAX_CERTIFICATES || signer === null) return null;
  return {
    content: octets.value,
    certificates: certificates.flatMap(({ whole }) => readCertificate(whole) ?? []),
    signer,
  };
}

function readSigner(node: DerNode | undefined): SignerInfo | null {
  const [, sid, digestAlgorithm, attributes, signatureAlgorithm, signature] = readChildren(node) ?? [];
  const digest = DIGESTS.get(hexOf(readChildren(digestAlgorithm)?.[0]));
  const signatureOid = readChildren(signatureAlgorithm)?.[0];
  const listed = attributes?.tag === 0xa0 ? readChildren(attributes) : null;
  if (digest === undefined || signatureOid === undefined || listed === null || signature?.tag !== TAG.octets)
    return null;
  const [issuer, serial] = sid?.tag === TAG.sequence ? (readChildren(sid) ?? []) : [];
  return {
    issuer: issuer?.whole ?? null,
    serial: readInteger(serial),
    digest,
    // Signed as the SET OF they are, not under the tag they travel with (RFC 5652, 5.4).
    signedBytes: writeDer(TAG.set, attributes?.value ?? Buffer.alloc(0)),
    attributes: listed,
    signatureOid: signatureOid.whole,
    signature: signature.value,
  };
}

/** The one certificate that the signed attributes name, out of those given; null when none is, or it is not the signer's. */
export function findSigner(
  { signer, certificates }: TimestampToken,
  others: readonly TokenCertificate[],
): TokenCertificate | null {
  const v2 = attribute(signer, OID.signingCertificateV2);
  const named = v2 ?? attribute(signer, OID.signingCertificate);
  // SigningCertificate: a sequence of a sequence of identifiers, of which the first is the signer's.
  const parts = readChildren(readChildren(readChildren(named)?.[0])?.[0]) ?? [];
  const [algorithm] = parts;
  const explicit =
    v2 !== null && algorithm?.tag === TAG.sequence ? DIGESTS.get(hexOf(readChildren(algorithm)?.[0])) : null;
  const digest = v2 === null ? 'sha1' : explicit === null ? 'sha256' : explicit;
  const wanted = parts.find(({ tag }) => tag === TAG.octets)?.value;
  if (digest === undefined || wanted === undefined) return null;
  const found = [...certificates, ...others].find(({ der }) =>
    sameBytes(wanted, createHash(digest).update(der).digest()),
  );
  if (found === undefined) return null;
  const isSame = signer.issuer === null || (sameBytes(signer.issuer, found.issuer) && signer.serial === found.serial);
  return isSame ? found : null;
}

/** Do the attributes fit the content, and the signature the attributes? */
export function isSignedByCertificate({ content, signer }: TimestampToken, certificate: X509Certificate): boolean {
  const { digest, signedBytes, signature, signatureOid } = signer;
  const type = attribute(signer, OID.contentType);
  const imprint = attribute(signer, OID.messageDigest);
  if (!sameBytes(type?.whole, OID.timestampInfo) || imprint?.tag !== TAG.octets) return false;
  if (!sameBytes(imprint.value, createHash(digest).update(content).digest())) return false;
  const algorithm = SIGNATURES.get(Buffer.from(signatureOid).toString('hex'));
  if (algorithm === undefined) return false;
  const used = algorithm.key === 'ed25519' ? null : (algorithm.digest ?? digest);
  try {
    const { publicKey } = certificate;
    return publicKey.asymmetricKeyType === algorithm.key && verify(used, signedBytes, publicKey, signature);
  } catch {
    // A key that this Node cannot read.
    return false;
  }
}

/** The value of an attribute that is there exactly once, with one value. */
function attribute({ attributes }: SignerInfo, oid: Uint8Array): DerNode | null {
  const found = attributes.map((node) => readChildren(node) ?? []).filter(([type]) => sameBytes(type?.whole, oid));
  const values = found.length === 1 ? readChildren(found[0]?.[1]) : null;
  return values?.length === 1 ? (values[0] ?? null) : null;
}

function hexOf(node: DerNode | undefined): string {
  return node === undefined ? '' : Buffer.from(node.whole).toString('hex');
}
