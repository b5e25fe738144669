import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type postgres from 'postgres';
import { applyErasures } from './erasure/apply.ts';
import { LedgerError } from './error.ts';
import { createSealKeys } from './seal.ts';
import type { SealKeys } from './seal.ts';
import { keyName, storeSubjectKeys, storeTenantKey } from './stored-keys.ts';
import type { KeyUse, SubjectRow } from './stored-keys.ts';
import { unwrapKey } from './wrap.ts';

/** What seals a subject's calls in one month: loaded together, so that an outcome needs nothing that its decision did not need. */
export interface CallKeys {
  readonly decision: SealKeys;
  /** Of outcomes and late outcomes. */
  readonly outcome: SealKeys;
  /** How long policies want them kept at least (roundKeptDays). */
  readonly keptDays: number;
}

/** The key hierarchy: root key, tenant keys wrapped by it, and keys per tenant, subject, month and kind wrapped by the tenant's. */
export interface KeyRing {
  /** The tenant's key, made on first use; synchronous when cached. */
  tenantKey(tenant: string): Uint8Array | Promise<Uint8Array>;
  /**
   * Keys that seal a subject's sections in the month of `atMs` (null subject: the tenant's own, for everything); synchronous when
   * cached. `keptDays` is what roundKeptDays gives.
   */
  sealKeys(tenant: string, subject: string | null, atMs: number, keptDays?: number): CallKeys | Promise<CallKeys>;
  /** Keys by the reference an entry stores; null when the key was destroyed. */
  sealKeysById(tenant: string, ref: string | null): Promise<SealKeys | null>;
  /** 32 bytes for one purpose (HKDF-SHA-256). Throws `key_missing` unless the tenant was given to openKeyRing or used before. */
  derive(tenant: string, purpose: string): Uint8Array;
  /**
   * Carries out erasures that were recorded and not finished, and drops destroyed keys from memory. A process that serves calls it
   * every 2 seconds; when the database does not answer, all subject keys are dropped before 5 seconds have passed.
   */
  refresh(): Promise<void>;
  /** Whether these keys were in memory when they were found destroyed: nothing may be sealed with them any more. */
  isDestroyed(keys: SealKeys): boolean;
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
  readonly seal: CallKeys;
  readonly derived: Map<string, Buffer>;
}

/** Subjects whose keys are held in memory: one month of this many people without asking the database again; and as many keys by reference. */
const MAX_SUBJECTS = 20_000;
const MAX_PURPOSES = 64;
/** How long a refresh may take, and for how long one may fail until the subject keys are dropped; together below 5 s. */
const REFRESH_MS = 2000;
const STALE_MS = 3000;

