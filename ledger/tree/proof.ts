import { nodeHash } from '../merkle.ts';

/** A complete subtree: the leaves [index · 2^level, (index + 1) · 2^level). */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/**
 * One hash of a proof: that of a subtree, or of several from left to right that make up the ragged right edge of the tree
 * and are hashed together from the right.
 */
export type ProofStep = readonly TreeNode[];

/** Sizes beyond exact numbers are refused everywhere here. */
function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

/** Largest power of two below `count`, for count >= 2. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** The complete subtrees of [from, to), where `from` is a multiple of every power of two up to to - from. */
function nodesOf(from: number, to: number): ProofStep {
  const nodes: TreeNode[] = [];
  let at = from;
  while (at < to) {
    let [level, width] = [0, 1];
    while (width * 2 <= to - at) [level, width] = [level + 1, width * 2];
    nodes.push({ level, index: at / width });
    at += width;
  }
  return nodes;
}

/** The whole tree as one step: its hash is the root. An empty tree has no step. */
export function rootStep(size: number): ProofStep {
  return nodesOf(0, size);
}

/**
 * Which hashes prove the leaf `index` in a tree of `size`: RFC 6962, 2.1.1, from the leaf's sibling up to the root's child.
 * Null when there is no such leaf.
 */
export function inclusionSteps(index: number, size: number): ProofStep[] | null {
  if (!isSize(size) || !isSize(index) || index >= size) return null;
  const steps: ProofStep[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const split = from + splitOf(to - from);
    if (index < split) {
      steps.push(nodesOf(split, to));
      to = split;
    } else {
      steps.push(nodesOf(from, split));
      from = split;
    }
  }
  return steps.toReversed();
}

/**
 * Which hashes prove that a tree of `oldSize` is the beginning of one of `size`: RFC 6962, 2.1.2. No step for equal sizes;
 * null when there is no such proof (an old size of 0, or one beyond the size).
 */
export function consistencySteps(oldSize: number, size: number): ProofStep[] | null {
  if (!isSize(size) || !isSize(oldSize) || oldSize < 1 || oldSize > size) return null;
  const steps: ProofStep[] = [];
  let [from, to] = [0, size];
  while (oldSize < to) {
    const split = from + splitOf(to - from);
    if (oldSize <= split) {
      steps.push(nodesOf(split, to));
      to = split;
    } else {
      steps.push(nodesOf(from, split));
      from = split;
    }
  }
  // The old tree itself is known to whoever checks; a part of it is not.
  if (from > 0) steps.push(nodesOf(from, to));
  return steps.toReversed();
}

/** The hash of a step, from the hashes of its nodes. */
export function stepHash(step: ProofStep, hashOf: (node: TreeNode) => string): string {
  const hashes = step.map(hashOf);
  return hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), hashes.at(-1) ?? '');
}

/**
 * Is the leaf with this hash at `index` of the tree? RFC 9162, 2.1.3.2. All hashes lower hex.
 *
 * @param proof from the leaf's sibling upwards; anything but lower hex of 32 bytes fails
 */
export function verifyInclusion(claim: {
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly string[];
  readonly root: string;
}): boolean {
  const { leaf, index, size, proof, root } = claim;
  if (!isSize(size) || !isSize(index) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [at, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      [at, last] = skipEven(at, last);
    } else hash = nodeHash(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash === root;
}

/**
 * Is the tree of `oldSize` the beginning of the tree of `size`? RFC 9162, 2.1.4.2. An old size of 0 fails: every tree begins
 * with the empty one, so whoever means that says so without a proof.
 */
export function verifyConsistency(claim: {
  readonly oldSize: number;
  readonly oldRoot: string;
  readonly size: number;
  readonly root: string;
  readonly proof: readonly string[];
}): boolean {
  const { oldSize, oldRoot, size, root, proof } = claim;
  if (!isSize(size) || !isSize(oldSize) || oldSize < 1 || oldSize > size) return false;
  if (!areHashes([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && oldRoot === root;
  let [at, last] = [oldSize - 1, size - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  // A whole left subtree is the old tree: its hash is the old root and is left out of the proof.
  const [first, ...rest] = at === 0 ? [oldRoot, ...proof] : proof;
  if (first === undefined || (at === 0 && proof.length === 0)) return false;
  let [oldHash, hash] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [oldHash, hash] = [nodeHash(sibling, oldHash), nodeHash(sibling, hash)];
      [at, last] = skipEven(at, last);
    } else hash = nodeHash(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && oldHash === oldRoot && hash === root;
}

/** Levels at which the right edge has no sibling are passed over. */
function skipEven(at: number, last: number): [number, number] {
  let [index, end] = [at, last];
  while (index % 2 === 0 && index !== 0) [index, end] = [index / 2, Math.floor(end / 2)];
  return [index, end];
}

function areHashes(hashes: readonly string[]): boolean {
  return hashes.length <= 200 && hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash));
}
