/** Digests of FIPS 180-4 for the page, where Node's are missing and the browser's own answer only later. */
export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** First bits of the fractional parts of roots of the first primes: FIPS 180-4, 4.2 and 5.3. */
function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

/** The largest integer whose `power`-th power is at most `value`. */
function root(value: bigint, power: bigint): bigint {
  let [low, high] = [0n, 1n << (BigInt(value.toString(2).length) / power + 1n)];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** power <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

const fraction = (prime: number, power: bigint): bigint =>
  root(BigInt(prime) << (64n * power), power) & 0xffffffffffffffffn;
const PRIMES = primes(80);
const K64 = PRIMES.map((prime) => fraction(prime, 3n));
const K32 = Int32Array.from(K64.slice(0, 64), (word) => Number(word >> 32n) | 0);
const H512 = PRIMES.slice(0, 8).map((prime) => fraction(prime, 2n));
const H384 = PRIMES.slice(8, 16).map((prime) => fraction(prime, 2n));
const H256 = Int32Array.from(H512, (word) => Number(word >> 32n) | 0);

/** The message, a one bit, zeros, and its length in bits at the end of a block. */
function pad(message: Uint8Array, block: number): Uint8Array {
  const tail = block / 8;
  const padded = new Uint8Array(Math.ceil((message.length + 1 + tail) / block) * block);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return padded;
}

const words = new Int32Array(64);
const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** SHA-256 of a message that comes in pieces. */
export class Sha256 {
  readonly #state = Int32Array.from(H256);
  readonly #block = new Uint8Array(64);
  #held = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#held > 0) {
      at = Math.min(64 - this.#held, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#held);
      this.#held += at;
      if (this.#held < 64) return;
      compress256(this.#state, viewOf(this.#block), 0);
      this.#held = 0;
    }
    const view = viewOf(bytes);
    for (; at + 64 <= bytes.length; at += 64) compress256(this.#state, view, at);
    this.#block.set(bytes.subarray(at));
    this.#held = bytes.length - at;
  }

  digest(): Uint8Array {
    const tail = new Uint8Array(this.#held < 56 ? 64 : 128);
    tail.set(this.#block.subarray(0, this.#held));
    tail[this.#held] = 0x80;
    const view = viewOf(tail);
    view.setBigUint64(tail.length - 8, BigInt(this.#length) * 8n);
    for (let at = 0; at < tail.length; at += 64) compress256(this.#state, view, at);
    return bytesOf(this.#state);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sha256(message: Uint8Array): Uint8Array {
  const hash = new Sha256();
  hash.update(message);
  return hash.digest();
}

function compress256(state: Int32Array, view: DataView, at: number): void {
  const w = words;
  for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const one = w[i - 15] ?? 0;
    const two = w[i - 2] ?? 0;
    const s0 = rotate(one, 7) ^ rotate(one, 18) ^ (one >>> 3);
    const s1 = rotate(two, 17) ^ rotate(two, 19) ^ (two >>> 10);
    w[i] = ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const one = (h + s1 + ((e & f) ^ (~e & g)) + (K32[i] ?? 0) + (w[i] ?? 0)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
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
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}

function bytesOf(state: Int32Array): Uint8Array {
  const bytes = new Uint8Array(state.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of state.entries()) view.setInt32(4 * i, word);
  return bytes;
}

const MASK = 0xffffffffffffffffn;
const rotate64 = (word: bigint, bits: bigint): bigint => ((word >> bits) | (word << (64n - bits))) & MASK;

/** Slow and short: only timestamps need it, a few blocks each. */
function sha512(message: Uint8Array, start: readonly bigint[], bytes: number): Uint8Array {
  const padded = pad(message, 128);
  const view = new DataView(padded.buffer);
  let state = [...start];
  for (let at = 0; at < padded.length; at += 128) {
    const w = Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + 8 * i));
    for (let i = 16; i < 80; i += 1) {
      const [a, b] = [w[i - 15] ?? 0n, w[i - 2] ?? 0n];
      const s0 = rotate64(a, 1n) ^ rotate64(a, 8n) ^ (a >> 7n);
      const s1 = rotate64(b, 19n) ^ rotate64(b, 61n) ^ (b >> 6n);
      w.push(((w[i - 16] ?? 0n) + s0 + (w[i - 7] ?? 0n) + s1) & MASK);
    }
    state = compress512(state, w);
  }
  const digest = new Uint8Array(64);
  const out = new DataView(digest.buffer);
  for (const [i, word] of state.entries()) out.setBigUint64(8 * i, word);
  return digest.slice(0, bytes);
}

function compress512(state: readonly bigint[], w: readonly bigint[]): bigint[] {
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  for (const [i, k] of K64.entries()) {
    const s1 = rotate64(e, 14n) ^ rotate64(e, 18n) ^ rotate64(e, 41n);
    const one = h + s1 + ((e & f) ^ (~e & MASK & g)) + k + (w[i] ?? 0n);
    const s0 = rotate64(a, 28n) ^ rotate64(a, 34n) ^ rotate64(a, 39n);
    const two = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & MASK, c, b, a, (one + two) & MASK];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (state[i] ?? 0n)) & MASK);
}

/** Names certificates in old timestamps, and signs nothing. */
function sha1(message: Uint8Array): Uint8Array {
  const padded = pad(message, 64);
  const view = new DataView(padded.buffer);
  const state = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0);
  for (let at = 0; at < padded.length; at += 64) {
    const w = Array.from({ length: 16 }, (_, i) => view.getInt32(at + 4 * i));
    for (let i = 16; i < 80; i += 1)
      w.push(rotate((w[i - 3] ?? 0) ^ (w[i - 8] ?? 0) ^ (w[i - 14] ?? 0) ^ (w[i - 16] ?? 0), 31));
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
    for (let i = 0; i < 80; i += 1) {
      const [f, k] = round1(i, b, c, d);
      const next = (rotate(a, 27) + f + e + k + (w[i] ?? 0)) | 0;
      [e, d, c, b, a] = [d, c, rotate(b, 2), a, next];
    }
    for (const [i, word] of [a, b, c, d, e].entries()) state[i] = ((state[i] ?? 0) + word) | 0;
  }
  return bytesOf(state);
}

function round1(i: number, b: number, c: number, d: number): readonly [number, number] {
  if (i < 20) return [(b & c) | (~b & d), 0x5a827999];
  if (i < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (i < 60) return [(b & c) | (b & d) | (c & d), 0x8f1bbcdc | 0];
  return [b ^ c ^ d, 0xca62c1d6 | 0];
}

export function digest(name: DigestName, message: Uint8Array): Uint8Array {
  if (name === 'sha256') return sha256(message);
  if (name === 'sha384') return sha512(message, H384, 48);
  return name === 'sha512' ? sha512(message, H512, 64) : sha1(message);
}
