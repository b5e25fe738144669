import { beforeEach, describe, expect, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  blindIndex,
  eraseKeys,
  exportTenant,
  findPerson,
  openKeyRing,
  readCall,
  verifyFolder,
  verifyLive,
} from '../../../ledger/index.ts';
import type { ErasureOrder, Found, Person, VerifyReport } from '../../../ledger/index.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem, TEST_ROOT_KEY } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let folder: string;

beforeEach(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  await fixture.keys.tenantKey('demo');
  folder = mkdtempSync(join(tmpdir(), 'erasure-'));
  return async () => {
    await fixture.ledger.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  };
});

const ADA: Person = { subject: 'user:ada' };

async function call(subject: string, named: string[] = []): Promise<string> {
  const id = newCall();
  const { keys, ledger } = fixture;
  const index = blindIndex(
    keys,
    'demo',
    named.map((value) => ({ type: 'EMAIL_ADDRESS', value })),
  );
  const findings = { found: named.length === 0 ? [] : [{ type: 'EMAIL_ADDRESS', count: named.length }], index };
  const { sections } = decisionItem(id);
  await ledger.append(decisionItem(id, { subject, sections: { ...sections, findings } }));
  await ledger.append(outcomeItem(id, 0n, { subject }));
  return id;
}

/** Entries about the person, and all that its key seals, by what that is. */
function byKind({ keys }: Found): Record<string, number[]> {
  return Object.fromEntries(keys.map(({ seals, matches, entries }) => [seals, [matches, entries]]));
}

async function order(person: Person): Promise<ErasureOrder> {
  const found = await findPerson(fixture.sql, fixture.keys, 'demo', person);
  return {
    tenant: 'demo',
    scope: found.scope,
    basis: 'gdpr-17-1-b',
    keys: found.keys.map(({ key }) => key),
    facts: { approval: 'ap-test', approvers: 2 },
    detail: { person: found.mac, by: 'a', approved_by: 'b', reason: 'asked for it' },
  };
}

async function erase(person: Person): Promise<ErasureOrder> {
  const wanted = await order(person);
  await fixture.sql.begin((tx) => eraseKeys(tx, fixture, wanted));
  await fixture.keys.refresh();
  return wanted;
}

async function verify(): Promise<VerifyReport> {
  return verifyLive(database.connectAdmin(2), await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY }));
}

async function sectionsOf(id: string): Promise<string[]> {
  const record = await readCall(fixture.sql, fixture.keys, 'demo', id);
  return Object.keys(record?.decision?.sections ?? {});
}

