/** API keys as stored: creating, listing and revoking them. The rule about who may is in grant.ts and in policy. */
import type { Sql, TransactionSql } from 'postgres';
import { hasLimit, type BudgetLimits } from '../config.ts';
import type { RecordEvent } from './events.ts';
import type { Role } from './principal.ts';
import { mintToken, type RandomBytes } from './token.ts';

/** A key without its secret. */
export interface ApiKey {
  readonly id: string;
  /** `_deployment` for keys that administer the whole deployment. */
  readonly tenant: string;
  readonly name: string;
  readonly agent: string | null;
  readonly models: readonly string[] | null;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  readonly budget: BudgetLimits;
  /** Made without a second person's approval because nobody was there yet. */
  readonly bootstrap: boolean;
  readonly createdBy: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  readonly revokedBy: string | null;
  readonly revokedMs: number | null;
}

export interface StoredKey extends ApiKey {
  readonly secretSha256: Uint8Array;
  /** Order of changes, as text because it is a 64-bit number. */
  readonly revision: string;
}

/** What is asked for; validated by the caller (gateway/ingress/admin, cli). */
export interface KeyWish {
  readonly tenant: string;
  readonly name: string;
  readonly agent: string | null;
  readonly models: readonly string[] | null;
  readonly roles: readonly Role[];
  readonly groups: readonly string[];
  readonly budget: BudgetLimits;
  readonly expiresMs: number | null;
}

export interface KeyStore {
  readonly record: RecordEvent;
  /** Creates the ledger scope `key:<id>`; called before the key exists, so that it is never without its limit. */
  readonly setBudget: (scope: string, limits: BudgetLimits) => Promise<void>;
  readonly random: RandomBytes;
  readonly now: () => number;
}

export interface CreatedKey {
  readonly key: ApiKey;
  /** The whole key text; the only time it exists outside the caller's hands. */
  readonly token: string;
}

export interface KeyOrigin {
  readonly createdBy: string;
  /** Id of the approval that allowed it; null when none was needed. */
  readonly approval: string | null;
  /** Why a key that needs an approval came without one. */
  readonly exemption: 'bootstrap' | 'first-approver' | null;
}

/** Records, then creates. Rejects without a key when recording or the budget scope fails. */
export async function createKey(
  sql: Sql | TransactionSql,
  store: KeyStore,
  wish: KeyWish,
  origin: KeyOrigin,
): Promise<CreatedKey> {
  const minted = mintToken(store.random);
  const key: ApiKey = {
    ...wish,
    id: minted.id,
    bootstrap: origin.exemption === 'bootstrap',
    createdBy: origin.createdBy,
    createdMs: store.now(),
    revokedBy: null,
    revokedMs: null,
  };
  await store.record({
    kind: 'key',
    tenant: '_deployment',
    facts: {
      action: 'create',
      key: key.id,
      tenant: key.tenant,
      roles: [...key.roles],
      models: key.models === null ? null : [...key.models],
      expires_ms: key.expiresMs,
      budget: budgetFacts(key.budget),
      approval: origin.approval,
      exemption: origin.exemption,
    },
    detail: { by: origin.createdBy, name: key.name, agent: key.agent, groups: [...key.groups] },
  });
  if (hasLimit(key.budget)) await store.setBudget(`key:${key.id}`, key.budget);
  await insertKey(sql, key, minted.secretSha256);
  return { key, token: minted.token };
}

/** Money in entries and answers: nano-USD as decimal strings. */
export function budgetFacts(budget: BudgetLimits): Record<string, string | null> {
  const text = (nusd: bigint | null): string | null => nusd?.toString() ?? null;
  return {
    daily_nusd: text(budget.dailyNusd),
    weekly_nusd: text(budget.weeklyNusd),
    monthly_nusd: text(budget.monthlyNusd),
  };
}

/**
 * Records, then revokes; every process refuses the key within seconds.
 *
 * @param tenant only a key of this tenant; null = of any
 * @returns null when there is no such key; a key that was revoked before is returned as it is, without another entry
 */
export async function revokeKey(
  sql: Sql,
  store: Pick<KeyStore, 'record' | 'now'>,
  wanted: { readonly id: string; readonly tenant: string | null; readonly by: string; readonly reason: string | null },
): Promise<ApiKey | null> {
  return sql.begin(async (tx) => {
    const [row] = await tx<KeyRow[]>`select ${keyColumns(tx)} from access.api_keys where id = ${wanted.id} for update`;
    if (row === undefined || (wanted.tenant !== null && row.tenant !== wanted.tenant)) return null;
    const key = withoutSecret(fromRow(row));
    if (key.revokedMs !== null) return key;
    const revoked: ApiKey = { ...key, revokedMs: store.now(), revokedBy: wanted.by };
    await store.record({
      kind: 'key',
      tenant: '_deployment',
      facts: { action: 'revoke', key: key.id, tenant: key.tenant },
      detail: { by: wanted.by, reason: wanted.reason },
    });
    await tx`update access.api_keys set revoked_ms = ${revoked.revokedMs}, revoked_by = ${wanted.by} where id = ${key.id}`;
    return revoked;
  });
}

