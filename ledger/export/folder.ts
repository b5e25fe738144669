import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { mkdir, open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LedgerError } from '../error.ts';
import type { OutFile, OutFolder, WrittenFile } from './out.ts';

/** Written at once: a few hundred lines. */
const BUFFER_CHARS = 1_000_000;

/** The folder of an export: readable by its owner only, nothing in it is ever written over, every file is hashed as it is written. */
export class BundleFolder implements OutFolder {
  readonly #dir: string;
  readonly #made = new Set<string>();
  readonly #files = new Map<string, WrittenFile>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** @throws {LedgerError} `exists` for a folder with content */
  static async create(dir: string): Promise<BundleFolder> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if ((await readdir(dir)).length > 0)
      throw new LedgerError('exists', `expected an empty folder at ${dir}, found files in it; choose another`);
    return new BundleFolder(dir);
  }

  /** Files finished so far, by path. */
  get files(): ReadonlyMap<string, WrittenFile> {
    return this.#files;
  }

  /** @param path with `/`, of our own making */
  async open(path: string): Promise<BundleFile> {
    const folder = dirname(path);
    if (!this.#made.has(folder)) await mkdir(join(this.#dir, folder), { recursive: true, mode: 0o700 });
    this.#made.add(folder);
    const handle = await open(join(this.#dir, path), 'wx', 0o600);
    return new BundleFile(handle, (written) => this.#files.set(path, written));
  }

  async write(path: string, data: string | Uint8Array): Promise<void> {
    const file = await this.open(path);
    try {
      await file.write(data);
    } finally {
      await file.close();
    }
  }

  /** One file from many pieces of text. */
  async writeAll(path: string, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const file = await this.open(path);
    try {
      for await (const piece of pieces) await file.write(piece);
    } finally {
      await file.close();
    }
  }
}

/** One file being written. Waiting for each write keeps memory bounded whatever the disk does. */
class BundleFile implements OutFile {
  readonly #handle: FileHandle;
  readonly #done: (written: WrittenFile) => void;
  readonly #hash: Hash = createHash('sha256');
  #pending = '';
  #bytes = 0;

  constructor(handle: FileHandle, done: (written: WrittenFile) => void) {
    this.#handle = handle;
    this.#done = done;
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (typeof data !== 'string') {
      await this.#flush();
      await this.#put(Buffer.from(data));
      return;
    }
    this.#pending += data;
    if (this.#pending.length > BUFFER_CHARS) await this.#flush();
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#handle.close();
    }
    this.#done({ bytes: this.#bytes, sha256: this.#hash.digest('hex') });
  }

  async #flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') await this.#put(Buffer.from(text, 'utf8'));
  }

  async #put(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#handle.writeFile(bytes);
  }
}
