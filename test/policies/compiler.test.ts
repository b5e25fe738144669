import { chmod, mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findOpa, OPA_VERSION } from '../../policies/testing.ts';
import { findTools, required, ROOT, withFolder } from './toolchain.ts';

/**
 * How the compiler is found. The build itself is real on a machine that has no opa yet (every other test here waits for
 * it); here a stand-in for `go` copies the real opa, so that two builds at once can be watched in a second.
 */
const tools = await findTools();
const run = test.skipIf(tools === null || process.platform === 'win32');
const compilerDir = join(ROOT, 'policies/compiler');
const platform = `${OPA_VERSION}-${process.platform}-${process.arch}`;

interface Place {
  readonly cache: string;
  readonly bin: string;
  readonly log: string[];
  readonly find: (extra?: Record<string, string>) => Promise<string>;
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const [cache, bin, log] = [join(dir, 'cache'), join(dir, 'bin'), [] as string[]];
    await mkdir(bin);
    const env = { HOME: dir, XDG_CACHE_HOME: cache, PATH: `${bin}:/usr/bin:/bin` };
    const find = async (extra: Record<string, string> = {}): Promise<string> =>
      findOpa({ compilerDir, log: (line) => log.push(line), env: { ...env, ...extra } });
    await use({ cache: join(cache, 'countersign', 'opa', platform), bin, log, find });
  });
}

async function script(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

/** `go build … -o TARGET PACKAGE`: counts itself, takes a moment and leaves the real opa. */
async function fakeGo(place: Place): Promise<void> {
  const opa = required(tools).opa;
  const target = 'while [ "$1" != "-o" ]; do shift; done';
  await script(join(place.bin, 'go'), `echo x >> "${place.bin}/builds"\n${target}\nsleep 1\ncp "${opa}" "$2"`);
}

test('without opa and Go the error says what to do', async () => {
  await inPlace(async ({ find }) => {
    await expect(find()).rejects.toMatchObject({ code: 'compiler_missing' });
    await expect(find()).rejects.toThrow(/Go 1\.26.*COUNTERSIGN_OPA/);
  });
});

run('COUNTERSIGN_OPA is taken only in the pinned version', async () => {
  await inPlace(async ({ bin, find }) => {
    expect(await find({ COUNTERSIGN_OPA: required(tools).opa })).toBe(required(tools).opa);
    await script(join(bin, 'old'), 'echo "Version: 0.70.0"');
    await expect(find({ COUNTERSIGN_OPA: join(bin, 'old') })).rejects.toMatchObject({ code: 'compiler_version' });
    await expect(find({ COUNTERSIGN_OPA: join(bin, 'absent') })).rejects.toThrow('not opa');
  });
});

run('opa on PATH is taken in the pinned version and passed over in another', async () => {
  await inPlace(async ({ bin, find }) => {
    await script(join(bin, 'opa'), `echo "Version: ${OPA_VERSION}"`);
    expect(await find()).toBe(join(bin, 'opa'));
    await script(join(bin, 'opa'), 'echo "Version: 1.0.0"');
    await expect(find()).rejects.toMatchObject({ code: 'compiler_missing' });
  });
});

run('several processes at once build once, and later ones build nothing', async () => {
  await inPlace(async (place) => {
    await fakeGo(place);
    const found = await Promise.all([place.find(), place.find(), place.find()]);
    expect(found).toEqual(Array.from({ length: 3 }, () => join(place.cache, 'opa')));
    expect(await place.find()).toBe(found[0]);
    expect(await readFile(join(place.bin, 'builds'), 'utf8')).toBe('x\n');
    expect(await readdir(place.cache)).toEqual(['opa']);
    expect(place.log.join('\n')).toMatch(/building opa .*\n(.*\n)*.*is ready/);
  });
});

run('a build that fails says what Go said, leaves nothing behind, and the next one may try again', async () => {
  await inPlace(async (place) => {
    await script(join(place.bin, 'go'), 'echo "go: go.mod requires go >= 1.99" >&2; exit 1');
    await expect(place.find()).rejects.toThrow(/go\.mod requires go >= 1\.99/);
    await expect(place.find()).rejects.toMatchObject({ code: 'compiler_failed' });
    expect(await readdir(place.cache)).toEqual([]);
    await fakeGo(place);
    expect(await place.find()).toBe(join(place.cache, 'opa'));
  });
});

run('half a file in the cache and the lock of a dead process are replaced', async () => {
  await inPlace(async (place) => {
    await mkdir(place.cache, { recursive: true });
    await writeFile(join(place.cache, 'opa'), 'half');
    await writeFile(join(place.cache, 'build.lock'), '999999999');
    await fakeGo(place);
    expect(await place.find()).toBe(join(place.cache, 'opa'));
    expect((await stat(join(place.cache, 'opa'))).size).toBeGreaterThan(1_000_000);
    await writeFile(join(place.cache, 'opa'), 'half again');
    await writeFile(join(place.cache, 'build.lock'), '');
    await utimes(join(place.cache, 'build.lock'), 1, 1);
    expect(await place.find()).toBe(join(place.cache, 'opa'));
  });
});
