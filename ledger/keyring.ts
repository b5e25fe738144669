import type postgres from 'postgres';
import { LedgerError } from './error.ts';
import type { SealKeys } from './seal.ts';

/** The key hierarchy: root key, tenant keys wrapped by it, and a key per tenant, subject and month wrapped by the tenant's. */
export interface KeyRing {
  /** The tenant's key, made on first use; synchronous when cached. */
  tenantKey(tenant: string): Uint8Array | Promise<Uint8Array>;
  /** Keys that seal a subject's sections in the month of `atMs` (null subject: the tenant's own); synchronous when cached. */
  sealKeys(tenant: string, subject: string | null, atMs: number): SealKeys | Promise<SealKeys>;
  /** Keys by the reference an entry stores; null when the key was destroyed. */
  sealKeysById(tenant: string, keyRef: string | null): Promise<SealKeys | null>;
  /** 32 bytes for one purpose (HKDF-SHA-256). Throws `key_missing` unless the tenant was given to openKeyRing or used before. */
  derive(tenant: string, purpose: string): Uint8Array;
}

export interface KeyRingOptions {
  readonly sql: postgres.Sql;
  /** 32 bytes. */
  readonly rootKey: Uint8Array;
  /** Tenants whose keys are loaded (made if missing) before this returns, so that `derive` is synchronous for them. */
  readonly tenants?: readonly string[];
}

export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  await options.sql`select 1`;
  throw new LedgerError('root_key', 'not built yet');
}
