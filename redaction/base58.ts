/**
 * Base58Check (Bitcoin's text form of addresses and keys): a number in base 58 whose last four bytes are the beginning of the
 * double SHA-256 of the others. Written for short texts, many of them wrong.
 */
import { hash } from 'node:crypto';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const NO_DIGIT = 255;
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (const [value, char] of Array.from(ALPHABET).entries()) DIGITS[char.charCodeAt(0)] = value;

/** The number at hand in base 2^24, the highest first: a product with four digits is exact. */
const limbs = new Float64Array(13);
const LIMB = 2 ** 24;
const BYTES = 3 * limbs.length;
/** Its bytes; the number ends at the end. */
const bytes = new Uint8Array(BYTES);
const CHECKSUM = 4;

/** The bytes the text stands for as a number, without leading zeros, when its checksum over `length` bytes holds; else null. */
export function base58Check(text: string, length: number): Uint8Array | null {
  const size = decode(text);
  if (size > length || length > BYTES) return null;
  const from = BYTES - length;
  const end = BYTES - CHECKSUM;
  // As hex: digests as buffers cost twice as much.
  const once = hash('sha256', bytes.subarray(from, end), 'hex');
  const twice = hash('sha256', Buffer.from(once, 'hex'), 'hex');
  for (let i = 0; i < CHECKSUM; i++) {
    if (parseInt(twice.slice(2 * i, 2 * i + 2), 16) !== bytes[end + i]) return null;
  }
  return bytes.slice(BYTES - size);
}

/** Bytes of the number a text stands for, without leading zeros; Infinity: it is none, or larger than those looked at. */
export function base58Size(text: string): number {
  return decode(text);
}

function decode(text: string): number {
  limbs.fill(0);
  let used = limbs.length;
  for (let at = 0; at < text.length;) {
    let value = 0;
    let scale = 1;
    for (const end = Math.min(at + 4, text.length); at < end; at++) {
      const digit = DIGITS[text.charCodeAt(at)] ?? NO_DIGIT;
      if (digit === NO_DIGIT) return Infinity;
      value = value * 58 + digit;
      scale *= 58;
    }
    let carry = value;
    for (let i = limbs.length - 1; i >= used || carry > 0; i--) {
      if (i < 0) return Infinity;
      const product = (limbs[i] ?? 0) * scale + carry;
      carry = Math.floor(product / LIMB);
      limbs[i] = product - carry * LIMB;
      used = Math.min(used, i);
    }
  }
  for (let i = 0; i < limbs.length; i++) {
    const limb = limbs[i] ?? 0;
    bytes[3 * i] = limb >>> 16;
    bytes[3 * i + 1] = limb >>> 8;
    bytes[3 * i + 2] = limb;
  }
  let zeros = 0;
  while (zeros < BYTES && bytes[zeros] === 0) zeros += 1;
  return BYTES - zeros;
}
