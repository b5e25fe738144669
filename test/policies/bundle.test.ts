import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBundle, PolicyError } from '../../policies/index.ts';
import { readTar, writeTar } from '../../policies/tar.ts';
import type { TarEntry } from '../../policies/tar.ts';
import { ROOT } from './toolchain.ts';

const limits = { maxEntries: 100, maxEntryBytes: 1_000_000 };
const shipped = await readFile(join(ROOT, 'policies/dist/baseline.tar.gz'));
const original = readTar(gunzipSync(shipped), { maxEntries: 100, maxEntryBytes: 2 ** 26 });

function file(name: string, content: string | Uint8Array): TarEntry {
  return { name, bytes: typeof content === 'string' ? Buffer.from(content) : content };
}

/** The shipped bundle with some files replaced or, with null, removed. */
function changed(files: Record<string, string | null>): Uint8Array {
  const kept = original.filter((entry) => !(entry.name in files));
  const added = Object.entries(files).flatMap(([name, content]) => (content === null ? [] : [file(name, content)]));
  return gzipSync(writeTar([...kept, ...added]));
}

const manifest = JSON.parse(
  Buffer.from(original.find((entry) => entry.name === '.manifest')?.bytes ?? []).toString(),
) as object;

function refusal(bytes: Uint8Array): string {
  try {
    loadBundle(bytes, 'x');
    return 'accepted';
  } catch (error) {
    return error instanceof PolicyError ? `${error.code}: ${error.message}` : `not a PolicyError: ${String(error)}`;
  }
}

describe('loadBundle', () => {
  test('identifies a bundle by its module and data, however it is packed', () => {
    const packed = loadBundle(changed({ 'readme.md': 'more' }), 'baseline').identity;
    expect(packed).toEqual(loadBundle(shipped, 'baseline').identity);
    const other = loadBundle(changed({ 'data.json': '{"countersign":{"a":1}}' }), 'baseline').identity;
    expect(other.wasm_digest).toBe(packed.wasm_digest);
    expect(other.data_digest).not.toBe(packed.data_digest);
    expect(other.digest).not.toBe(packed.digest);
  });

  test.each([
    ['no manifest', { '.manifest': null }],
    ['no module', { 'policy.wasm': null }],
    ['a manifest that is not JSON', { '.manifest': '{' }],
    [
      'no entry point',
      { '.manifest': JSON.stringify({ ...manifest, wasm: [{ entrypoint: 'a/b', module: '/policy.wasm' }] }) },
    ],
    [
      'another module',
      {
        '.manifest': JSON.stringify({ ...manifest, wasm: [{ entrypoint: 'countersign/main/decision', module: '/x' }] }),
      },
    ],
    ['data that is not an object', { 'data.json': '[1]' }],
    ['data of tenants', { 'data.json': '{"tenants":{"acme":{"models":["*"]}}}' }],
  ])('refuses %s', (_what, files) => {
    expect(refusal(changed(files))).toMatch(/^invalid_bundle: /);
  });

  test('refuses what is not gzip, and names that could mislead', () => {
    expect(refusal(Buffer.from('hello'))).toMatch(/^invalid_bundle: /);
    expect(() => loadBundle(shipped, '../x')).toThrow(PolicyError);
  });

  test('refuses bombs by their packed and unpacked size', () => {
    expect(refusal(gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toMatch(/^bundle_too_large: /);
    expect(refusal(Buffer.alloc(17 * 1024 * 1024))).toMatch(/^bundle_too_large: /);
  });

  test('any damage is a PolicyError, never another error', () => {
    const tar = gunzipSync(shipped);
    fc.assert(
      fc.property(fc.nat(tar.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = Buffer.from(tar);
        damaged[at] = byte;
        expect(refusal(gzipSync(damaged, { level: 0 }))).toMatch(/^(accepted|invalid_bundle|bundle_too_large)/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('tar', () => {
  test('what is written is read again', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,20}(\/[a-z0-9]{1,20}){0,2}$/);
    const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 2000 })), {
      selector: ([path]) => path,
      maxLength: 8,
    });
    fc.assert(
      fc.property(files, (list) => {
        const written = writeTar(list.map(([path, bytes]) => file(path, bytes)));
        expect(readTar(written, limits).map((entry) => [entry.name, Uint8Array.from(entry.bytes)])).toEqual(list);
      }),
    );
  });

  test.each(['../up', 'a/../b', '/etc/passwd/..', 'a//b', 'space here', 'nul\u0007', './../x'])(
    'refuses the name %j',
    (name) => {
      expect(() => readTar(writeTar([file(name, 'x')]), limits)).toThrow(PolicyError);
    },
  );

  test('refuses links, repeated names, too many and too large entries, and a cut end', () => {
    const link = Buffer.from(writeTar([file('a', '')]));
    link[156] = '2'.charCodeAt(0);
    expect(() => readTar(refreshSum(link), limits)).toThrow('no links');
    expect(() => readTar(writeTar([file('a', '1'), file('a', '2')]), limits)).toThrow('twice');
    const many = Array.from({ length: 101 }, (_, i) => file(`f${i}`, ''));
    expect(() => readTar(writeTar(many), limits)).toThrow('more than 100');
    expect(() => readTar(writeTar([file('a', Buffer.alloc(1_000_001))]), limits)).toThrow('at most');
    expect(() => readTar(writeTar([file('a', 'x')]).subarray(0, 1024), limits)).toThrow('no end mark');
    expect(() => readTar(writeTar([file('a', 'x')]).subarray(0, 512), limits)).toThrow('cut off');
  });
});

function refreshSum(tar: Buffer): Buffer {
  tar.write('        ', 148, 'latin1');
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}
