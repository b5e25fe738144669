import { X509Certificate } from 'node:crypto';
import { readChildren, readDer, readInteger, sameBytes, TAG, writeDer, writeOid } from './der.ts';

/** A certificate with the parts that Node does not show. */
export interface TokenCertificate {
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array;
  /** Hex without leading zeroes. */
  readonly serial: string;
  /** Its only extended use, marked critical, is time stamping (RFC 3161, 2.3). */
  readonly stampsTime: boolean;
}

const EXTENDED_KEY_USAGE = writeOid('2.5.29.37');
const TIME_STAMPING_ONLY = writeDer(TAG.sequence, writeOid('1.3.6.1.5.5.7.3.8'));
const CRITICAL = writeDer(TAG.boolean, Buffer.of(0xff));
const MAX_DEPTH = 6;
const MAX_PEM_CHARS = 1_000_000;

/** Null for what is no certificate. */
export function readCertificate(der: Uint8Array): TokenCertificate | null {
  const [body] = readChildren(readDer(der)) ?? [];
  const parts = readChildren(body) ?? [];
  const [serial, , issuer] = parts[0]?.tag === 0xa0 ? parts.slice(1) : parts;
  const extensions = readChildren(readChildren(parts.find(({ tag }) => tag === 0xa3))?.[0]) ?? [];
  const stampsTime = extensions.some((extension) => {
    const [oid, critical, value] = readChildren(extension) ?? [];
    const isCritical = sameBytes(critical?.whole, CRITICAL);
    return sameBytes(oid?.whole, EXTENDED_KEY_USAGE) && isCritical && sameBytes(value?.value, TIME_STAMPING_ONLY);
  });
  const number = readInteger(serial);
  if (issuer === undefined || number === null) return null;
  try {
    return { der, x509: new X509Certificate(der), issuer: issuer.whole, serial: number, stampsTime };
  } catch {
    return null;
  }
}

/** The certificates in a PEM file; null when there is none, or one that cannot be read. */
export function readCertificates(pem: string): TokenCertificate[] | null {
  if (pem.length > MAX_PEM_CHARS) return null;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  const read = blocks.map((block) =>
    readCertificate(Buffer.from(block.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')),
  );
  const known = read.filter((certificate) => certificate !== null);
  return known.length > 0 && known.length === read.length ? known : null;
}

/**
 * Does a chain of issued certificates, each valid at that time, lead from this one to a trusted one? Those in between may come
 * from anywhere. A trusted certificate ends the chain, whatever its own dates. Each certificate is looked at once: certificates
 * that issue each other would make as many chains as there are orders of them.
 */
export function leadsToTrusted(
  certificate: TokenCertificate,
  trusted: readonly TokenCertificate[],
  between: readonly TokenCertificate[],
  timeMs: number,
): boolean {
  const isTrusted = ({ der }: TokenCertificate): boolean => trusted.some((each) => sameBytes(each.der, der));
  if (isTrusted(certificate)) return isValidAt(certificate.x509, timeMs);
  const left = new Set([...trusted, ...between]);
  let row = [certificate];
  for (let depth = 0; depth < MAX_DEPTH && row.length > 0; depth += 1) {
    const issuers: TokenCertificate[] = [];
    for (const { x509 } of row.filter((each) => isValidAt(each.x509, timeMs))) {
      for (const issuer of left) if (isIssuedBy(x509, issuer.x509)) issuers.push(issuer);
      for (const issuer of issuers) left.delete(issuer);
    }
    if (issuers.some(isTrusted)) return true;
    row = issuers;
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key that this Node cannot read.
    return false;
  }
}

function isValidAt({ validFrom, validTo }: X509Certificate, timeMs: number): boolean {
  return Date.parse(validFrom) <= timeMs && timeMs <= Date.parse(validTo);
}
