/**
 * Base58Check (Bitcoin's text form of addresses and keys): a number in base 58 whose last four bytes are the beginning of the
 * double SHA-256 of the others. Written for short texts, many of them wrong: the platform's hash costs more to call than to run.
 */

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
  const check = (byteAt(end) << 24) | (byteAt(end + 1) << 16) | (byteAt(end + 2) << 8) | byteAt(end + 3);
  return doubleHashStart(from, end) === check ? bytes.slice(BYTES - size) : null;
}

/** Bytes of the number a text stands for, without leading zeros; Infinity: it is none, or larger than those looked at. */
export function base58Size(text: string): number {
  return decode(text);
}

function byteAt(at: number): number {
  return bytes[at] ?? 0;
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

/** SHA-256 (FIPS 180-4): 32 bits of the fractional parts of the roots of the first primes. */
const PRIMES = Array.from({ length: 312 }, (_, i) => i).filter(
  (n) => n > 1 && !Array.from({ length: n - 2 }, (_, i) => i + 2).some((divisor) => n % divisor === 0),
);
const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const ROUNDS = Int32Array.from(PRIMES.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const state = new Int32Array(8);
const schedule = new Int32Array(64);

/** The first 32 bits of the double hash of the bytes [from, end), fewer than one block. */
function doubleHashStart(from: number, end: number): number {
  schedule.fill(0, 0, 16);
  for (let at = from; at < end; at++) put(at - from, byteAt(at));
  put(end - from, 0x80);
  schedule[15] = 8 * (end - from);
  hashBlock();
  schedule.set(state);
  schedule.fill(0, 8, 16);
  put(32, 0x80);
  schedule[15] = 256;
  hashBlock();
  return state[0] ?? 0;
}

function put(at: number, byte: number): void {
  schedule[at >> 2] = (schedule[at >> 2] ?? 0) | (byte << (24 - 8 * (at & 3)));
}

/** Hashes the one block in `schedule` into `state`. */
function hashBlock(): void {
  for (let t = 16; t < 64; t++) {
    const w2 = schedule[t - 2] ?? 0;
    const w15 = schedule[t - 15] ?? 0;
    const s1 = ((w2 >>> 17) | (w2 << 15)) ^ ((w2 >>> 19) | (w2 << 13)) ^ (w2 >>> 10);
    const s0 = ((w15 >>> 7) | (w15 << 25)) ^ ((w15 >>> 18) | (w15 << 14)) ^ (w15 >>> 3);
    schedule[t] = (s1 + (schedule[t - 7] ?? 0) + s0 + (schedule[t - 16] ?? 0)) | 0;
  }
  let a = START[0] ?? 0;
  let b = START[1] ?? 0;
  let c = START[2] ?? 0;
  let d = START[3] ?? 0;
  let e = START[4] ?? 0;
  let f = START[5] ?? 0;
  let g = START[6] ?? 0;
  let h = START[7] ?? 0;
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + (ROUNDS[t] ?? 0) + (schedule[t] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (START[0] ?? 0) + a;
  state[1] = (START[1] ?? 0) + b;
  state[2] = (START[2] ?? 0) + c;
  state[3] = (START[3] ?? 0) + d;
  state[4] = (START[4] ?? 0) + e;
  state[5] = (START[5] ?? 0) + f;
  state[6] = (START[6] ?? 0) + g;
  state[7] = (START[7] ?? 0) + h;
}
