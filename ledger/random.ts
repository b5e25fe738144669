import { randomFillSync } from 'node:crypto';

/** Gives that many random bytes, as lower hex. */
export type RandomHex = (bytes: number) => string;

const POOL_BYTES = 4096;

/** Random bytes out of a pool: one system call per few hundred requests. No byte is given twice. */
export function createRandomHex(): RandomHex {
  let pool = '';
  let at = 0;
  return (bytes) => {
    const length = bytes * 2;
    if (at + length > pool.length) {
      pool = randomFillSync(Buffer.allocUnsafe(Math.max(POOL_BYTES, bytes))).toString('hex');
      at = 0;
    }
    at += length;
    return pool.slice(at - length, at);
  };
}
