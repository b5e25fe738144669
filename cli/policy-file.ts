import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LedgerError, parsePolicy, type TrustPolicy } from '../ledger/index.ts';
import { CliError } from './errors.ts';

/** Reads a trust policy (c2sp.org/tlog-policy). @throws CliError `not_found`, `usage` with the line that is wrong */
export function readPolicyFile(path: string): TrustPolicy {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(path));
  } catch (cause) {
    throw new CliError('not_found', `Expected a policy file at ${path}, could not read it.`, { cause });
  }
  try {
    return parsePolicy(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const why = cause instanceof LedgerError ? cause.message : 'it is not UTF-8';
    throw new CliError('usage', `${path}: ${why}.`, { cause });
  }
}
