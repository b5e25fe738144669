import { merkleRoot } from '../merkle.ts';
import type { OutFolder } from '../export/out.ts';
import { bundlePath, encodeBundle, encodeTile, hashesAt, TILE_WIDTH, tilePath } from '../tree/tile.ts';
import type { Tile } from '../tree/tile.ts';

/** Makes the tiles of a log's tree from its entries, one after the other: a tile of each level is kept. */
export class TileCheck {
  readonly #out: OutFolder;
  readonly #folder: string;
  readonly #size: number;
  readonly #levels: string[][] = [[]];
  #headers: Uint8Array[] = [];
  #count = 0;

  /** @param size of the tree that is in the folder; what follows in the log is in no tile */
  constructor(out: OutFolder, log: string, size: number) {
    this.#out = out;
    this.#folder = `logs/${log}/tile/`;
    this.#size = size;
  }

  /** The next entry; a promise when it ends a tile. */
  add(header: string, hash: string): Promise<void> | null {
    if (this.#count >= this.#size) return null;
    this.#count += 1;
    this.#headers.push(Buffer.from(header, 'utf8'));
    this.#levels[0]?.push(hash);
    return this.#count % TILE_WIDTH === 0 || this.#count === this.#size ? this.#write() : null;
  }

  async #write(): Promise<void> {
    const bundle = { n: Math.floor((this.#count - 1) / TILE_WIDTH), width: this.#headers.length };
    const encoded = encodeBundle(this.#headers);
    if (encoded !== null) await this.#out.write(this.#folder + bundlePath(bundle), encoded);
    this.#headers = [];
    for (let level = 0; level < this.#levels.length; level += 1) {
      const hashes = this.#levels[level] ?? [];
      const all = hashesAt(level, this.#count);
      const isLast = this.#count === this.#size;
      if (hashes.length === 0 || (hashes.length < TILE_WIDTH && !isLast)) continue;
      const tile: Tile = { level, n: Math.floor((all - 1) / TILE_WIDTH), width: hashes.length };
      await this.#out.write(this.#folder + tilePath(tile), encodeTile(hashes));
      this.#levels[level] = [];
      if (hashes.length < TILE_WIDTH) continue;
      (this.#levels[level + 1] ??= []).push(merkleRoot(hashes));
    }
  }
}
