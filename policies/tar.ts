import { PolicyError } from './errors.ts';

/**
 * The part of POSIX ustar that policy bundles use: regular files and folders, names up to 255 bytes, no links and no
 * extensions. A bundle comes from outside, so every header field is checked and every size is bounded.
 */

export interface TarEntry {
  /** Path inside the archive, no leading slash, no `.` or `..` segments. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface TarLimits {
  readonly maxEntries: number;
  readonly maxEntryBytes: number;
}

const BLOCK = 512;
const FILE_TYPES = new Set(['0', '\0']);
const FOLDER_TYPE = '5';

/** Reads all files. Throws PolicyError `invalid_bundle` or `bundle_too_large`. */
export function readTar(archive: Uint8Array, limits: TarLimits): TarEntry[] {
  const buffer = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const entries = new Map<string, TarEntry>();
  let offset = 0;
  let headers = 0;
  while (offset + BLOCK <= buffer.length) {
    const header = buffer.subarray(offset, offset + BLOCK);
    if (header.every((byte) => byte === 0)) return [...entries.values()];
    headers += 1;
    if (headers > limits.maxEntries) throw tooLarge(`more than ${limits.maxEntries} entries`);
    const { name, size, folder } = readHeader(header);
    if (size > limits.maxEntryBytes)
      throw tooLarge(`${name} has ${size} bytes, at most ${limits.maxEntryBytes} allowed`);
    const start = offset + BLOCK;
    if (start + size > buffer.length) throw invalid(`${name} is cut off`);
    if (!folder) {
      if (entries.has(name)) throw invalid(`${name} is there twice`);
      entries.set(name, { name, bytes: buffer.subarray(start, start + size) });
    }
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw invalid('the archive has no end mark');
}

function readHeader(header: Buffer): { name: string; size: number; folder: boolean } {
  const stored = readOctal(header, 148, 8);
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (stored !== sum) throw invalid('a header checksum is wrong');
  const type = String.fromCharCode(header[156] ?? 0);
  const folder = type === FOLDER_TYPE;
  if (!folder && !FILE_TYPES.has(type)) throw invalid('only files and folders are allowed, no links or extensions');
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? readText(header, 345, 155) : '';
  const raw = readText(header, 0, 100);
  return { name: safeName(prefix === '' ? raw : `${prefix}/${raw}`), size: readOctal(header, 124, 12), folder };
}

function readText(header: Buffer, start: number, length: number): string {
  const end = header.subarray(start, start + length).indexOf(0);
  return header.toString('utf8', start, end === -1 ? start + length : start + end);
}

function readOctal(header: Buffer, start: number, length: number): number {
  const digits = header
    .toString('latin1', start, start + length)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (!/^[0-7]{1,11}$/.test(digits)) throw invalid('a header number is not octal');
  return Number.parseInt(digits, 8);
}

/** Bundles are never unpacked to disk; names are still kept plain so that a report about one cannot mislead. */
function safeName(raw: string): string {
  const name = raw.replace(/^\.?\//, '').replace(/\/$/, '');
  const plain = /^[A-Za-z0-9._/-]{1,255}$/.test(name);
  if (!plain || name.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw invalid('a name has characters or segments that are not allowed');
  }
  return name;
}

/** Writes files in the order given, with every field that could differ between machines set to zero. */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const padding = (BLOCK - (entry.bytes.length % BLOCK)) % BLOCK;
    blocks.push(writeHeader(entry), Buffer.from(entry.bytes), Buffer.alloc(padding));
  }
  blocks.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(blocks);
}

function writeHeader(entry: TarEntry): Buffer {
  if (Buffer.byteLength(entry.name) > 100) throw invalid(`${entry.name} is longer than 100 bytes`);
  const header = Buffer.alloc(BLOCK);
  header.write(entry.name, 0, 'utf8');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${entry.bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        0', 148, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function invalid(found: string): PolicyError {
  return new PolicyError('invalid_bundle', `expected an OPA bundle as .tar.gz; ${found}; build it again`);
}

function tooLarge(found: string): PolicyError {
  return new PolicyError('bundle_too_large', `the bundle is over its limit: ${found}`);
}