/**
 * Erasures are carried out again before anything can be opened: the keystore may have been restored from a copy.
 *
 * @throws {LedgerError} `root_key` when the database was sealed with another root key.
 */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const wrapping = expand(options.rootKey, 'countersign/root/v1\nwrap');
  await checkRootKey(options.sql, options.rootKey);
  await applyErasures(options.sql, 'all');
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
  readonly #subjects = new Map<string, CallKeys>();
  readonly #byRef = new Map<string, SealKeys>();
  readonly #loading = new Map<string, Promise<unknown>>();
  readonly #destroyed = new WeakSet<SealKeys>();
  #erasures = '0';
  /** Rises with every look for destroyed keys: what was read before one is read again. */
  #generation = 0;
  #refreshedMs = performance.now();

  constructor(sql: postgres.Sql, wrapping: Uint8Array) {
    this.#sql = sql;
    this.#wrapping = wrapping;
  }

  tenantKey(tenant: string): Uint8Array | Promise<Uint8Array> {
    return this.#tenants.get(tenant)?.key ?? this.#loadTenant(tenant).then((keys) => keys.key);
  }

  sealKeys(tenant: string, subject: string | null, atMs: number, keptDays = 0): CallKeys | Promise<CallKeys> {
    if (subject === null) return this.#tenants.get(tenant)?.seal ?? this.#loadTenant(tenant).then((keys) => keys.seal);
    const month = monthOf(atMs);
    const name = `${tenant}\n${month}\n${keptDays}\n${subject}`;
    return (
      this.#subjects.get(name) ??
      this.#once(name, () => this.#loadSubject(name, subject, { tenant, month, kept_days: keptDays }))
    );
  }

  async sealKeysById(tenant: string, ref: string | null): Promise<SealKeys | null> {
    const keys = await this.#loadTenant(tenant);
    if (ref === null) return keys.seal.decision;
    const known = this.#byRef.get(`${tenant}\n${ref}`);
    if (known) return known;
    // With the key of the other kind: whoever reads a decision reads its outcome next.
    const load = async (): Promise<SealKeys[]> => {
      const rows = await this.#sql<SubjectRow[]>`
        select o.* from keystore.subject_keys k join keystore.subject_keys o using (tenant, subject, month, kept_days)
        where k.id = ${ref} and k.tenant = ${tenant}`;
      return rows.map((row) => openKey(keys.key, row));
    };
    const read = await this.#loadCurrent(load, (all) => {
      for (const key of all) remember(this.#byRef, `${tenant}\n${key.ref ?? ''}`, key);
    });
    return read.find((key) => key.ref === ref) ?? null;
  }

  isDestroyed(keys: SealKeys): boolean {
    return this.#destroyed.has(keys);
  }

  async refresh(): Promise<void> {
    try {
      const last = await within(REFRESH_MS, applyErasures(this.#sql, 'new'));
      if (last !== this.#erasures) await this.#dropDestroyed();
      this.#erasures = last;
      this.#refreshedMs = performance.now();
    } catch (error) {
      if (performance.now() - this.#refreshedMs > STALE_MS) {
        this.#generation += 1;
        this.#subjects.clear();
        this.#byRef.clear();
      }
      throw error;
    }
  }

  async #dropDestroyed(): Promise<void> {
    this.#generation += 1;
    const held = [
      ...[...this.#subjects].map(([name, { decision, outcome }]) => ({
        in: this.#subjects,
        name,
        keys: [decision, outcome],
      })),
      ...[...this.#byRef].map(([name, key]) => ({ in: this.#byRef, name, keys: [key] })),
    ];
    const refs = [...new Set(held.flatMap(({ keys }) => keys.map(({ ref }) => ref)))].join(',');
    const rows = await this.#sql<{ id: string }[]>`
      select id::text as id from keystore.subject_keys where id = any (string_to_array(${refs}, ',')::bigint[])`;
    const stored = new Set(rows.map(({ id }) => id));
    for (const each of held) {
      const gone = each.keys.filter(({ ref }) => !stored.has(ref ?? ''));
      for (const key of gone) this.#destroyed.add(key);
      if (gone.length > 0) each.in.delete(each.name);
    }
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
      const own = createSealKeys(key, null);
      const seal = { decision: own, outcome: own, keptDays: 0 };
      const keys = { key, seal, derived: new Map<string, Buffer>() };
      this.#tenants.set(tenant, keys);
      return keys;
    });
  }

  async #loadSubject(name: string, subject: string, use: Omit<KeyUse, 'subject' | 'seals'>): Promise<CallKeys> {
    const { key } = await this.#loadTenant(use.tenant);
    const mac = subjectMac(this, use.tenant, subject);
    const load = async (): Promise<CallKeys> => {
      const { decision, outcome } = await storeSubjectKeys(this.#sql, key, { ...use, subject: mac });
      return { decision: openKey(key, decision), outcome: openKey(key, outcome), keptDays: use.kept_days };
    };
    return this.#loadCurrent(load, (keys) => remember(this.#subjects, name, keys));
  }

  /** A key that was read while destroyed ones were looked for may be one of them. `keep` is called in the moment that is ruled out. */
  async #loadCurrent<T>(load: () => Promise<T>, keep: (read: T) => void): Promise<T> {
    for (;;) {
      const generation = this.#generation;
      const read = await load();
      if (generation !== this.#generation) continue;
      keep(read);
      return read;
    }
  }

  /** One load at a time per key: a burst of first calls asks once. */
  #once<T>(name: string, load: () => Promise<T>): Promise<T> {
    const running = this.#loading.get(name) as Promise<T> | undefined;
    if (running) return running;
    const started = load().finally(() => this.#loading.delete(name));
    this.#loading.set(name, started);
    return started;
  }
}

function remember<T>(into: Map<string, T>, name: string, keys: T): void {
  if (into.size >= MAX_SUBJECTS) {
    const oldest = into.keys().next();
    if (oldest.done !== true) into.delete(oldest.value);
  }
  into.set(name, keys);
}

function openKey(tenantKey: Uint8Array, row: SubjectRow): SealKeys {
  return createSealKeys(unwrapKey(tenantKey, row.wrapped, keyName(row)), row.id);
}

/** What a subject is stored as: HMAC-SHA-256 in lower hex, under a key of the tenant, which has to be loaded. */
export function subjectMac(keys: Pick<KeyRing, 'derive'>, tenant: string, subject: string): string {
  return createHmac('sha256', keys.derive(tenant, 'subject-id')).update(subject).digest('hex');
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LedgerError('unavailable', 'expected an answer in time, found none')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
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
