import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base58Check, base58Size } from '../../redaction/base58.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function written(bytes: Uint8Array): string {
  let number = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = ALPHABET.charAt(Number(number % 58n)) + text;
  return text;
}

function withChecksum(payload: Uint8Array): Uint8Array {
  const check = hash('sha256', hash('sha256', payload, 'buffer'), 'buffer').subarray(0, 4);
  return Buffer.concat([payload, check]);
}

test('a checksum is that of the platform’s own hash, for every length of a key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 34 }), (payload) => {
      const bytes = withChecksum(payload);
      const text = written(bytes);
      const plain = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
      expect(base58Size(text)).toBe(plain.length);
      expect(Buffer.from(base58Check(text, bytes.length) ?? [])).toEqual(Buffer.from(plain));
      const last = ALPHABET.indexOf(text.slice(-1));
      expect(base58Check(text.slice(0, -1) + ALPHABET.charAt((last + 1) % 58), bytes.length)).toBeNull();
    }),
    { numRuns: 300 },
  );
});

test('no number, or one too large, has no size', () => {
  expect(['0', 'a0', 'é', 'z'.repeat(60)].map(base58Size)).toEqual([Infinity, Infinity, Infinity, Infinity]);
  expect(base58Check('z'.repeat(40), 25)).toBeNull();
});
