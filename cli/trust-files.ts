import { lstatSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LedgerError, readTrust, type ReaderTrust } from '../ledger/index.ts';
import { CliError } from './errors.ts';
import type { Arguments, OptionSpec } from './verb.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** Options by which a reader says whom they believe, and what they have kept. */
export const TRUST_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  trust: { value: 'FILE', help: 'Your policy file with the keys of the log and of witnesses you believe.' },
  'tsa-certificates': { value: 'FILE', help: 'Certificates (PEM) of timestamp authorities you believe.' },
  'kept-checkpoints': { value: 'FILE', help: 'A checkpoint you kept, or lines of JSON with a member note.' },
  receipts: { value: 'FILE', help: 'Receipts you were given (x-countersign-receipt), one a line.' },
};

/** @throws CliError `not_found`, `usage` with what is wrong in a file */
export function readTrustFiles(args: Arguments): ReaderTrust {
  const [policy, certificates] = [readFile(args, 'trust'), readFile(args, 'tsa-certificates')];
  const [checkpoints, receipts] = [readFile(args, 'kept-checkpoints'), readFile(args, 'receipts')];
  if (checkpoints !== null && policy === null)
    throw new CliError('usage', '--kept-checkpoints: expected --trust with the key that signed them, found none.');
  try {
    return readTrust({ policy, certificates, checkpoints, receipts });
  } catch (cause) {
    if (cause instanceof LedgerError) throw new CliError('usage', `A file of yours: ${cause.message}.`, { cause });
    throw cause;
  }
}

function readFile(args: Arguments, option: string): string | null {
  const path = args.text(option);
  if (path === null) return null;
  let bytes: Buffer;
  try {
    if (lstatSync(resolve(path)).size > MAX_BYTES)
      throw new CliError('usage', `--${option}: expected a file of at most 64 MiB, found a larger one.`);
    bytes = readFileSync(resolve(path));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('not_found', `--${option}: expected a file at ${path}, could not read it.`, { cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CliError('usage', `--${option}: expected UTF-8 in ${path}, found other bytes.`, { cause });
  }
}
