import { LedgerError } from './error.ts';

export type RootKeySource =
  | { readonly provider: 'file'; readonly path: string }
  | { readonly provider: 'env'; readonly value: string | undefined };

/** Makes a root key file, mode 0600; false when it exists already. */
export async function createRootKey(path: string): Promise<boolean> {
  throw new LedgerError('root_key', path);
}

/** 32 bytes from a file of 64 hex digits or from an environment variable's value. */
export async function readRootKey(source: RootKeySource): Promise<Uint8Array> {
  throw new LedgerError('root_key', source.provider);
}
