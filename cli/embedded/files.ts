import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { CliError, errno } from '../errors.ts';
import type { Account } from './account.ts';

/**
 * Writes a file so that a reader or a crash sees the old content or the new one, never a part. The new file is created
 * exclusively with its final mode, so its content is never readable by others, not even for a moment.
 */
export function writeWhole(path: string, content: string, mode: number): void {
  const staging = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(staging, 'wx', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(staging, path);
  } catch (error) {
    rmSync(staging, { force: true });
    throw error;
  }
}

/** Creates a folder of exactly this mode, or leaves an existing one as it is. */
export function ensureFolder(path: string, mode: number): void {
  if (mkdirSync(path, { recursive: true, mode }) !== undefined) chmodSync(path, mode);
}

/**
 * A folder only one account can enter. An existing one is accepted only when it really is that: in a world-writable
 * place somebody else could have put a link or a folder of their own there first.
 * @throws CliError `folder_not_private`
 */
export function ensurePrivateFolder(path: string, owner: Account | null): void {
  const uid = owner?.uid ?? process.getuid?.() ?? -1;
  try {
    mkdirSync(path, { mode: 0o700 });
    if (owner !== null) chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
  const stats = lstatSync(path);
  if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o077) === 0) return;
  throw new CliError(
    'folder_not_private',
    `Expected ${path} to be a folder of user ${String(uid)} that nobody else can enter (mode 0700), found ` +
      `${stats.isDirectory() ? 'a folder' : 'something else'} of user ${String(stats.uid)} with mode ${(stats.mode & 0o777).toString(8)}. Remove it and start again.`,
  );
}
