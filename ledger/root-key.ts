import { randomBytes } from 'node:crypto';
import { chmod, open, readFile } from 'node:fs/promises';
import { LedgerError } from './error.ts';

/** Where the root key is: a file of 64 hex digits, or the value of an environment variable. */
export type RootKeySource =
  | { readonly provider: 'file'; readonly path: string }
  | { readonly provider: 'env'; readonly value: string | undefined };

/** Makes a root key file, mode 0600, on disk before this returns; false when it exists already. */
export async function createRootKey(path: string): Promise<boolean> {
  let file;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw new LedgerError('root_key', `expected to create the root key at ${path}, could not; check the folder`, {
      cause: error,
    });
  }
  try {
    await file.writeFile(randomBytes(32).toString('hex') + '\n');
    // Everything sealed depends on it: it must survive a power cut that the first entries survive.
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, 0o600);
  return true;
}

/**
 * The root key's 32 bytes.
 *
 * @throws {LedgerError} `root_key`
 */
export async function readRootKey(source: RootKeySource): Promise<Uint8Array> {
  const where = source.provider === 'file' ? source.path : 'the environment';
  const text = source.provider === 'file' ? await readKeyFile(source.path) : source.value;
  if (text === undefined || !/^[0-9a-fA-F]{64}\s*$/.test(text)) {
    throw new LedgerError(
      'root_key',
      `expected a root key of 64 hex digits in ${where}, found ${text === undefined ? 'nothing' : 'something else'}`,
    );
  }
  return Buffer.from(text.trim(), 'hex');
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new LedgerError('root_key', `expected to read the root key at ${path}, could not; check its owner and mode`, {
      cause: error,
    });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
