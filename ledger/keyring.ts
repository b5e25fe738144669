import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type postgres from 'postgres';
import { LedgerError } from './error.ts';
import { createSealKeys } from './seal.ts';
import type { SealKeys } from './seal.ts';
import { unwrapKey, wrapKey } from './wrap.ts';

/** The key hierarchy: root key, tenant keys wrapped by it, and a key per tenant, subject and month wrapped by the tenant's. */
export interface KeyRing {
  /** The tenant's key, made on first use; synchronous when cached. */
  tenantKey(tenant: string): Uint8Array | Promise<Uint8Array>;
  /** Keys that seal a subject's sections in the month of `atMs` (null subject: the tenant's own); synchronous when cached. */
  sealKeys(tenant: string, subject: string | null, atMs: number): SealKeys | Promise<SealKeys>;
  /** Keys by the reference an entry stores; null when the key was destroyed. */
  sealKeysById(tenant: string, ref: string | null): Promise<SealKeys | null>;
  /** 32 bytes for one purpose (HKDF-SHA-256). Throws `key_missing` unless the tenant was given to openKeyRing or used before. */
  derive(tenant: string, purpose: string): Uint8Array;
}

/** What openKeyRing needs. */
export interface KeyRingOptions {
  readonly sql: postgres.Sql;
  /** 32 bytes. */
  readonly rootKey: Uint8Array;
  /** Tenants whose keys are loaded (made if missing) before this returns, so that `derive` is synchronous for them. */
  readonly tenants?: readonly string[];
}

interface TenantKeys {
  readonly key: Buffer;
  readonly seal: SealKeys;
  readonly derived: Map<string, Buffer>;
}

/** Subject keys held in memory: one month of this many people without asking the database again. */
const MAX_SUBJECTS = 20_000;
const MAX_PURPOSES = 64;

/**
 * @throws {LedgerError} `root_key` when the database was sealed with another root key.
 */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const wrapping = expand(options.rootKey, 'countersign/root/v1\nwrap');
  await checkRootKey(options.sql, options.rootKey);
  const ring = new DatabaseKeyRing(options.sql, wrapping);
  for (const tenant of options.tenants ?? []) await ring.tenantKey(tenant);
  return ring;
}

async function checkRootKey(sql: postgres.Sql, rootKey: Uint8Array): Promise<void> {
  const value = createHmac('sha256', rootKey).update('countersign/root/v1\ncheck').digest('hex');
  await sql`insert into keystore.root (check_value) values (${value}) on conflict do nothing`;
  const [row] = await sql<{ check_value: string }[]>`select check_value from keystore.root`;
  if (row === undefined || !timingSafeEqual(Buffer.from(row.check_value), Buffer.from(value))) {
    throw new LedgerError(
      'root_key',
      'expected the root key this database was sealed with, found another one; restore that key, nothing can be opened without it',
    );
  }
}

class DatabaseKeyRing implements KeyRing {
  readonly #sql: postgres.Sql;
  readonly #wrapping: Uint8Array;
  readonly #tenants = new Map<string, TenantKeys>();
  readonly #subjects = new Map<string, SealKeys>();
  readonly #loading = new Map<string, Promise<unknown>>();

  constructor(sql: postgres.Sql, wrapping: Uint8Array) {
    this.#sql = sql;
    this.#wrapping = wrapping;
  }

  tenantKey(tenant: string): Uint8Array | Promise<Uint8Array> {
    return this.#tenants.get(tenant)?.key ?? this.#loadTenant(tenant).then((keys) => keys.key);
  }

  sealKeys(tenant: string, subject: string | null, atMs: number): SealKeys | Promise<SealKeys> {
    if (subject === null) return this.#tenants.get(tenant)?.seal ?? this.#loadTenant(tenant).then((keys) => keys.seal);
    const month = monthOf(atMs);
    const name = `${tenant}\n${month}\n${subject}`;
    return this.#subjects.get(name) ?? this.#once(name, () => this.#loadSubject(tenant, subject, month, name));
  }

