import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sql } from 'postgres';
import { decideApproval } from '../../../approvals/index.ts';
import { grantKey, recordApproval, type GrantResult } from '../../../gateway/access/grant.ts';
import { createKey, listKeys, revokeKey } from '../../../gateway/access/keys.ts';
import { parseToken } from '../../../gateway/access/token.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { keyWish, party, recordingStore, type RecordingStore } from './support.ts';

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createDatabase();
  sql = database.connectGateway();
});
afterAll(() => database.drop());

const ORIGIN = { createdBy: 'key:root', approval: null, exemption: null };
const ROOT = party('key:root', ['key-admin']);

function idOf(result: GrantResult): string {
  return result.outcome === 'pending' ? result.request.id : `created ${result.created.key.id}`;
}

async function approve(store: RecordingStore, id: string, by = party('key:second', ['approver'])): Promise<void> {
  await decideApproval(sql, { id, verdict: 'approve', by, reason: null }, store.now(), recordApproval(store.record));
}

describe('creating a key', () => {
  test('stores a hash, records what it is for, and gives the secret once', async () => {
    const store = recordingStore(sql);
    const { key, token } = await createKey(
      sql,
      store,
      keyWish({ agent: 'bot', models: ['fast'], expiresMs: 5 }),
      ORIGIN,
    );
    const secret = parseToken(token)?.secret ?? '';
    const rows = await sql`select * from access.api_keys where id = ${key.id}`;
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(JSON.stringify(store.events)).not.toContain(secret);
    expect(store.events).toMatchObject([
      {
        kind: 'key',
        tenant: '_deployment',
        facts: { action: 'create', key: key.id, roles: ['caller'], approval: null },
      },
    ]);
    expect((await listKeys(sql, { tenant: 'demo' })).find((found) => found.id === key.id)).toEqual(key);
  });

  test('the budget scope exists before the key', async () => {
    const budget = { dailyNusd: 5n, weeklyNusd: null, monthlyNusd: 9_007_199_254_740_993n };
    const order: string[] = [];
    const store = recordingStore(sql, {
      record: () => Promise.resolve(void order.push('record')),
      setBudget: async (scope) => {
        const [row] = await sql`select 1 from access.api_keys where 'key:' || id = ${scope}`;
        order.push(`budget ${row === undefined ? 'before key' : 'after key'}`);
      },
    });
    const { key } = await createKey(sql, store, keyWish({ budget }), ORIGIN);
    expect(order).toEqual(['record', 'budget before key']);
    expect((await listKeys(sql, { tenant: 'demo' })).find((found) => found.id === key.id)?.budget).toEqual(budget);
  });

  test('without evidence there is no key', async () => {
    const before = (await listKeys(sql, { tenant: null })).length;
    const store = recordingStore(sql, { record: () => Promise.reject(new Error('ledger away')) });
    await expect(createKey(sql, store, keyWish(), ORIGIN)).rejects.toThrow('ledger away');
    await expect(grantKey(store, keyWish({ roles: ['auditor'] }), ROOT)).rejects.toThrow('ledger away');
    expect(await listKeys(sql, { tenant: null })).toHaveLength(before);
  });
});

describe('revoking a key', () => {
  test('is recorded once and cannot be undone', async () => {
    const store = recordingStore(sql);
    const { key } = await createKey(sql, store, keyWish(), ORIGIN);
    const wanted = { id: key.id, tenant: null, by: 'key:root', reason: 'lost' };
    const revoked = await revokeKey(sql, store, wanted);
    expect(revoked).toMatchObject({ revokedBy: 'key:root' });
    expect(await revokeKey(sql, store, { ...wanted, by: 'key:other' })).toEqual(revoked);
    expect(store.events.map((event) => event.facts['action'])).toEqual(['create', 'revoke']);
    await expect(
      sql`update access.api_keys set revoked_ms = null, revoked_by = null where id = ${key.id}`,
    ).rejects.toThrow('stays as it is');
  });

  test('finds only keys of the tenant asked for', async () => {
    const store = recordingStore(sql);
    const { key } = await createKey(sql, store, keyWish(), ORIGIN);
    expect(await revokeKey(sql, store, { id: key.id, tenant: 'other', by: 'x', reason: null })).toBeNull();
    expect(await revokeKey(sql, store, { id: 'aaaaaaaaaaaa', tenant: null, by: 'x', reason: null })).toBeNull();
  });

  test('the gateway role can change nothing else', async () => {
    await expect(sql`update access.api_keys set roles = '{key-admin}'`).rejects.toThrow('permission denied');
    await expect(sql`delete from access.api_keys`).rejects.toThrow('permission denied');
  });
});

