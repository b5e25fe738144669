import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyConsistency, verifyInclusion } from '../../../ledger/tree/proof.ts';
import { findGo, GO_MODULE } from './toolchain.ts';

const go = findGo();

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly [member: string]: unknown;
}

/** Sizes up to 2^64 - 1 occur, which JSON.parse would round: beyond exact numbers they become no number at all. */
function readVectors(folder: string): Vector[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').replaceAll(/: (\d{17,})/g, ': -1'))
    .map((text) => JSON.parse(text) as Vector);
}

/** Some roots are words ("don't care"); ours are 32 bytes or nothing, so these are hashed, the same word to the same hash. */
function hex(base64: unknown): string {
  const bytes = Buffer.from(String(base64), 'base64');
  return bytes.length === 0 || bytes.length === 32 ? bytes.toString('hex') : hash('sha256', bytes, 'hex');
}

describe.skipIf(go === null)('the vectors of transparency-dev/merkle', () => {
  // Asked for by a package of it, the module is fetched as a build fetches it.
  const folder = (): string =>
    dirname(
      execFileSync(go ?? '', ['list', '-f', '{{.Dir}}', 'github.com/transparency-dev/merkle/proof'], {
        cwd: GO_MODULE,
        encoding: 'utf8',
      }).trim(),
    );

  test('inclusion', () => {
    const vectors = readVectors(join(folder(), 'testdata', 'inclusion'));
    expect(vectors.length).toBeGreaterThanOrEqual(98);
    for (const { desc, wantErr, proof, leafIdx, treeSize, root, leafHash } of vectors) {
      const claim = { leaf: hex(leafHash), index: Number(leafIdx), size: Number(treeSize), root: hex(root) };
      expect([desc, verifyInclusion({ ...claim, proof: (proof ?? []).map(hex) })]).toEqual([desc, !wantErr]);
    }
  });

  test('consistency', () => {
    const vectors = readVectors(join(folder(), 'testdata', 'consistency'));
    expect(vectors.length).toBeGreaterThanOrEqual(98);
    for (const { desc, wantErr, proof, size1, size2, root1, root2 } of vectors) {
      const claim = { oldSize: Number(size1), oldRoot: hex(root1), size: Number(size2), root: hex(root2) };
      expect([desc, verifyConsistency({ ...claim, proof: (proof ?? []).map(hex) })]).toEqual([desc, !wantErr]);
    }
  });
});
