import { bigOfReversed, inverse, mod, power } from './numbers.ts';
import { digest } from './sha2.ts';

/** RFC 8032, 5.1: the field, the order of the base point, the curve's constant. */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n, P), P);
const ROOT = power(2n, (P - 1n) / 4n, P);

/** Extended coordinates: x = X/Z, y = Y/Z, x·y = T/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];

const ZERO: Point = [0n, 1n, 1n, 0n];
const BASE = decode(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x58 : 0x66)));

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = ((y1 - x1) * (y2 - x2)) % P;
  const b = ((y1 + x1) * (y2 + x2)) % P;
  const c = (((2n * t1 * t2) % P) * D) % P;
  const d = (2n * z1 * z2) % P;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f, P), mod(g * h, P), mod(f * g, P), mod(e * h, P)];
}

function multiply(point: Point, scalar: bigint): Point {
  let result = ZERO;
  for (let [each, rest] = [point, scalar]; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(result, each);
    each = add(each, each);
  }
  return result;
}

/** 5.1.3; null for bytes that are no point, or not its one spelling. */
function decode(bytes: Uint8Array): Point | null {
  const whole = bigOfReversed(bytes);
  const y = whole & (2n ** 255n - 1n);
  if (bytes.length !== 32 || y >= P) return null;
  const [u, v] = [mod(y * y - 1n, P), mod(D * y * y + 1n, P)];
  const candidate = (u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n, P)) % P;
  const square = (v * candidate * candidate) % P;
  if (square !== u && square !== mod(-u, P)) return null;
  const x = square === u ? candidate : (candidate * ROOT) % P;
  const sign = whole >> 255n;
  if (x === 0n && sign === 1n) return null;
  const signed = (x & 1n) === sign ? x : P - x;
  return [signed, y, 1n, (signed * y) % P];
}

function same([x1, y1, z1]: Point, [x2, y2, z2]: Point): boolean {
  return mod(x1 * z2 - x2 * z1, P) === 0n && mod(y1 * z2 - y2 * z1, P) === 0n;
}

/** Ed25519 (RFC 8032, 5.1.7) without the cofactor, as OpenSSL checks it. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const a = decode(publicKey);
  const r = signature.slice(0, 32);
  const s = bigOfReversed(signature.slice(32));
  const point = decode(r);
  if (a === null || point === null || BASE === null || signature.length !== 64 || s >= L) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(r);
  hashed.set(publicKey, 32);
  hashed.set(message, 64);
  const k = mod(bigOfReversed(digest('sha512', hashed)), L);
  const [x, y, z, t] = a;
  const minusA: Point = [mod(-x, P), y, z, mod(-t, P)];
  return same(add(multiply(BASE, s), multiply(minusA, k)), point);
}
