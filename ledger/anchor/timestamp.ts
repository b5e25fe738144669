import { createHash } from 'node:crypto';
import { LedgerError } from '../error.ts';
import { leadsToTrusted } from './certificate.ts';
import type { TokenCertificate } from './certificate.ts';
import { readChildren, readDer, readInteger, readTime, sameBytes, TAG, writeDer, writeOid } from './der.ts';
import { findSigner, isSignedByCertificate, readToken } from './signed-data.ts';
import type { TimestampToken } from './signed-data.ts';

/** What a token says, once it was read. */
export interface TimestampInfo {
  /** Unix ms of the authority's clock. */
  readonly timeMs: number;
  /** Hex; null when there is none. */
  readonly nonce: string | null;
}

const SHA256 = writeDer(TAG.sequence, writeOid('2.16.840.1.101.3.4.2.1'), writeDer(TAG.null));
const SHA256_BARE = writeDer(TAG.sequence, writeOid('2.16.840.1.101.3.4.2.1'));
const ONE = writeDer(TAG.integer, Buffer.of(1));
const TRUE = writeDer(TAG.boolean, Buffer.of(0xff));
/** Larger tokens are refused; one with a chain of certificates has 6 KB. */
const MAX_TOKEN_BYTES = 65_536;

/** A TimeStampReq (RFC 3161, 2.4.1) for a message. @param nonce 8 random bytes */
export function timestampRequest(message: Uint8Array, nonce: Uint8Array): Buffer {
  const imprint = writeDer(TAG.sequence, SHA256, writeDer(TAG.octets, sha256(message)));
  return writeDer(TAG.sequence, ONE, imprint, writeDer(TAG.integer, positive(nonce)), TRUE);
}

/** The shortest form of the nonce as a number that is not negative. */
function positive(nonce: Uint8Array): Uint8Array {
  const first = nonce.findIndex((octet) => octet !== 0);
  const bytes = first < 0 ? Buffer.of(0) : nonce.subarray(first);
  return (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

/**
 * The token of a TimeStampResp, when it is for this message and this nonce. Whether somebody trusted signed it is another
 * question: verifyTimestamp.
 *
 * @throws {LedgerError} `timestamp`
 */
export function readTimestampResponse(
  response: Uint8Array,
  message: Uint8Array,
  nonce: Uint8Array,
): TimestampInfo & { readonly token: Uint8Array } {
  const [status, token] = readChildren(readDer(response)) ?? [];
  const code = readInteger(readChildren(status)?.[0]);
  if (code === null) throw refuse('an answer of RFC 3161', 'another form');
  if ((code !== '0' && code !== '1') || token === undefined)
    throw refuse('the authority to grant a timestamp', `status ${code.slice(0, 8)}`);
  const { info } = open(token.whole, message);
  const asked = Buffer.from(nonce)
    .toString('hex')
    .replace(/^0+(?=.)/, '');
  if (info.nonce !== asked) throw refuse('the nonce of the request', 'another one');
  return { ...info, token: token.whole };
}

/**
 * Checks a token over a message: who signed it leads to a certificate the reader trusts, and may stamp time.
 *
 * @param trusted the reader's own certificates, of authorities or of those that issued theirs; none comes from the token
 * @throws {LedgerError} `timestamp`
 */
export function verifyTimestamp(
  bytes: Uint8Array,
  message: Uint8Array,
  trusted: readonly TokenCertificate[],
): TimestampInfo {
  const { token, info } = open(bytes, message);
  const signer = findSigner(token, trusted);
  if (signer === null) throw refuse('the certificate that the token names', 'none');
  if (!signer.stampsTime) throw refuse('a certificate for time stamping alone', 'one for other things');
  if (!isSignedByCertificate(token, signer.x509)) throw refuse('a signature over the token', 'one over something else');
  if (!leadsToTrusted(signer, trusted, token.certificates, info.timeMs))
    throw refuse('a certificate that leads to a trusted one and was valid at that time', 'one that does not');
  return info;
}

function open(
  bytes: Uint8Array,
  message: Uint8Array,
): { readonly token: TimestampToken; readonly info: TimestampInfo } {
  const token = bytes.length > MAX_TOKEN_BYTES ? null : readToken(bytes);
  const parts = readChildren(readDer(token?.content ?? Buffer.alloc(0)));
  const [version, , imprint, , time, ...rest] = parts ?? [];
  const timeMs = readTime(time);
  if (token === null || !sameBytes(version?.whole, ONE) || timeMs === null)
    throw refuse('a timestamp token', 'another form');
  const [algorithm, digest] = readChildren(imprint) ?? [];
  const isSha256 = sameBytes(algorithm?.whole, SHA256) || sameBytes(algorithm?.whole, SHA256_BARE);
  if (!isSha256 || digest?.tag !== TAG.octets || !sameBytes(digest.value, sha256(message)))
    throw refuse('a timestamp over this checkpoint', 'one over something else');
  const nonce = readInteger(rest.find(({ tag }) => tag === TAG.integer));
  return { token, info: { timeMs, nonce } };
}

function sha256(message: Uint8Array): Buffer {
  return createHash('sha256').update(message).digest();
}

function refuse(expected: string, found: string): LedgerError {
  return new LedgerError('timestamp', `expected ${expected}, found ${found}`);
}