describe('finding', () => {
  test('what a subject called, by key and month', async () => {
    await call('user:ada');
    await call('user:ada');
    await call('user:bob');
    const found = await findPerson(fixture.sql, fixture.keys, 'demo', ADA);
    expect(found).toMatchObject({ scope: 'subject', matches: 4, unknown: 0 });
    expect(byKind(found)).toEqual({ decision: [2, 2], outcome: [2, 2] });
    expect(found.entries.map(({ seq, kind }) => [seq, kind])).toEqual([
      [0, 'decision'],
      [1, 'outcome'],
      [2, 'decision'],
      [3, 'outcome'],
    ]);
    expect(JSON.stringify(found)).not.toContain('user:ada');
  });

  test('whoever a content names, and what else the same keys seal', async () => {
    const one = await call('user:ada', ['eve@example.com', 'joe@example.com']);
    await call('user:ada');
    await call('user:bob', ['joe@example.com']);
    const person = { named: { type: 'EMAIL_ADDRESS', value: 'eve@example.com' } };
    const found = await findPerson(fixture.sql, fixture.keys, 'demo', person);
    expect(found).toMatchObject({ scope: 'finding', matches: 1, unknown: 0 });
    // The answer to a request that names somebody goes with it.
    expect(byKind(found)).toEqual({ decision: [1, 2], outcome: [0, 2] });
    expect(found.entries).toMatchObject([{ call: one, kind: 'decision' }]);
    const other = { named: { type: 'PERSON', value: 'eve@example.com' } };
    expect(await findPerson(fixture.sql, fixture.keys, 'demo', other)).toMatchObject({ keys: [], matches: 0 });
  });

  test('another spelling of a name is the same person', async () => {
    const index = blindIndex(fixture.keys, 'demo', [{ type: 'PERSON', value: 'Ｊane  DOE' }]);
    const findings = { found: [{ type: 'PERSON' }], index };
    await fixture.ledger.append(decisionItem(newCall(), { sections: { ...decisionItem('x').sections, findings } }));
    const person = { named: { type: 'PERSON', value: ' Jane Doe\n' } };
    expect(await findPerson(fixture.sql, fixture.keys, 'demo', person)).toMatchObject({ matches: 1, unknown: 0 });
  });

  test('an entry with findings but without an index is counted as unknown', async () => {
    await fixture.ledger.append(
      decisionItem(newCall(), {
        sections: { ...decisionItem('x').sections, findings: { found: [{ type: 'EMAIL_ADDRESS' }] } },
      }),
    );
    const person = { named: { type: 'EMAIL_ADDRESS', value: 'eve@example.com' } };
    expect(await findPerson(fixture.sql, fixture.keys, 'demo', person)).toMatchObject({ matches: 0, unknown: 1 });
  });

  test('an index is cut at its limit and says so', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ type: 'X', value: String(index) }));
    const index = blindIndex(fixture.keys, 'demo', many) as { values: string[]; more: boolean };
    expect([index.values.length, index.more]).toEqual([4096, true]);
    expect(blindIndex(fixture.keys, 'demo', [])).toBeNull();
  });
});

