import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sql } from 'postgres';
import { createKeyCache, type KeyCache } from '../../../gateway/access/key-cache.ts';
import { createKey, revokeKey, type ApiKey } from '../../../gateway/access/keys.ts';
import type { Principal } from '../../../gateway/access/principal.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { keyWish, recordingStore } from './support.ts';

let database: TestDatabase;
let sql: Sql;
const caches: KeyCache[] = [];
beforeAll(async () => {
  database = await createDatabase();
  sql = database.connectGateway();
});
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.close()));
});
afterAll(() => database.drop());

const ORIGIN = { createdBy: 'key:root', approval: null, exemption: null };

function principalOf(key: ApiKey): Principal | null {
  if (key.tenant === 'gone') return null;
  return {
    tenant: key.tenant,
    type: 'service',
    id: `key:${key.id}`,
    credential: 'api_key',
    keyId: key.id,
    roles: key.roles,
    groups: key.groups,
    actors: [],
    agent: null,
    models: key.models,
    claims: {},
    assurance: null,
    budgetScopes: [],
  };
}

async function open(over: Partial<Parameters<typeof createKeyCache>[0]> = {}): Promise<KeyCache> {
  const cache = await createKeyCache({ sql, now: Date.now, clock: () => performance.now(), principalOf, ...over });
  caches.push(cache);
  return cache;
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unexpected';
  }
}

const create = (wish = keyWish()): ReturnType<typeof createKey> => createKey(sql, recordingStore(sql), wish, ORIGIN);
const revoke = (id: string): Promise<unknown> =>
  revokeKey(sql, recordingStore(sql), { id, tenant: null, by: 'x', reason: null });

describe('a fresh cache', () => {
  test('answers synchronously for known keys, first time and later', async () => {
    const { key, token } = await create();
    const cache = await open();
    expect(cache.verify(token)).toMatchObject({ id: `key:${key.id}`, tenant: 'demo' });
    expect(cache.verify(token)).toBe(cache.verify(token));
  });

  test('refuses wrong secrets, other ids, and keys of tenants that are gone', async () => {
    const { token } = await create();
    const gone = await create(keyWish({ tenant: 'gone' }));
    const cache = await open();
    const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    for (const bad of [wrong, `cs_aaaaaaaaaaaa_${'b'.repeat(43)}`, gone.token, 'cs_', `${token}x`]) {
      expect(await codeOf(() => cache.verify(bad))).toBe('invalid_api_key');
    }
    expect(cache.verify(token)).toBeDefined();
  });

  test('refuses an expired key from its moment on', async () => {
    let nowMs = 1000;
    const { token } = await create(keyWish({ expiresMs: 2000 }));
    const cache = await open({ now: () => nowMs });
    expect(await codeOf(() => cache.verify(token))).toBe('accepted');
    nowMs = 2000;
    expect(await codeOf(() => cache.verify(token))).toBe('invalid_api_key');
  });
});

describe('changes elsewhere', () => {
  test('a key made by another process works at once, a revoked one stops by notification', async () => {
    const other = await open({ pollMs: 3_600_000, maxAgeMs: 3_600_000 });
    const { key, token } = await create();
    await vi.waitFor(async () => expect(await codeOf(() => other.verify(token))).toBe('accepted'));
    await revoke(key.id);
    await vi.waitFor(async () => expect(await codeOf(() => other.verify(token))).toBe('invalid_api_key'));
  });

  test('a lost notification is made up for by polling', async () => {
    const deaf: Sql = Object.assign((...args: Parameters<Sql>) => sql(...args), sql, {
      listen: () => Promise.resolve({ state: {}, unlisten: () => Promise.resolve() }),
    }) as unknown as Sql;
    const cache = await open({ sql: deaf, pollMs: 50 });
    const { key, token } = await create();
    await vi.waitFor(async () => expect(await codeOf(() => cache.verify(token))).toBe('accepted'));
    await revoke(key.id);
    await vi.waitFor(async () => expect(await codeOf(() => cache.verify(token))).toBe('invalid_api_key'));
  });

  test('changes committed out of order are all seen', async () => {
    const cache = await open();
    const created = await Promise.all(Array.from({ length: 30 }, () => create()));
    await cache.refresh();
    for (const { token } of created) expect(await codeOf(() => cache.verify(token))).toBe('accepted');
    await Promise.all(created.map(({ key }) => revoke(key.id)));
    await cache.refresh();
    for (const { token } of created) expect(await codeOf(() => cache.verify(token))).toBe('invalid_api_key');
  });

  test('rebuild makes principals anew', async () => {
    const { token } = await create();
    let known = true;
    const cache = await open({ principalOf: (key) => (known ? principalOf(key) : null) });
    expect(await codeOf(() => cache.verify(token))).toBe('accepted');
    known = false;
    cache.rebuild();
    expect(await codeOf(() => cache.verify(token))).toBe('invalid_api_key');
  });
});

describe('a cache that cannot be refreshed', () => {
  test('is not believed: unavailable, never invalid', async () => {
    const { token } = await create();
    const admin = database.connectAdmin(1);
    let clockMs = 0;
    const cache = await open({ clock: () => clockMs, pollMs: 3_600_000 });
    await admin`revoke select on access.api_keys from cs_gateway`;
    clockMs = 3000;
    expect(await codeOf(() => cache.verify(token))).toBe('accepted');
    clockMs = 4000;
    expect(await codeOf(() => cache.verify(token))).toBe('ledger_unavailable');
    await admin`grant select on access.api_keys to cs_gateway`;
    expect(await codeOf(() => cache.verify(token))).toBe('accepted');
  });
});
