import { LedgerError } from '../error.ts';

/** What a failed append call means for its batch. */
export type Failure =
  /** Not applied, and it may work later: the database is read-only, out of resources, starting, … */
  | { readonly is: 'later'; readonly cause: string }
  /** The answer was lost: it may have been applied. */
  | { readonly is: 'ambiguous'; readonly cause: string }
  | { readonly is: 'fenced' }
  | { readonly is: 'isolation' }
  /** The database is not the one that was written to. */
  | { readonly is: 'forked'; readonly error: LedgerError }
  /** A unique key was hit: the batch has to be sent item by item decided. */
  | { readonly is: 'duplicate' }
  /** Not applied, and it never will be as it is. */
  | { readonly is: 'refused'; readonly code: string };

/** Server states that pass by themselves; SQLSTATE or its class, and the word a gap entry uses. */
const LATER: readonly (readonly [string, string])[] = [
  ['25006', 'read_only'],
  ['25', 'read_only'],
  ['53', 'resources'],
  ['40', 'conflict'],
  ['55P03', 'lock_timeout'],
  ['57014', 'timeout'],
  ['57P03', 'starting'],
  ['58', 'system'],
  ['28', 'login'],
];

/** Sorts an error of the driver. Anything that is not a server's answer to the statement leaves the outcome open. */
export function classifyFailure(error: unknown): Failure {
  if (error instanceof LedgerError && error.code === 'forked') return { is: 'forked', error };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const fromServer = error instanceof Error && error.name === 'PostgresError';
  if (!fromServer) {
    // Never reached a server.
    if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'CONNECT_TIMEOUT')
      return { is: 'later', cause: 'connection' };
    return { is: 'ambiguous', cause: 'connection' };
  }
  if (code === 'CS020') return { is: 'fenced' };
  if (code === 'CS010') return { is: 'isolation' };
  if (code === '23505') return { is: 'duplicate' };
  for (const [prefix, cause] of LATER) if (code.startsWith(prefix)) return { is: 'later', cause };
  // 57P01, 57P02: the backend was ended, perhaps just after its commit. XX: an internal error may hide anything.
  if (code.startsWith('57') || code.startsWith('08') || code.startsWith('XX'))
    return { is: 'ambiguous', cause: 'connection' };
  return { is: 'refused', code };
}