describe('erasing', () => {
  test('destroys the key by an entry that names it; facts, order and the others stay', async () => {
    const gone = await call('user:ada', ['eve@example.com']);
    const kept = await call('user:bob');
    const { keys } = await erase(ADA);
    expect(await sectionsOf(gone)).toEqual(['facts']);
    expect(await sectionsOf(kept)).toContain('content');
    const [entry] = await fixture.sql<{ facts: string; detail: string }[]>`
      select facts from ledger.entries where kind = 'erasure'`;
    expect(JSON.parse(entry?.facts ?? '')).toMatchObject({
      scope: 'subject',
      basis: 'gdpr-17-1-b',
      keys: keys.toSorted(),
      approvers: 2,
    });
    expect(entry?.facts).not.toContain('user:ada');
    const report = await verify();
    expect(report).toMatchObject({ verdict: 'UNANCHORED', erased: 2, firstBad: null });
    expect(report.notProven.join('\n')).toContain('2 entries were erased');
    expect(await findPerson(fixture.sql, fixture.keys, 'demo', ADA)).toMatchObject({ keys: [], matches: 0 });
  });

  test('an entry sealed afterwards gets a fresh key, also the outcome of a call that was open', async () => {
    const open = newCall();
    await fixture.ledger.append(decisionItem(open));
    const gone = (await erase(ADA)).keys;
    expect(gone).toHaveLength(2);
    await fixture.ledger.append(outcomeItem(open, 0n));
    const later = await call('user:ada');
    const refs = await fixture.sql<{ key: string }[]>`
      select distinct key::text as key from ledger.entries where kind in ('decision', 'outcome')`;
    expect(refs).toHaveLength(3);
    const record = await readCall(fixture.sql, fixture.keys, 'demo', open);
    expect([Object.keys(record?.decision?.sections ?? {}), record?.outcome?.sections['outcome']]).toEqual([
      ['facts'],
      { finish_reason: 'stop' },
    ]);
    expect(await sectionsOf(later)).toContain('content');
    const found = await findPerson(fixture.sql, fixture.keys, 'demo', ADA);
    expect(found.keys.filter(({ key }) => gone.includes(key))).toEqual([]);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', erased: 1 });
  });

  test('other processes drop the key when they look the next time', async () => {
    const id = await call('user:ada');
    const other = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY, tenants: ['demo'] });
    const before = await other.sealKeys('demo', 'user:ada', Date.now());
    await fixture.sql.begin(async (tx) => eraseKeys(tx, fixture, await order(ADA)));
    expect(other.isDestroyed(before.decision)).toBe(false);
    await other.refresh();
    expect([other.isDestroyed(before.decision), other.isDestroyed(before.outcome)]).toEqual([true, true]);
    const after = await other.sealKeys('demo', 'user:ada', Date.now());
    expect(after.decision.ref).not.toBe(before.decision.ref);
    const record = await readCall(fixture.sql, other, 'demo', id);
    expect(Object.keys(record?.decision?.sections ?? {})).toEqual(['facts']);
  });

  test('an erasure whose process died before it destroyed anything is finished by whoever looks next', async () => {
    const id = await call('user:ada');
    const wanted = await order(ADA);
    // The entry is durable although the transaction around it is rolled back.
    const died = fixture.sql.begin(async (tx) => {
      await eraseKeys(tx, fixture, wanted);
      throw new Error('killed');
    });
    await expect(died).rejects.toThrow('killed');
    expect(await fixture.sql`select id from keystore.subject_keys`).toHaveLength(2);
    const report = await verifyLive(database.connectAdmin(2), fixture.keys);
    expect(report.firstBad).toMatchObject({ problem: expect.stringContaining('the keystore holds it') as string });
    await fixture.keys.refresh();
    expect(await sectionsOf(id)).toEqual(['facts']);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', erased: 2 });
  });

  test('keys that are gone already, or belong to another tenant, cannot be named', async () => {
    await call('user:ada');
    const wanted = await erase(ADA);
    const again = fixture.sql.begin((tx) => eraseKeys(tx, fixture, wanted));
    await expect(again).rejects.toMatchObject({ code: 'not_found' });
    await fixture.ledger.append(decisionItem(newCall(), { tenant: 'other', open: false }));
    const [row] = await fixture.sql<
      { id: string }[]
    >`select id::text as id from keystore.subject_keys where tenant = 'other'`;
    const foreign = { ...wanted, keys: [row?.id ?? ''] };
    await expect(fixture.sql.begin((tx) => eraseKeys(tx, fixture, foreign))).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('the gateway cannot destroy a key without an entry', async () => {
    await expect(fixture.sql`delete from keystore.subject_keys`).rejects.toMatchObject({ code: '42501' });
    await expect(fixture.sql`delete from keystore.erasures`).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a restore', () => {
  test('of the keystore alone is undone before anything can be opened', async () => {
    const id = await call('user:ada');
    const admin = database.connectAdmin(1);
    const copy = await admin`select * from keystore.subject_keys`;
    await erase(ADA);
    await admin`insert into keystore.subject_keys ${admin(copy)}`;
    expect(await verifyLive(admin, fixture.keys)).toMatchObject({
      verdict: 'TAMPERED',
      firstBad: { seq: 2, problem: expect.stringContaining('undone by a restore') as string },
    });
    const ring = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY });
    expect(await admin`select id from keystore.subject_keys`).toHaveLength(0);
    const record = await readCall(fixture.sql, ring, 'demo', id);
    expect(Object.keys(record?.decision?.sections ?? {})).toEqual(['facts']);
  });

  test('a reference is never used a second time', async () => {
    await call('user:ada');
    const admin = database.connectAdmin(1);
    const { keys } = await erase(ADA);
    for (let index = 0; index < 20; index += 1)
      await fixture.keys.sealKeys('demo', `user:${String(index)}`, Date.now());
    const rows = await admin<{ id: string }[]>`select id::text as id from keystore.subject_keys`;
    expect(rows.filter(({ id }) => keys.includes(id))).toEqual([]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(40);
  });
});

describe('attacks', () => {
  test('a key deleted by an owner, without an erasure entry, is detected at the first entry it sealed', async () => {
    await call('user:bob');
    await call('user:ada');
    const admin = database.connectAdmin(1);
    await findPerson(fixture.sql, fixture.keys, 'demo', ADA).then(
      ({ keys }) => admin`delete from keystore.subject_keys where id = ${keys[0]?.key ?? ''}`,
    );
    // The process that looks still holds the key in memory: the keystore is what counts.
    const report = await verifyLive(admin, fixture.keys);
    expect(report).toMatchObject({
      verdict: 'TAMPERED',
      erased: 0,
      firstBad: { tenant: 'demo', seq: 2, problem: expect.stringContaining('no erasure entry names it') as string },
    });
    expect(await verify()).toMatchObject({ verdict: 'TAMPERED', firstBad: { seq: 2 } });
  });

  test('an entry that is pointed at a destroyed key does not become an erased one', async () => {
    await call('user:ada');
    const { keys } = await erase(ADA);
    await call('user:bob');
    const admin = database.connectAdmin(1);
    for (const seq of [3, 2]) {
      await admin.begin(async (tx) => {
        await tx`set local session_replication_role = replica`;
        await tx.unsafe('alter table ledger.entries disable trigger all');
        await tx`update ledger.entries set key = ${keys[0] ?? ''} where seq = ${seq}
          and log = (select log from ledger.logs where tenant = 'demo')`;
      });
      // A decision, and the erasure's own entry, which the tenant's key seals.
      expect(await verify()).toMatchObject({
        verdict: 'TAMPERED',
        firstBad: { seq, problem: expect.stringContaining('not the one its facts say') as string },
      });
    }
  });

  test('an erasure of one key does not cover another', async () => {
    await call('user:ada');
    await call('user:bob');
    await erase(ADA);
    await database.connectAdmin(1)`delete from keystore.subject_keys`;
    expect(await verify()).toMatchObject({ verdict: 'TAMPERED', firstBad: { seq: 2 } });
  });
});

describe('an export', () => {
  let report: VerifyReport;
  const lines = (log: string): string => join(folder, 'out', 'logs', log, 'entries.jsonl');

  test('says which entries are erased, and a verifier finds the order for them', async () => {
    await call('user:ada');
    await call('user:bob');
    await erase(ADA);
    const { sql } = fixture;
    const keys = await openKeyRing({ sql, rootKey: TEST_ROOT_KEY });
    const result = await exportTenant(sql, keys, { tenant: 'demo', dir: join(folder, 'out') });
    expect(result.erased).toBe(2);
    report = await verifyFolder(join(folder, 'out'));
    expect(report).toMatchObject({ verdict: 'UNANCHORED', erased: 2 });
    const path = lines(result.log);
    const text = readFileSync(path, 'utf8');
    expect(text.split('\n').filter((line) => line.startsWith('{"erased":"'))).toHaveLength(2);
    // Another key than the one that sealed it; and an entry that is hidden as if it were erased.
    const hidden = text.replace(/\n\{"hash"/, `\n${/^\{"erased":"\d+",/.exec(text)?.[0] ?? ''}"hash"`);
    for (const changed of [text.replace(/^\{"erased":"\d+"/, '{"erased":"77"'), hidden]) {
      writeFileSync(path, changed);
      expect(await verifyFolder(join(folder, 'out'))).toMatchObject({
        verdict: 'TAMPERED',
        firstBad: { problem: expect.stringContaining('not the one its facts say') as string },
      });
    }
    writeFileSync(path, text.replace(/^\{"erased":"\d+"/, '{"erased":"x"'));
    expect(await verifyFolder(join(folder, 'out'))).toMatchObject({ verdict: 'TAMPERED', firstBad: { seq: 0 } });
  });
});
