import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import type { Appended } from '../entry.ts';
import { LedgerError } from '../error.ts';
import { applyErasures } from './apply.ts';
import { lockErasures, readHolds } from './holds.ts';
import type { ErasureDesk } from './holds.ts';
import type { KeyRing } from '../keyring.ts';

/** Why somebody may demand or the operator may do it. */
export const LEGAL_BASES = [
  'gdpr-17-1-a', 'gdpr-17-1-b', 'gdpr-17-1-c', 'gdpr-17-1-d', 'gdpr-17-1-e', 'gdpr-17-1-f', 'ccpa-1798-105', 'contract', 'other',
] as const; // prettier-ignore
/** One of LEGAL_BASES. */
export type LegalBasis = (typeof LEGAL_BASES)[number];

/** Keys to destroy, and everything the entry says about it. */
export interface ErasureOrder {
  readonly tenant: string;
  readonly scope: 'subject' | 'finding' | 'retention';
  readonly basis: LegalBasis | 'retention';
  /** References of the keystore. */
  readonly keys: readonly string[];
  /** More facts, in clear for ever: no personal data. */
  readonly facts: Readonly<Record<string, JsonValue>>;
  /** Stored encrypted under the tenant's key: who, why, whose. */
  readonly detail: Readonly<Record<string, JsonValue>>;
}

/** What was destroyed, and where it stands. */
export interface Erased {
  readonly entry: Appended;
  readonly keys: readonly string[];
}

/** One entry names at most this many keys. */
export const MAX_KEYS = 500;

/**
 * Records an erasure and destroys its keys, in this order: the entry is durable before the first key is touched, and whoever dies
 * in between leaves an entry that every gateway and every start carries out. `tx` only holds the lock and destroys: rolling it
 * back does not take the entry back.
 *
 * @throws {LedgerError} `held` when a legal hold covers a key, `not_found` when no key is left, `unavailable` when it is not certain
 *   that the entry is durable: nothing was destroyed then, but the entry may still appear and be carried out
 */
export async function eraseKeys(
  tx: postgres.TransactionSql,
  { ledger, keys }: ErasureDesk,
  order: ErasureOrder,
): Promise<Erased> {
  const { tenant, scope, basis, facts, detail } = order;
  if (order.keys.length > MAX_KEYS)
    throw new LedgerError('invalid_value', `expected at most ${String(MAX_KEYS)} keys in one erasure, found more`);
  await lockErasures(tx, tenant);
  const refs = await requireErasable(tx, keys, tenant, order.keys);
  const entry = await ledger.append({
    tenant,
    kind: 'erasure',
    class: 'event',
    call: `er-${randomBytes(16).toString('hex')}`,
    subject: null,
    sections: { facts: { ...facts, scope, basis, keys: refs }, detail: { ...detail } },
  });
  await applyErasures(tx, 'new');
  return { entry, keys: refs };
}

/**
 * The given keys that are still there and may be destroyed.
 *
 * @throws {LedgerError} `held`, `not_found`
 */
export async function requireErasable(
  sql: postgres.Sql | postgres.TransactionSql,
  keys: KeyRing,
  tenant: string,
  refs: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ id: string; subject: string }[]>`
    select id::text as id, subject from keystore.subject_keys
    where tenant = ${tenant} and id = any (string_to_array(${refs.join(',')}, ',')::bigint[]) order by id`;
  if (rows.length === 0)
    throw new LedgerError(
      'not_found',
      'expected keys to destroy, found none: nothing is kept, or it was erased before',
    );
  const subjects = new Set(rows.map(({ subject }) => subject));
  const holds = await readHolds(sql, keys, tenant);
  const covering = holds.filter(({ mac }) => mac === null || subjects.has(mac)).map(({ id }) => id);
  if (covering.length === 0) return rows.map(({ id }) => id);
  throw new LedgerError(
    'held',
    `expected no legal hold on what is to be erased, found ${covering.slice(0, 5).join(', ')}; release it first, with a second person`,
  );
}
