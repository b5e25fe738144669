import { hash } from 'node:crypto';
import { nodeHash } from '../merkle.ts';

/** Root of the tree without leaves (RFC 6962, 2.1). */
const EMPTY_ROOT = hash('sha256', '', 'hex');
const HASH_HEX = 64;

/**
 * What has to be kept of the first leaves of a tree to go on appending to it: the roots of its complete subtrees, largest
 * first, one per bit of the size. Appending a leaf costs one node hash on average.
 */
export class CompactRange {
  #size: number;
  readonly #nodes: string[];

  private constructor(size: number, nodes: string[]) {
    this.#size = size;
    this.#nodes = nodes;
  }

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** @param nodes the hashes one after the other, lower hex; null when their number does not fit the size */
  static restore(size: number, nodes: string): CompactRange | null {
    if (!Number.isSafeInteger(size) || size < 0 || nodes.length !== bitCount(size) * HASH_HEX) return null;
    return new CompactRange(size, nodes.match(/.{64}/g) ?? []);
  }

  get size(): number {
    return this.#size;
  }

  /** All node hashes, largest subtree first; `restore` takes them back. */
  get nodes(): string {
    return this.#nodes.join('');
  }

  /** @param leaf leaf hash, lower hex */
  append(leaf: string): void {
    let node = leaf;
    // Each trailing one bit of the size is a complete subtree of the same size as the one that ends here.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(this.#nodes.pop() ?? '', node);
    this.#nodes.push(node);
    this.#size += 1;
  }

  /** RFC 6962 tree head over the leaves so far, lower hex. */
  root(): string {
    if (this.#nodes.length === 0) return EMPTY_ROOT;
    return this.#nodes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), this.#nodes.at(-1) ?? '');
  }
}

function bitCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
