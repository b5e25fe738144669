import { readChildren, readDer } from '../anchor/der.ts';
import { bigOf, inverse, mod } from './numbers.ts';

/** y² = x³ − 3x + b over the field p; base point (x, y) of order n: FIPS 186-4, D.1.2. */
interface Curve {
  readonly p: bigint;
  readonly b: bigint;
  readonly n: bigint;
  readonly base: Point;
}

type Point = readonly [x: bigint, y: bigint] | null;

/** Curves by the dotted form of their identifier. */
export const CURVES: ReadonlyMap<string, Curve> = new Map([
  [
    '1.2.840.10045.3.1.7',
    {
      p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
      b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
      n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
      base: [
        0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
        0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
      ],
    },
  ],
  [
    '1.3.132.0.34',
    {
      p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
      b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
      n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
      base: [
        0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
        0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
      ],
    },
  ],
]);

function add(a: Point, b: Point, { p }: Curve): Point {
  if (a === null || b === null) return a ?? b;
  const [[x1, y1], [x2, y2]] = [a, b];
  if (x1 === x2 && mod(y1 + y2, p) === 0n) return null;
  const slope = x1 === x2 ? (3n * x1 * x1 - 3n) * inverse(2n * y1, p) : (y2 - y1) * inverse(x2 - x1, p);
  const x = mod(slope * slope - x1 - x2, p);
  return [x, mod(slope * (x1 - x) - y1, p)];
}

function multiply(point: Point, scalar: bigint, curve: Curve): Point {
  let result: Point = null;
  for (let [each, rest] = [point, scalar]; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(result, each, curve);
    each = add(each, each, curve);
  }
  return result;
}

/** An uncompressed point (SEC 1, 2.3.4) of the curve; null for anything else. */
function readPoint(bytes: Uint8Array, { p, b }: Curve): Point {
  const half = (bytes.length - 1) / 2;
  if (bytes[0] !== 4 || !Number.isInteger(half)) return null;
  const [x, y] = [bigOf(bytes.slice(1, 1 + half)), bigOf(bytes.slice(1 + half))];
  return x < p && y < p && mod(y * y - x * x * x + 3n * x - b, p) === 0n ? [x, y] : null;
}

/** FIPS 186-4, 6.4. @param signature DER of r and s; @param hash of the message */
export function verifyEcdsa(curve: Curve, publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  const q = readPoint(publicKey, curve);
  const parts = readChildren(readDer(signature)) ?? [];
  // Numbers of DER up to 66 octets, as P-384 needs them at most 49.
  const [r, s] = parts.map(({ tag, value }) => (tag === 2 && (value[0] ?? 0x80) < 0x80 ? bigOf(value) : 0n));
  const { n, base } = curve;
  if (q === null || parts.length !== 2 || r === undefined || s === undefined) return false;
  if (r < 1n || r >= n || s < 1n || s >= n) return false;
  const bits = n.toString(2).length;
  const excess = Math.max(0, hash.length * 8 - bits);
  const e = bigOf(hash) >> BigInt(excess);
  const w = inverse(s, n);
  const point = add(multiply(base, mod(e * w, n), curve), multiply(q, mod(r * w, n), curve), curve);
  return point !== null && mod(point[0], n) === r;
}
