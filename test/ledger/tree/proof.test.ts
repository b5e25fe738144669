import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafHash, merkleRoot, nodeHash } from '../../../ledger/merkle.ts';
import {
  consistencySteps,
  inclusionSteps,
  rootStep,
  stepHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../ledger/tree/proof.ts';
import type { ProofStep, TreeNode } from '../../../ledger/tree/proof.ts';
import { CompactRange } from '../../../ledger/tree/range.ts';

const LEAVES = Array.from({ length: 601 }, (_, index) => leafHash(`leaf ${String(index)}`));
const hashOf = ({ level, index }: TreeNode): string =>
  merkleRoot(LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level));
const rootOf = (size: number): string => merkleRoot(LEAVES.slice(0, size));
const proofOf = (steps: readonly ProofStep[] | null): string[] => (steps ?? []).map((step) => stepHash(step, hashOf));

describe('a compact range', () => {
  test('has the root of every size, and goes on from what was kept', () => {
    let range = CompactRange.empty();
    expect(range.root()).toBe(merkleRoot([]));
    for (const [index, leaf] of LEAVES.entries()) {
      range.append(leaf);
      expect(range.root()).toBe(rootOf(index + 1));
      range = CompactRange.restore(range.size, range.nodes) as CompactRange;
    }
    expect(range.size).toBe(601);
  });

  test('is restored from nothing but as many hashes as its size has bits', () => {
    expect(CompactRange.restore(3, LEAVES[0] as string)).toBeNull();
    expect(CompactRange.restore(-1, '')).toBeNull();
    expect(CompactRange.restore(2 ** 53, LEAVES[0] as string)).toBeNull();
    expect(CompactRange.restore(2 ** 52, LEAVES[0] as string)?.root()).toBe(LEAVES[0]);
  });
});

describe('proofs', () => {
  test('of every leaf in every small tree are what RFC 6962 defines, and verify', () => {
    for (let size = 1; size <= 65; size += 1) {
      expect(stepHash(rootStep(size), hashOf)).toBe(rootOf(size));
      for (let index = 0; index < size; index += 1) {
        const proof = proofOf(inclusionSteps(index, size));
        expect(proof).toEqual(path(index, LEAVES.slice(0, size)));
        const leaf = LEAVES[index] ?? '';
        expect(verifyInclusion({ leaf, index, size, proof, root: rootOf(size) })).toBe(true);
      }
      for (let old = 1; old <= size; old += 1) {
        const proof = proofOf(consistencySteps(old, size));
        expect(proof).toEqual(subproof(old, LEAVES.slice(0, size), true));
        expect(verifyConsistency({ oldSize: old, oldRoot: rootOf(old), size, root: rootOf(size), proof })).toBe(true);
      }
    }
  });

  test('of random places in larger trees verify, and any change to them does not', () => {
    const sizes = fc.integer({ min: 1, max: 600 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
    fc.assert(
      fc.property(sizes, fc.nat(), ([size, index], salt) => {
        const root = rootOf(size);
        const proof = proofOf(inclusionSteps(index, size));
        const claim = { leaf: LEAVES[index] ?? '', index, size, proof, root };
        expect(verifyInclusion(claim)).toBe(true);
        for (const bad of mangled(proof, salt)) expect(verifyInclusion({ ...claim, proof: bad })).toBe(false);
        expect(verifyInclusion({ ...claim, index: index + 1 })).toBe(false);
        expect(verifyInclusion({ ...claim, root: rootOf(size + 1) })).toBe(false);
        const old = index + 1;
        const steps = proofOf(consistencySteps(old, size));
        const grown = { oldSize: old, oldRoot: rootOf(old), size, root, proof: steps };
        expect(verifyConsistency(grown)).toBe(true);
        for (const bad of mangled(steps, salt)) expect(verifyConsistency({ ...grown, proof: bad })).toBe(false);
        expect(verifyConsistency({ ...grown, oldRoot: rootOf(old + 1) })).toBe(false);
        expect(verifyConsistency({ ...grown, root: rootOf(size + 1) })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('an inner node is no leaf, and sizes beyond the exact ones are none', () => {
    const [a = '', b = '', c = ''] = LEAVES;
    const root = rootOf(3);
    expect(verifyInclusion({ leaf: nodeHash(a, b), index: 0, size: 2, proof: [c], root })).toBe(true);
    // The hash of two leaves stands at the place of a leaf only in a tree of another size; sizes are signed.
    expect(verifyInclusion({ leaf: nodeHash(a, b), index: 0, size: 3, proof: [c], root })).toBe(false);
    for (const size of [-1, 0.5, 2 ** 53, Number.NaN, Infinity]) {
      expect(inclusionSteps(0, size)).toBeNull();
      expect(consistencySteps(1, size)).toBeNull();
      expect(verifyInclusion({ leaf: a, index: 0, size, proof: [], root: a })).toBe(false);
      expect(verifyConsistency({ oldSize: 1, oldRoot: a, size, root: a, proof: [] })).toBe(false);
    }
    expect(inclusionSteps(3, 3)).toBeNull();
    expect(consistencySteps(0, 3)).toBeNull();
    expect(consistencySteps(4, 3)).toBeNull();
    expect(verifyInclusion({ leaf: a, index: 0, size: 2, proof: ['zz'], root })).toBe(false);
    expect(inclusionSteps(0, 2 ** 53 - 1)).toHaveLength(53);
  });
});

/** RFC 6962, 2.1.1, as it is written there. */
function path(index: number, leaves: readonly string[]): string[] {
  if (leaves.length === 1) return [];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return index < split
    ? [...path(index, leaves.slice(0, split)), merkleRoot(leaves.slice(split))]
    : [...path(index - split, leaves.slice(split)), merkleRoot(leaves.slice(0, split))];
}

/** RFC 6962, 2.1.2, as it is written there. */
function subproof(old: number, leaves: readonly string[], known: boolean): string[] {
  if (old === leaves.length) return known ? [] : [merkleRoot(leaves)];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return old <= split
    ? [...subproof(old, leaves.slice(0, split), known), merkleRoot(leaves.slice(split))]
    : [...subproof(old - split, leaves.slice(split), false), merkleRoot(leaves.slice(0, split))];
}

function mangled(proof: readonly string[], salt: number): string[][] {
  const other = randomBytes(32).toString('hex');
  const at = salt % Math.max(1, proof.length);
  const longer = [
    [...proof, other],
    [other, ...proof],
  ];
  return proof.length === 0 ? longer : [...longer, proof.slice(1), proof.slice(0, -1), proof.with(at, other)];
}
