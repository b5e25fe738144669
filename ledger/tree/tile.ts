import { nodeHash } from '../merkle.ts';
import type { TreeNode } from './proof.ts';

/** Hashes in a full tile: c2sp.org/tlog-tiles. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
/** Entry bundles prefix each entry with its length in 16 bits. */
const MAX_ENTRY_BYTES = 65_535;

/** A tile of hashes. Hash i of tile n at level l covers the leaves from (n · 256 + i) · 256^l on, 256^l of them. */
export interface Tile {
  readonly level: number;
  readonly n: number;
  /** 1 to 256; less than 256 only at the right edge of a tree. */
  readonly width: number;
}

/** A bundle of entries, with the place of the level-0 tile over them. */
export interface EntryBundle {
  readonly n: number;
  readonly width: number;
}

/** `<level>/<n>[.p/<width>]`, below `tile/`. */
export function tilePath({ level, n, width }: Tile): string {
  return `${String(level)}/${placePath(n, width)}`;
}

/** `entries/<n>[.p/<width>]`, below `tile/`. */
export function bundlePath({ n, width }: EntryBundle): string {
  return `entries/${placePath(n, width)}`;
}

function placePath(n: number, width: number): string {
  const digits = String(n);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const place = groups.map((group, index) => (index === groups.length - 1 ? group : `x${group}`)).join('/');
  return width === TILE_WIDTH ? place : `${place}.p/${String(width)}`;
}

/** Reads what follows `tile/`; null for anything but the one spelling of a place. */
export function parseTilePath(path: string): Tile | EntryBundle | null {
  const found = /^(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  if (found === null) return null;
  const [, kind = '', place = '', suffix] = found;
  const n = Number(place.replaceAll(/[x/]/g, ''));
  const width = suffix === undefined ? TILE_WIDTH : Number(suffix);
  if (width < 1 || (suffix !== undefined && width >= TILE_WIDTH)) return null;
  // One spelling each: no leading zeroes, no empty leading groups.
  if (kind === 'entries') return bundlePath({ n, width }) === path ? { n, width } : null;
  const tile = { level: Number(kind), n, width };
  return tile.level < 64 && tilePath(tile) === path ? tile : null;
}

/** Hashes at a level of a tree of that size. Level 7 is the last that sizes in exact numbers reach. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Does a tree of that size have this tile, with exactly this width or more? A full tile serves for each part of it. */
export function hasTile({ level, n, width }: Tile, size: number): boolean {
  return level <= 7 && n * TILE_WIDTH + width <= hashesAt(level, size);
}

/** The tile that holds, or is hashed into, a node of a tree of that size, as wide as the tree makes it. */
export function tileOf(node: TreeNode, size: number): Tile {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const first = node.index * 2 ** (node.level % TILE_HEIGHT);
  const n = Math.floor(first / TILE_WIDTH);
  return { level, n, width: Math.min(TILE_WIDTH, hashesAt(level, size) - n * TILE_WIDTH) };
}

/** The hash of a node from the hashes of its tile, lower hex. */
export function nodeInTile(node: TreeNode, tile: Tile, hashes: readonly string[]): string {
  const width = 2 ** (node.level % TILE_HEIGHT);
  const first = node.index * width - tile.n * TILE_WIDTH;
  let row = hashes.slice(first, first + width);
  while (row.length > 1) row = row.filter((_, i) => i % 2 === 0).map((left, i) => nodeHash(left, row[2 * i + 1] ?? ''));
  return row[0] ?? '';
}

/** A tile's bytes: its hashes one after the other. */
export function encodeTile(hashes: readonly string[]): Buffer {
  return Buffer.from(hashes.join(''), 'hex');
}

/** Null when the bytes are not 1 to 256 hashes. */
export function decodeTile(bytes: Uint8Array): string[] | null {
  const count = bytes.length / 32;
  if (!Number.isInteger(count) || count < 1 || count > TILE_WIDTH) return null;
  return Buffer.from(bytes).toString('hex').match(/.{64}/g);
}

/** Entries with their lengths before them. Null when one is too long for the format. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer | null {
  if (entries.some(({ length }) => length > MAX_ENTRY_BYTES)) return null;
  const parts = entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]);
  return Buffer.concat(parts);
}
