import { hash } from 'node:crypto';

const BLOCK = 64;
const DIGEST = 32;

/**
 * HMAC-SHA-256 (RFC 2104) under one 32-byte key, of short ASCII messages, as lower hex. Built on the one-shot hash: node's Hmac
 * object costs three times as much, and every sealed section needs one.
 */
export function createMac(key: Uint8Array): (message: string) => string {
  const outer = pad(key, 0x5c, BLOCK + DIGEST);
  const inner = pad(key, 0x36, BLOCK + 256);
  return (message) => {
    if (message.length > 256) throw new RangeError('a MAC message is at most 256 characters');
    const end = BLOCK + inner.write(message, BLOCK, 'latin1');
    outer.write(hash('sha256', inner.subarray(0, end), 'hex'), BLOCK, 'hex');
    return hash('sha256', outer, 'hex');
  };
}

function pad(key: Uint8Array, byte: number, size: number): Buffer {
  const block = Buffer.alloc(size, 0);
  block.fill(byte, 0, BLOCK);
  for (const [index, value] of key.entries()) block[index] = value ^ byte;
  return block;
}