  async sealKeysById(tenant: string, ref: string | null): Promise<SealKeys | null> {
    const keys = await this.#loadTenant(tenant);
    if (ref === null) return keys.seal;
    const name = `#${tenant}\n${ref}`;
    const known = this.#subjects.get(name);
    if (known) return known;
    const [row] = await this.#sql<SubjectRow[]>`
      select id, tenant, subject, month, wrapped from keystore.subject_keys where id = ${ref} and tenant = ${tenant}`;
    if (row === undefined) return null;
    const key = unwrapKey(keys.key, row.wrapped, subjectName(row.tenant, row.subject, row.month));
    return this.#remember(name, createSealKeys(key, row.id));
  }

  derive(tenant: string, purpose: string): Uint8Array {
    const keys = this.#tenants.get(tenant);
    if (!keys) {
      throw new LedgerError(
        'key_missing',
        `expected the key of tenant ${tenant} to be loaded; give the tenant to openKeyRing`,
      );
    }
    const known = keys.derived.get(purpose);
    if (known) return known;
    const derived = expand(keys.key, deriveInfo(purpose));
    if (keys.derived.size < MAX_PURPOSES) keys.derived.set(purpose, derived);
    return derived;
  }

  async #loadTenant(tenant: string): Promise<TenantKeys> {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    return this.#once(`t\n${tenant}`, async () => {
      const key = unwrapKey(this.#wrapping, await storeTenantKey(this.#sql, this.#wrapping, tenant), [
        'tenant',
        tenant,
      ]);
      const keys = { key, seal: createSealKeys(key, null), derived: new Map<string, Buffer>() };
      this.#tenants.set(tenant, keys);
      return keys;
    });
  }

  async #loadSubject(tenant: string, subject: string, month: string, name: string): Promise<SealKeys> {
    const { key } = await this.#loadTenant(tenant);
    const mac = createHmac('sha256', expand(key, deriveInfo('subject-id')))
      .update(subject)
      .digest('hex');
    const row = await storeSubjectKey(this.#sql, key, { tenant, subject: mac, month });
    return this.#remember(name, createSealKeys(unwrapKey(key, row.wrapped, subjectName(tenant, mac, month)), row.id));
  }

  /** One load at a time per key: a burst of first calls asks once. */
  #once<T>(name: string, load: () => Promise<T>): Promise<T> {
    const running = this.#loading.get(name) as Promise<T> | undefined;
    if (running) return running;
    const started = load().finally(() => this.#loading.delete(name));
    this.#loading.set(name, started);
    return started;
  }

  #remember(name: string, keys: SealKeys): SealKeys {
    if (this.#subjects.size >= MAX_SUBJECTS) {
      const oldest = this.#subjects.keys().next();
      if (oldest.done !== true) this.#subjects.delete(oldest.value);
    }
    this.#subjects.set(name, keys);
    return keys;
  }
}

interface SubjectRow {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly month: string;
  readonly wrapped: Buffer;
}

/** Whoever inserts first wins, and everybody uses what is stored: two processes never seal with different keys. */
async function storeTenantKey(sql: postgres.Sql, wrapping: Uint8Array, tenant: string): Promise<Uint8Array> {
  const read = async (): Promise<Buffer | undefined> => {
    const [row] = await sql<{ wrapped: Buffer }[]>`select wrapped from keystore.tenant_keys where tenant = ${tenant}`;
    return row?.wrapped;
  };
  const stored = await read();
  if (stored) return stored;
  const wrapped = wrapKey(wrapping, randomBytes(32), ['tenant', tenant]);
  await sql`insert into keystore.tenant_keys (tenant, wrapped) values (${tenant}, ${wrapped}) on conflict do nothing`;
  return (await read()) ?? wrapped;
}

async function storeSubjectKey(
  sql: postgres.Sql,
  tenantKey: Uint8Array,
  { tenant, subject, month }: { tenant: string; subject: string; month: string },
): Promise<SubjectRow> {
  const read = async (): Promise<SubjectRow | undefined> => {
    const [row] = await sql<SubjectRow[]>`
      select id, tenant, subject, month, wrapped from keystore.subject_keys
      where tenant = ${tenant} and subject = ${subject} and month = ${month}`;
    return row;
  };
  const stored = await read();
  if (stored) return stored;
  const wrapped = wrapKey(tenantKey, randomBytes(32), subjectName(tenant, subject, month));
  await sql`insert into keystore.subject_keys (tenant, subject, month, wrapped)
    values (${tenant}, ${subject}, ${month}, ${wrapped}) on conflict do nothing`;
  const row = await read();
  if (!row)
    throw new LedgerError(
      'key_missing',
      'expected the subject key that was just stored, found none; was it erased meanwhile?',
    );
  return row;
}

function subjectName(tenant: string, subject: string, month: string): string[] {
  return ['subject', tenant, subject, month];
}

function expand(key: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', info, 32));
}

function deriveInfo(purpose: string): string {
  return `countersign/derive/v1\n${purpose}`;
}

/** UTC month of a time, `2026-11`; cached because it is asked for with every entry. */
let cached = { from: 0, to: 0, month: '' };
function monthOf(atMs: number): string {
  if (atMs >= cached.from && atMs < cached.to) return cached.month;
  const date = new Date(atMs);
  const from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  cached = { from, to: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1), month: date.toISOString().slice(0, 7) };
  return cached.month;
}
