import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sql } from 'postgres';
import { consumeApproval, decideApproval, listApprovals, requestApproval } from '../../approvals/index.ts';
import type { ApprovalEvent, ApprovalRequest, Party, Wish } from '../../approvals/index.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createDatabase();
  sql = database.connectGateway();
});
afterAll(() => database.drop());

const ALICE: Party = { id: 'idp:alice', credential: 'idp:alice', chain: [], roles: [], tenant: null };
const BOB: Party = { id: 'idp:bob', credential: 'key:bob', chain: [], roles: ['approver'], tenant: null };
const NOW = 1_800_000_000_000;

function wish(name: string, tenant: string | null = null): Wish {
  return { tenant, action: 'keys.create', subject: { name }, approverRoles: ['approver'] };
}

function recorder(): { record: (event: ApprovalEvent, request: ApprovalRequest) => Promise<void>; events: string[] } {
  const events: string[] = [];
  return { events, record: (event, request) => Promise.resolve(void events.push(`${event} ${request.state}`)) };
}

const ask = (of: Wish, record = recorder().record, nowMs = NOW): Promise<ApprovalRequest> =>
  requestApproval(sql, of, ALICE, { nowMs, ttlMs: 60_000, newId: () => randomBytes(16).toString('hex') }, record);
const approve = (id: string, record = recorder().record, by = BOB): Promise<ApprovalRequest> =>
  decideApproval(sql, { id, verdict: 'approve', by, reason: null }, NOW + 1, record);
const use = (of: Wish, record = recorder().record, nowMs = NOW + 2, by = ALICE): Promise<ApprovalRequest | null> =>
  sql.begin((tx) => consumeApproval(tx, of, by, nowMs, record));

describe('asking, deciding and using', () => {
  test('is recorded step by step and works once', async () => {
    const { record, events } = recorder();
    const pending = await ask(wish('once'), record);
    expect(await use(wish('once'), record)).toBeNull();
    await approve(pending.id, record);
    expect(await use(wish('another'), record)).toBeNull();
    expect((await use(wish('once'), record))?.id).toBe(pending.id);
    expect(await use(wish('once'), record)).toBeNull();
    expect(events).toEqual(['requested pending', 'approved approved', 'consumed consumed']);
  });

  test('the same wish of the same requester is one request, also at the same time', async () => {
    const { record, events } = recorder();
    const all = await Promise.all(Array.from({ length: 5 }, () => ask(wish('same'), record)));
    expect(new Set(all.map((request) => request.id)).size).toBe(1);
    expect(events).toEqual(['requested pending']);
  });

  test('an approval belongs to who asked', async () => {
    await approve((await ask(wish('mine'))).id);
    expect(await use(wish('mine'), undefined, NOW + 2, { ...ALICE, id: 'idp:mallory' })).toBeNull();
  });

  test('only one of many simultaneous uses succeeds', async () => {
    await approve((await ask(wish('race'))).id);
    const used = await Promise.all(Array.from({ length: 6 }, () => use(wish('race'))));
    expect(used.filter((request) => request !== null)).toHaveLength(1);
  });

  test('only one of two verdicts counts', async () => {
    const { id } = await ask(wish('verdicts'));
    const results = await Promise.allSettled([approve(id), approve(id)]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('an expired request is asked for anew', async () => {
    const first = await ask(wish('late'));
    const second = await ask(wish('late'), undefined, NOW + 60_000);
    expect(second.id).not.toBe(first.id);
    await expect(approve(first.id)).rejects.toMatchObject({ code: 'expired' });
  });

  test('an approved request that expired is not used', async () => {
    await approve((await ask(wish('slow'))).id);
    expect(await use(wish('slow'), undefined, NOW + 60_000)).toBeNull();
  });

  test('nothing changes when it cannot be recorded', async () => {
    const failing = (): Promise<void> => Promise.reject(new Error('ledger away'));
    await expect(ask(wish('unrecorded'), failing)).rejects.toThrow('ledger away');
    const { id } = await ask(wish('unrecorded'));
    await expect(approve(id, failing)).rejects.toThrow('ledger away');
    expect((await listApprovals(sql, { tenant: null }, NOW)).find((request) => request.id === id)?.state).toBe(
      'pending',
    );
    await approve(id);
    await expect(use(wish('unrecorded'), failing)).rejects.toThrow('ledger away');
    expect(await use(wish('unrecorded'))).not.toBeNull();
  });

  test('a tenant sees and decides only its own', async () => {
    const { id } = await ask(wish('theirs', 'demo'));
    await expect(approve(id, undefined, { ...BOB, tenant: 'other' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(approve('ap-ffffffffffffffffffffffffffffffff')).rejects.toMatchObject({ code: 'not_found' });
    expect((await listApprovals(sql, { tenant: 'demo' }, NOW)).map((request) => request.id)).toEqual([id]);
    expect(await listApprovals(sql, { tenant: 'other' }, NOW)).toEqual([]);
    await approve(id, undefined, { ...BOB, tenant: 'demo' });
  });
});

describe('the database holds the rule too', () => {
  test('the gateway role can neither skip a state nor change what is asked for', async () => {
    const { id } = await ask(wish('guarded'));
    await expect(
      sql`update approvals.requests set state = 'consumed', consumed_ms = 1 where id = ${id}`,
    ).rejects.toThrow();
    await expect(sql`update approvals.requests set subject = '{}' where id = ${id}`).rejects.toThrow(
      'permission denied',
    );
    await expect(sql`delete from approvals.requests where id = ${id}`).rejects.toThrow('permission denied');
    await expect(
      sql`update approvals.requests set state = 'approved', decided_by = 'x', decided_identities = '{idp:alice}' where id = ${id}`,
    ).rejects.toThrow('check');
  });
});
