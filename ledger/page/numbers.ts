/** Integers as signatures need them. */
export function bigOf(bytes: Uint8Array): bigint {
  let text = '0x0';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return BigInt(text);
}

/** The other end first, as Ed25519 writes its numbers. */
export function bigOfReversed(bytes: Uint8Array): bigint {
  return bigOf(Uint8Array.from(bytes).reverse());
}

/** The remainder that is not negative. */
export function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [mod(base, modulus), exponent]; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Inverse for a modulus that is prime. */
export function inverse(value: bigint, prime: bigint): bigint {
  let [a, b, x, y] = [mod(value, prime), prime, 1n, 0n];
  while (a > 1n) {
    if (b === 0n) return 0n;
    const quotient = a / b;
    [a, b, x, y] = [b, a % b, y, x - quotient * y];
  }
  return a === 1n ? mod(x, prime) : 0n;
}
