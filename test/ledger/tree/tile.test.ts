import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafHash, merkleRoot } from '../../../ledger/merkle.ts';
import { inclusionSteps, stepHash, verifyInclusion } from '../../../ledger/tree/proof.ts';
import {
  bundlePath,
  decodeTile,
  encodeBundle,
  encodeTile,
  hashesAt,
  hasTile,
  nodeInTile,
  parseTilePath,
  tileOf,
  tilePath,
} from '../../../ledger/tree/tile.ts';
import type { Tile } from '../../../ledger/tree/tile.ts';

describe('paths of c2sp.org/tlog-tiles', () => {
  test.each([
    [{ level: 0, n: 0, width: 256 }, '0/000'],
    [{ level: 0, n: 1_234_067, width: 256 }, '0/x001/x234/067'],
    [{ level: 1, n: 67, width: 112 }, '1/067.p/112'],
    [{ level: 7, n: 1000, width: 1 }, '7/x001/000.p/1'],
  ])('%j is %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test('entry bundles have their own', () => {
    expect(bundlePath({ n: 273, width: 112 })).toBe('entries/273.p/112');
    expect(parseTilePath('entries/273.p/112')).toEqual({ n: 273, width: 112 });
    expect(parseTilePath('entries/x001/000')).toEqual({ n: 1000, width: 256 });
  });

  test.each([
    '', '0', '0/', '0/1', '0/0000', '00/000', '-1/000', '0/x000/001', '0/001/002', '0/x001', '0/000.p/0', '0/000.p/01',
    '0/000.p/256', '0/000.p/', '0/000.p/300', '0/000/', '/0/000', '0/../000', '0/000.p/1/2', 'entries', 'Entries/000', '100/000',
    '0/x001/x002/x003/x004/x005/006', '0/000\n', '64/000', '0/ 00', '0/٠٠٠',
  ])('%j is none', (path) => {
    expect(parseTilePath(path)).toBeNull();
  }); // prettier-ignore

  test('a path is read back whatever the place', () => {
    const tiles = fc.record({
      level: fc.nat(63),
      n: fc.nat({ max: 10 ** 15 - 1 }),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(tiles, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });
});

describe('tiles of a tree', () => {
  test('of 70,000 leaves are those the specification names', () => {
    expect([0, 1, 2, 3].map((level) => hashesAt(level, 70_000))).toEqual([70_000, 273, 1, 0]);
    const tiles: readonly (readonly [Tile, boolean])[] = [
      [{ level: 0, n: 272, width: 256 }, true],
      [{ level: 0, n: 273, width: 112 }, true],
      [{ level: 0, n: 273, width: 113 }, false],
      [{ level: 1, n: 0, width: 256 }, true],
      [{ level: 1, n: 1, width: 17 }, true],
      [{ level: 1, n: 1, width: 18 }, false],
      [{ level: 2, n: 0, width: 1 }, true],
      [{ level: 3, n: 0, width: 1 }, false],
      [{ level: 60, n: 0, width: 1 }, false],
    ];
    for (const [tile, expected] of tiles) expect([tile, hasTile(tile, 70_000)]).toEqual([tile, expected]);
  });

  test('give the hash of every node a proof needs', () => {
    const size = 70_000;
    const leaves = Array.from({ length: size }, (_, index) => leafHash(String(index)));
    const levels = [leaves];
    while ((levels.at(-1)?.length ?? 0) >= 256) {
      const below = levels.at(-1) ?? [];
      levels.push(Array.from({ length: Math.floor(below.length / 256) }, (_, n) => merkleRoot(below.slice(n * 256, (n + 1) * 256))));
    } // prettier-ignore
    const hashesOf = ({ level, n, width }: Tile): string[] => levels[level]?.slice(n * 256, n * 256 + width) ?? [];
    const root = merkleRoot(leaves);
    for (const index of [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999]) {
      const proof = (inclusionSteps(index, size) ?? []).map((step) =>
        stepHash(step, (node) => {
          const tile = tileOf(node, size);
          expect(hasTile(tile, size)).toBe(true);
          return nodeInTile(node, tile, hashesOf(tile));
        }),
      );
      expect(verifyInclusion({ leaf: leaves[index] ?? '', index, size, proof, root })).toBe(true);
    }
  });

  test('are their hashes one after the other', () => {
    const hashes = [leafHash('a'), leafHash('b')];
    expect(encodeTile(hashes)).toHaveLength(64);
    expect(decodeTile(encodeTile(hashes))).toEqual(hashes);
    expect(decodeTile(Buffer.alloc(33))).toBeNull();
    expect(decodeTile(Buffer.alloc(0))).toBeNull();
    expect(decodeTile(Buffer.alloc(257 * 32))).toBeNull();
  });

  test('an entry stands behind its length', () => {
    const bundle = encodeBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(65_535, 1)]);
    expect(bundle?.subarray(0, 8).toString('hex')).toBe('000261620000ffff');
    expect(bundle).toHaveLength(6 + 2 + 65_535);
    expect(encodeBundle([Buffer.alloc(65_536)])).toBeNull();
  });
});
