import { hash } from 'node:crypto';

/** 32 zero bytes: the `prev` of a log's first entry. */
export const ZERO_HASH = '0'.repeat(64);

// One buffer for all node hashes: hashing is synchronous, and a fresh Buffer costs more than the hash.
const node = Buffer.alloc(65);
node[0] = 1;

/** SHA-256 of a text's UTF-8 bytes, lower hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** RFC 6962 section 2.1 leaf hash of a text's UTF-8 bytes: SHA-256(0x00 ‖ text), lower hex. */
export function leafHash(text: string): string {
  return hash('sha256', '\u0000' + text, 'hex');
}

/** RFC 6962 section 2.1 leaf hash of bytes, lower hex. */
export function leafHashBytes(bytes: Uint8Array): string {
  const buffer = Buffer.alloc(bytes.length + 1);
  buffer.set(bytes, 1);
  return hash('sha256', buffer, 'hex');
}

/** RFC 6962 section 2.1 interior node: SHA-256(0x01 ‖ left ‖ right), all lower hex. */
export function nodeHash(left: string, right: string): string {
  node.write(left, 1, 'hex');
  node.write(right, 33, 'hex');
  return hash('sha256', node, 'hex');
}

/** RFC 6962 section 2.1 tree head over leaf hashes (lower hex). No leaves give SHA-256 of nothing. */
export function merkleRoot(leaves: readonly string[]): string {
  return leaves.length === 0 ? hash('sha256', '', 'hex') : subtree(leaves, 0, leaves.length);
}

function subtree(leaves: readonly string[], from: number, to: number): string {
  const count = to - from;
  if (count === 1) return leaves[from] ?? '';
  // The largest power of two smaller than count.
  const split = from + 2 ** (31 - Math.clz32(count - 1));
  return nodeHash(subtree(leaves, from, split), subtree(leaves, split, to));
}
