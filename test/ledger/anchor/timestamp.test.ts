import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificates } from '../../../ledger/anchor/certificate.ts';
import type { TokenCertificate } from '../../../ledger/anchor/certificate.ts';
import { readDer, readTime, writeDer, writeOid } from '../../../ledger/anchor/der.ts';
import { readTimestampResponse, timestampRequest, verifyTimestamp } from '../../../ledger/anchor/timestamp.ts';
import { LedgerError } from '../../../ledger/error.ts';
import { PlainLog } from '../../support/anchors.ts';
import { startAuthority, type TestAuthority } from '../../support/timestamp-authority.ts';

const note = Buffer.from(new PlainLog().grow(5).note(), 'utf8');
const NONCE = Buffer.from('00c0ffee00112233', 'hex');
const REFUSED = expect.objectContaining({ code: 'timestamp' }) as Error;

let authority: TestAuthority;
let trusted: TokenCertificate[];
let token: Uint8Array;

const certificates = (pem: string): TokenCertificate[] => readCertificates(pem) ?? [];

beforeAll(async () => {
  authority = await startAuthority();
  trusted = certificates(authority.ca);
  token = readTimestampResponse(authority.reply(timestampRequest(note, NONCE)), note, NONCE).token;
});
afterAll(() => authority.close());

describe('openssl', () => {
  test('reads our request', () => {
    writeFileSync(join(authority.dir, 'ours.tsq'), timestampRequest(note, NONCE));
    const text = execFileSync('openssl', ['ts', '-query', '-in', 'ours.tsq', '-text'], {
      cwd: authority.dir,
      encoding: 'utf8',
    });
    expect(text).toContain('Hash Algorithm: sha256');
    expect(text).toContain('Nonce: 0xC0FFEE00112233');
    expect(text).toContain('Certificate required: yes');
  });

  test('verifies the token we keep, over the note', () => {
    writeFileSync(join(authority.dir, 'kept.der'), token);
    writeFileSync(join(authority.dir, 'note'), note);
    const args = ['ts', '-verify', '-data', 'note', '-in', 'kept.der', '-token_in', '-CAfile', 'ca.pem'];
    expect(execFileSync('openssl', args, { cwd: authority.dir, encoding: 'utf8', stdio: 'pipe' })).toContain('OK');
  });

  test.each([
    ['rsa', 'sha1'],
    ['ec', 'sha256'],
  ] as const)('stamps with a %s key, named by %s', async (key, essDigest) => {
    const other = await startAuthority({ key, essDigest });
    const answer = readTimestampResponse(other.reply(timestampRequest(note, NONCE)), note, NONCE);
    const { timeMs } = verifyTimestamp(answer.token, note, certificates(other.ca));
    expect(Math.abs(timeMs - Date.now())).toBeLessThan(300_000);
    expect(() => verifyTimestamp(answer.token, note, trusted)).toThrow(REFUSED);
    await other.close();
  });
});

describe('a token', () => {
  test('is trusted through the CA, or through the certificate of the authority itself', () => {
    expect(verifyTimestamp(token, note, trusted).timeMs).toBe(
      verifyTimestamp(token, note, certificates(authority.certificate)).timeMs,
    );
  });

  test('shows nothing to a reader without trust', () => {
    expect(() => verifyTimestamp(token, note, [])).toThrow(REFUSED);
  });

  test('is for one note and one request only', () => {
    const other = Buffer.from(new PlainLog().grow(6).note(), 'utf8');
    expect(() => verifyTimestamp(token, other, trusted)).toThrow('over something else');
    const answer = authority.reply(timestampRequest(note, NONCE));
    expect(() => readTimestampResponse(answer, other, NONCE)).toThrow('over something else');
    expect(() => readTimestampResponse(answer, note, Buffer.alloc(8, 1))).toThrow('nonce');
  });

  test('of an authority whose certificate is for other things too is refused', () => {
    const mixed = certificates(readFileSync(join(authority.dir, 'mixed.pem'), 'utf8'));
    expect(mixed.map(({ stampsTime }) => stampsTime)).toEqual([false]);
    expect(certificates(authority.certificate).map(({ stampsTime }) => stampsTime)).toEqual([true]);
  });

  test('with any byte changed is refused, or says the same', () => {
    const { timeMs } = verifyTimestamp(token, note, trusted);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(token);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        try {
          expect(verifyTimestamp(damaged, note, trusted).timeMs).toBe(timeMs);
        } catch (error) {
          expect(error).toBeInstanceOf(LedgerError);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('made of anything is refused, never more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => verifyTimestamp(bytes, note, trusted)).toThrow(REFUSED);
        expect(() => readTimestampResponse(bytes, note, NONCE)).toThrow(REFUSED);
      }),
      { numRuns: 300 },
    );
    const refusal = writeDer(0x30, writeDer(0x30, writeDer(0x02, Buffer.of(2))));
    expect(() => readTimestampResponse(refusal, note, NONCE)).toThrow('status 2');
    expect(() => verifyTimestamp(Buffer.alloc(70_000), note, trusted)).toThrow(REFUSED);
  });
});

describe('DER', () => {
  test.each([
    ['indefinite lengths', '3080'],
    ['lengths longer than needed', '308101ff'],
    ['contents beyond the end', '3005ff'],
    ['trailing bytes', '300000'],
    ['tags of several octets', '1f8100'],
    ['nothing', ''],
  ])('does not read %s', (_name, hex) => {
    expect(readDer(Buffer.from(hex, 'hex'))).toBeNull();
  });

  test('writes lengths and identifiers as the standard does', () => {
    expect(writeOid('1.2.840.113549.1.7.2').toString('hex')).toBe('06092a864886f70d010702');
    expect(writeDer(0x04, Buffer.alloc(200)).subarray(0, 3).toString('hex')).toBe('0481c8');
    expect(writeDer(0x04, Buffer.alloc(300)).subarray(0, 4).toString('hex')).toBe('0482012c');
    expect(readDer(writeDer(0x04, Buffer.alloc(70_000)))?.value).toHaveLength(70_000);
  });

  test.each([
    ['20261122010203Z', Date.UTC(2026, 10, 22, 1, 2, 3)],
    ['20261122010203.5Z', Date.UTC(2026, 10, 22, 1, 2, 3, 500)],
    ['20260230010203Z', null],
    ['20261122010203', null],
    ['20261122010203+0100', null],
  ])('reads the time %s as %s', (text, expected) => {
    const node = readDer(writeDer(0x18, Buffer.from(text)));
    expect(node === null ? 'none' : readTime(node)).toBe(expected);
  });
});