describe('granting privileged roles', () => {
  test('the first approver of the deployment is made alone and says so; the second takes an approval', async () => {
    const store = recordingStore(sql);
    const wish = keyWish({ tenant: '_deployment', roles: ['approver'], name: 'first' });
    const first = await grantKey(store, wish, ROOT);
    expect(first.outcome).toBe('created');
    expect(store.events.at(-1)?.facts).toMatchObject({ exemption: 'first-approver' });
    expect((await grantKey(store, { ...wish, name: 'second' }, ROOT)).outcome).toBe('pending');
  });

  test('nobody is the first approver of a tenant, or while tokens can make approvers, or with another role besides', async () => {
    const store = recordingStore(sql, { approversByToken: () => true });
    expect((await grantKey(store, keyWish({ roles: ['approver'] }), ROOT)).outcome).toBe('pending');
    const wish = keyWish({ tenant: '_deployment', roles: ['approver', 'key-admin'] });
    expect((await grantKey(recordingStore(sql), wish, ROOT)).outcome).toBe('pending');
  });

  test.each(['key-admin', 'policy-approver', 'tenant-admin', 'auditor'] as const)(
    '%s takes a second person',
    async (role) => {
      const store = recordingStore(sql);
      const wish = keyWish({ roles: [role], name: `a ${role}` });
      const id = idOf(await grantKey(store, wish, ROOT));
      expect(idOf(await grantKey(store, wish, ROOT))).toBe(id);
      await expect(approve(store, id, { ...ROOT, roles: ['approver'] })).rejects.toMatchObject({ code: 'same_person' });
      await approve(store, id);
      expect((await grantKey(store, { ...wish, name: 'changed' }, ROOT)).outcome).toBe('pending');
      expect((await grantKey(store, wish, party('key:thief', ['key-admin']))).outcome).toBe('pending');
      const created = await grantKey(store, wish, ROOT);
      expect(created).toMatchObject({ outcome: 'created', created: { key: { roles: [role] } } });
      const facts = store.events.map((event) => event.facts);
      expect(facts.at(-2)).toMatchObject({ event: 'consumed', approval: id });
      expect(facts.at(-1)).toMatchObject({ action: 'create', approval: id, exemption: null });
      expect((await grantKey(store, wish, ROOT)).outcome).toBe('pending');
    },
  );

  test('one approval makes one key, also when it is used many times at once', async () => {
    const store = recordingStore(sql);
    const wish = keyWish({ roles: ['tenant-admin'], name: 'raced' });
    await approve(store, idOf(await grantKey(store, wish, ROOT)));
    const results = await Promise.all(Array.from({ length: 5 }, () => grantKey(store, wish, ROOT)));
    expect(results.filter((result) => result.outcome === 'created')).toHaveLength(1);
  });

  test('an approval is not used up when the key cannot be made', async () => {
    const store = recordingStore(sql);
    const wish = keyWish({
      roles: ['tenant-admin'],
      name: 'kept',
      budget: { dailyNusd: 1n, weeklyNusd: null, monthlyNusd: null },
    });
    await approve(store, idOf(await grantKey(store, wish, ROOT)));
    const failing = { ...store, setBudget: () => Promise.reject(new Error('no scope')) };
    await expect(grantKey(failing, wish, ROOT)).rejects.toThrow('no scope');
    expect((await grantKey(store, wish, ROOT)).outcome).toBe('created');
  });

  test('roles that exclude each other are refused', async () => {
    const store = recordingStore(sql);
    await expect(grantKey(store, keyWish({ roles: ['key-admin', 'auditor'] }), ROOT)).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('the bootstrap key needs nobody and says so', async () => {
    const store = recordingStore(sql);
    const result = await grantKey(
      store,
      keyWish({ tenant: '_deployment', roles: ['key-admin'] }),
      party('bootstrap'),
      'bootstrap',
    );
    expect(result).toMatchObject({ outcome: 'created', created: { key: { bootstrap: true } } });
    expect(store.events[0]?.facts).toMatchObject({ exemption: 'bootstrap', approval: null });
  });
});
