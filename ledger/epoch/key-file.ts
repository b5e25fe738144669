import { randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { LedgerError } from '../error.ts';

/** Makes the key that signs checkpoints: 64 hex digits, mode 0600, on disk before this returns; false when it exists already. */
export async function createCheckpointKey(path: string): Promise<boolean> {
  let file;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw failed(`expected to create the checkpoint key at ${path}, could not; check the folder`, error);
  }
  try {
    await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return true;
}

/** The key's 32 bytes (an RFC 8032 private key). @throws {LedgerError} `checkpoint_key` */
export async function readCheckpointKey(path: string): Promise<Uint8Array> {
  let text: string;
  try {
    if (((await stat(path)).mode & 0o077) !== 0)
      throw failed(`expected the checkpoint key ${path} to be its owner's only, found it open to others; chmod 600 it`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw failed(`expected the checkpoint key at ${path}, could not read it; check path and owner`, error);
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw failed(`expected 64 hex digits in ${path}, found something else`);
  return Buffer.from(text.trim(), 'hex');
}

function failed(message: string, cause?: unknown): LedgerError {
  return new LedgerError('checkpoint_key', message, cause === undefined ? {} : { cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
