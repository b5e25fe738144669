/**
 * The keys of the deployment in memory, so that authenticating costs a hash and a map look-up. A cache that could not be
 * refreshed for too long is not believed, because a key may have been revoked meanwhile.
 */
import { hash } from 'node:crypto';
import type { Sql } from 'postgres';
import { ChangeWatch } from '../change-watch.ts';
import { GatewayError } from '../errors.ts';
import { readChanges, type ApiKey, type StoredKey } from './keys.ts';
import type { Principal } from './principal.ts';
import { parseToken, secretMatches } from './token.ts';

export interface KeyCache {
  /**
   * The principal of a presented token: at once while the cache is fresh, else after a refresh.
   *
   * @throws GatewayError `invalid_api_key`, or `ledger_unavailable` when revocations cannot be known
   */
  verify(token: string): Principal | Promise<Principal>;
  /** Reads what changed; concurrent calls share one read. */
  refresh(): Promise<void>;
  /** Makes all principals anew, after a change of the configuration. */
  rebuild(): void;
  /** Keys that are neither revoked nor of an unknown tenant. */
  readonly size: number;
  close(): Promise<void>;
}

export interface KeyCacheOptions {
  readonly sql: Sql;
  /** Wall clock, unix ms: for expiry. */
  readonly now: () => number;
  /** Monotonic clock, ms: for the age of the cache, which a wall clock set back would hide. */
  readonly clock: () => number;
  /** The principal a key stands for, or null when its tenant is not configured (any more). */
  readonly principalOf: (key: ApiKey) => Principal | null;
  readonly pollMs?: number;
  /** Oldest state that is still believed. With `pollMs` and a notification delay it bounds how long a revoked key works. */
  readonly maxAgeMs?: number;
  /** Called when a refresh fails; the cache goes on trying. */
  readonly onError?: (error: unknown) => void;
}

/** Same text for every way a key can be wrong: which one it was helps only whoever guesses. */
export const INVALID_KEY_MESSAGE =
  'The API key is not valid. Send a current key as "Authorization: Bearer cs_…"; an administrator can create one.';

const CHANNEL = 'countersign_keys';
/** An unknown id may be a key made a moment ago; this is how often such a token may cause a read. */
const UNKNOWN_REFRESH_MS = 200;
const MAX_VERIFIED = 20_000;

interface Entry {
  readonly key: StoredKey;
  readonly principal: Principal | null;
}

/** Loads all keys, then keeps them current until closed. Rejects when the database cannot be read. */
export async function createKeyCache(options: KeyCacheOptions): Promise<KeyCache> {
  const cache = new Cache(options);
  await cache.refresh();
  await cache.start();
  return cache;
}

class Cache implements KeyCache {
  readonly #options: KeyCacheOptions;
  readonly #watch: ChangeWatch;
  readonly #entries = new Map<string, Entry>();
  /** SHA-256 of tokens that were verified once; holds no token. */
  readonly #verified = new Map<string, Entry>();
  #revision = '0';

  constructor(options: KeyCacheOptions) {
    const { sql, clock, pollMs, maxAgeMs } = options;
    const onError = (error: unknown): void => options.onError?.(error);
    this.#options = options;
    const read = (): Promise<void> => this.#read();
    const bounds = { ...(pollMs === undefined ? {} : { pollMs }), ...(maxAgeMs === undefined ? {} : { maxAgeMs }) };
    this.#watch = new ChangeWatch({ sql, channel: CHANNEL, clock, onError, read, ...bounds });
  }

  get size(): number {
    return this.#entries.size;
  }

  verify(token: string): Principal | Promise<Principal> {
    if (!this.#watch.isFresh) return this.#verifyAfterRefresh(token);
    const digest = hash('sha256', token, 'hex');
    const entry = this.#verified.get(digest) ?? this.#find(token, digest);
    if (entry !== null) return this.#admit(entry);
    const unknown = parseToken(token);
    const isCurrent = this.#watch.ageMs < UNKNOWN_REFRESH_MS;
    if (unknown === null || this.#entries.has(unknown.id) || isCurrent) throw invalidKey();
    return this.#verifyAfterRefresh(token);
  }

  #find(token: string, digest: string): Entry | null {
    const parsed = parseToken(token);
    const entry = parsed === null ? undefined : this.#entries.get(parsed.id);
    if (parsed === null || entry === undefined || !secretMatches(parsed.secret, entry.key.secretSha256)) return null;
    if (this.#verified.size >= MAX_VERIFIED) this.#verified.clear();
    this.#verified.set(digest, entry);
    return entry;
  }

  #admit({ key, principal }: Entry): Principal {
    if (key.expiresMs !== null && this.#options.now() >= key.expiresMs) {
      throw new GatewayError('invalid_api_key', 'The API key has expired; an administrator can create a new one.');
    }
    if (principal === null) throw invalidKey();
    return principal;
  }

  async #verifyAfterRefresh(token: string): Promise<Principal> {
    if (!(await this.#watch.refreshed())) {
      throw new GatewayError(
        'ledger_unavailable',
        'Keys cannot be checked at the moment; nothing was sent. Try again.',
      );
    }
    const entry = this.#find(token, hash('sha256', token, 'hex'));
    if (entry === null) throw invalidKey();
    return this.#admit(entry);
  }

  refresh(): Promise<void> {
    return this.#watch.refresh();
  }

  async #read(): Promise<void> {
    let changes: StoredKey[];
    do {
      changes = await readChanges(this.#options.sql, this.#revision);
      for (const key of changes) this.#apply(key);
    } while (changes.length > 0);
  }

  #apply(key: StoredKey): void {
    if (key.revokedMs === null) this.#entries.set(key.id, { key, principal: this.#options.principalOf(key) });
    else this.#entries.delete(key.id);
    this.#verified.clear();
    this.#revision = key.revision;
  }

  rebuild(): void {
    for (const [id, { key }] of this.#entries)
      this.#entries.set(id, { key, principal: this.#options.principalOf(key) });
    this.#verified.clear();
  }

  start(): Promise<void> {
    return this.#watch.start();
  }

  close(): Promise<void> {
    return this.#watch.close();
  }
}

function invalidKey(): GatewayError {
  return new GatewayError('invalid_api_key', INVALID_KEY_MESSAGE);
}