export const KEY_PAGE = 200;

/** By id, at most 200 at a time; `after` is the last id of the page before. Revoked and expired keys are listed too. */
export async function listKeys(
  sql: Sql,
  filter: { readonly tenant: string | null; readonly after?: string },
): Promise<ApiKey[]> {
  const rows = await sql<KeyRow[]>`
    select ${keyColumns(sql)} from access.api_keys
    where id > ${filter.after ?? ''} and ${filter.tenant === null ? sql`true` : sql`tenant = ${filter.tenant}`}
    order by id limit ${KEY_PAGE}`;
  return rows.map((row) => withoutSecret(fromRow(row)));
}

/** Keys changed after a revision, in order of change, at most 1000 at a time. */
export async function readChanges(sql: Sql, afterRevision: string): Promise<StoredKey[]> {
  const rows = await sql<KeyRow[]>`
    select ${keyColumns(sql)} from access.api_keys where revision > ${afterRevision} order by revision limit 1000`;
  return rows.map(fromRow);
}

/** Whether any key of the tenant ever had this role, not counting the ones made at bootstrap. */
export async function wasEverGranted(sql: Sql | TransactionSql, tenant: string, role: Role): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select 1 from access.api_keys where tenant = ${tenant} and ${role} = any(roles) and not bootstrap) as found`;
  return row?.found ?? true;
}

interface KeyRow {
  readonly id: string;
  readonly revision: string;
  readonly secret_sha256: Uint8Array;
  readonly tenant: string;
  readonly name: string;
  readonly agent: string | null;
  readonly models: string[] | null;
  readonly roles: Role[];
  readonly groups: string[];
  readonly daily_nusd: string | null;
  readonly weekly_nusd: string | null;
  readonly monthly_nusd: string | null;
  readonly bootstrap: boolean;
  readonly created_by: string;
  readonly created_ms: number;
  readonly expires_ms: number | null;
  readonly revoked_by: string | null;
  readonly revoked_ms: number | null;
}

function keyColumns(sql: Sql | TransactionSql): ReturnType<Sql> {
  // Milliseconds fit a double exactly; 64-bit numbers travel as text.
  return sql`id, revision::text as revision, secret_sha256, tenant, name, agent, models, roles, groups,
    daily_nusd::text as daily_nusd, weekly_nusd::text as weekly_nusd, monthly_nusd::text as monthly_nusd, bootstrap,
    created_by, created_ms::float8 as created_ms, expires_ms::float8 as expires_ms, revoked_by,
    revoked_ms::float8 as revoked_ms`;
}

function fromRow(row: KeyRow): StoredKey {
  const amount = (nusd: string | null): bigint | null => (nusd === null ? null : BigInt(nusd));
  return {
    id: row.id,
    revision: row.revision,
    secretSha256: row.secret_sha256,
    tenant: row.tenant,
    name: row.name,
    agent: row.agent,
    models: row.models,
    roles: row.roles,
    groups: row.groups,
    budget: {
      dailyNusd: amount(row.daily_nusd),
      weeklyNusd: amount(row.weekly_nusd),
      monthlyNusd: amount(row.monthly_nusd),
    },
    bootstrap: row.bootstrap,
    createdBy: row.created_by,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    revokedBy: row.revoked_by,
    revokedMs: row.revoked_ms,
  };
}

function withoutSecret({ secretSha256: _secret, revision: _revision, ...key }: StoredKey): ApiKey {
  return key;
}

async function insertKey(sql: Sql | TransactionSql, key: ApiKey, secretSha256: Buffer): Promise<void> {
  const { dailyNusd, weeklyNusd, monthlyNusd } = key.budget;
  await sql`
    insert into access.api_keys
      (id, revision, secret_sha256, tenant, name, agent, models, roles, groups, daily_nusd, weekly_nusd, monthly_nusd,
       bootstrap, created_by, created_ms, expires_ms)
    values (${key.id}, 0, ${secretSha256}, ${key.tenant}, ${key.name}, ${key.agent},
      ${key.models === null ? null : [...key.models]}, ${[...key.roles]}, ${[...key.groups]},
      ${dailyNusd?.toString() ?? null}, ${weeklyNusd?.toString() ?? null}, ${monthlyNusd?.toString() ?? null},
      ${key.bootstrap}, ${key.createdBy}, ${key.createdMs}, ${key.expiresMs})`;
}
