/** Retention by kind of entry, and by what policies want kept; with the notary, so that exports verify as they would elsewhere. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  addHold,
  enforceRetention,
  exportTenant,
  findPrunable,
  openKeyRing,
  pruneBodies,
  readCall,
  readTrust,
  releaseHold,
  verifyFolder,
  verifyLive,
} from '../../../ledger/index.ts';
import type { KeyRing, Retention, VerifyReport } from '../../../ledger/index.ts';
import { subjectMac } from '../../../ledger/keyring.ts';
import { createSealKeys } from '../../../ledger/seal.ts';
import { wrapKey } from '../../../ledger/wrap.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem, TEST_ROOT_KEY } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { closeEpoch, createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

const DAY_MS = 86_400_000;
const TODAY = Date.now();

let database: TestDatabase;
let admin: Sql;
let fixture: LedgerFixture;
let notary: TestNotary;
let folder: string;
/** The clock of the process that writes: its calls are of so long ago. */
let nowMs = TODAY;
/** What the ledger seals with instead of the keys of its ring. */
let sealWith: KeyRing['sealKeys'] | null = null;

beforeEach(async () => {
  database = await createDatabase();
  admin = database.connectAdmin(2);
  [nowMs, sealWith] = [TODAY, null];
  const ring = await openKeyRing({ sql: database.connectGateway(2), rootKey: TEST_ROOT_KEY });
  const keys = new Proxy(ring, {
    get(target, name: keyof KeyRing) {
      if (name === 'sealKeys' && sealWith !== null) return sealWith;
      const value: unknown = target[name];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  fixture = { ...(await openTestLedger(database, { now: () => nowMs, keys })), keys: ring };
  await ring.tenantKey('demo');
  notary = createTestNotary(database);
  folder = mkdtempSync(join(tmpdir(), 'retention-'));
  return async () => {
    await fixture.ledger.close();
    await notary.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  };
});

/** A call of so many days ago. */
async function call(daysAgo: number, subject = 'user:ada', keptDays = 0, keptAnswerDays = keptDays): Promise<string> {
  const id = newCall();
  nowMs = TODAY - daysAgo * DAY_MS;
  await fixture.ledger.append(decisionItem(id, { subject, keptDays }));
  await fixture.ledger.append(outcomeItem(id, 0n, { subject, keptDays: keptAnswerDays }));
  nowMs = TODAY;
  return id;
}

async function retain(decisionDays: number | null, outcomeDays: number | null): Promise<number> {
  const retention: Retention = { tenant: 'demo', decisionDays, outcomeDays };
  const destroyed = await enforceRetention({ ...fixture, now: () => TODAY }, retention);
  await fixture.keys.refresh();
  return destroyed;
}

/** What of a call can be read. */
async function readable(id: string): Promise<{ decision: boolean; outcome: boolean }> {
  const record = await readCall(fixture.sql, fixture.keys, 'demo', id);
  const { decision, outcome } = record ?? {};
  return { decision: decision?.sections['request'] !== undefined, outcome: outcome?.sections['outcome'] !== undefined };
}
const BOTH = { decision: true, outcome: true };
const NEITHER = { decision: false, outcome: false };

async function verify(): Promise<VerifyReport> {
  return verifyLive(admin, await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY }));
}

/** As a reader who kept the checkpoint over it. */
async function verifyExport(name: string): Promise<VerifyReport> {
  const { published } = await closeEpoch(fixture, notary);
  const dir = join(folder, name);
  const keys = await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY });
  await exportTenant(fixture.sql, keys, { tenant: 'demo', dir });
  const policy = `log ${published?.vkey ?? ''}\nquorum none\n`;
  return verifyFolder(dir, readTrust({ policy, checkpoints: published?.note ?? null }));
}

async function orders(): Promise<Record<string, unknown>[]> {
  const rows = await admin<{ facts: string }[]>`
    select facts from ledger.entries where kind = 'erasure' order by seq`;
  return rows.map(({ facts }) => JSON.parse(facts) as Record<string, unknown>);
}

describe('by kind', () => {
  test('decisions are erased before outcomes; the order says which, and both verify', async () => {
    const old = await call(200);
    const recent = await call(20);
    expect(await retain(90, 400)).toBe(1);
    expect([await readable(old), await readable(recent)]).toEqual([{ decision: false, outcome: true }, BOTH]);
    expect(await orders()).toMatchObject([
      { scope: 'retention', basis: 'retention', seals: 'decision', content_days: 90, kept_days: 0 },
    ]);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 1 });
    expect(await verifyExport('first')).toMatchObject({ verdict: 'VALID_WITH_ERASURES', firstBad: null, erased: 1 });

    expect(await retain(90, 100)).toBe(1);
    expect([await readable(old), await readable(recent)]).toEqual([NEITHER, BOTH]);
    expect((await orders())[1]).toMatchObject({ seals: 'outcome', content_days: 100 });
    expect(await verifyExport('second')).toMatchObject({ verdict: 'VALID_WITH_ERASURES', firstBad: null, erased: 2 });
    expect(await retain(90, 100)).toBe(0);
  });

  test('outcomes can go first, and a kind without a time stays', async () => {
    const id = await call(200);
    expect(await retain(null, 90)).toBe(1);
    expect(await readable(id)).toEqual({ decision: true, outcome: false });
    expect(await retain(null, null)).toBe(0);
  });

  test('what is erased is pruned, and the other kind is left alone', async () => {
    const id = await call(200);
    await retain(90, 400);
    const options = { ...fixture, now: () => TODAY };
    const retention = { tenant: 'demo', decisionDays: 90, outcomeDays: 400 };
    expect(await pruneBodies(options, retention, await findPrunable(options, retention))).toBe(1);
    const rows = await admin<{ kind: string }[]>`
      select kind from ledger.entries where call = ${id} and sealed is not null`;
    expect(rows).toEqual([{ kind: 'outcome' }]);
    expect(await readable(id)).toEqual({ decision: false, outcome: true });
    expect(await verifyExport('pruned')).toMatchObject({
      verdict: 'VALID_WITH_ERASURES',
      firstBad: null,
      erased: 1,
      pruned: 1,
    });
  });

  test('a hold keeps both, a restore of the keystore brings neither back', async () => {
    const [ada, bob] = [await call(200, 'user:ada'), await call(200, 'user:bob')];
    const hold = await fixture.sql.begin((tx) =>
      addHold(tx, fixture, { tenant: 'demo', subject: 'user:ada', by: 'a', reason: 'case 1' }),
    );
    const copy = await admin`select * from keystore.subject_keys`;
    expect(await retain(90, 150)).toBe(2);
    expect([await readable(ada), await readable(bob)]).toEqual([BOTH, NEITHER]);
    await fixture.sql.begin((tx) =>
      releaseHold(tx, fixture, { tenant: 'demo', hold, by: 'a', approvedBy: 'b', approval: 'ap', reason: 'over' }),
    );
    expect(await retain(90, 400)).toBe(1);
    await admin`insert into keystore.subject_keys ${admin(copy)} on conflict do nothing`;
    fixture = { ...fixture, keys: await openKeyRing({ sql: fixture.sql, rootKey: TEST_ROOT_KEY }) };
    expect([await readable(ada), await readable(bob)]).toEqual([{ decision: false, outcome: true }, NEITHER]);
    expect(await verify()).toMatchObject({ verdict: 'UNANCHORED', firstBad: null, erased: 3 });
  });

  test('a key of both kinds, from before there were two, is read, and goes when the longer time is over', async () => {
    sealWith = await shared('user:ada', 200);
    const id = await call(200);
    sealWith = null;
    expect(await readable(id)).toEqual(BOTH);
    expect(await retain(90, 400)).toBe(0);
    expect(await retain(90, null)).toBe(0);
    expect(await readable(id)).toEqual(BOTH);
    expect(await retain(90, 150)).toBe(1);
    expect(await readable(id)).toEqual(NEITHER);
    expect(await orders()).toMatchObject([{ seals: 'call', content_days: 150 }]);
    expect(await verifyExport('shared')).toMatchObject({ verdict: 'VALID_WITH_ERASURES', firstBad: null, erased: 2 });
  });
});

/** A key as it was made before there were two kinds, in the caller's month. */
async function shared(subject: string, daysAgo: number): Promise<KeyRing['sealKeys']> {
  const month = new Date(TODAY - daysAgo * DAY_MS).toISOString().slice(0, 7);
  const mac = subjectMac(fixture.keys, 'demo', subject);
  const key = randomBytes(32);
  const wrapped = wrapKey(await fixture.keys.tenantKey('demo'), key, ['subject', 'demo', mac, month]);
  const [row] = await fixture.sql<{ id: string }[]>`
    insert into keystore.subject_keys (tenant, subject, month, wrapped) values ('demo', ${mac}, ${month}, ${wrapped})
    returning id::text as id`;
  const seal = createSealKeys(key, row?.id ?? null);
  return () => ({ decision: seal, outcome: seal, keptDays: 0 });
}

describe('by what policies want kept', () => {
  test('a call is kept for the longer of the two times', async () => {
    const plain = await call(200);
    const longer = await call(200, 'user:ada', 300);
    const shorter = await call(200, 'user:ada', 20);
    expect(await retain(90, 90)).toBe(4);
    expect([await readable(plain), await readable(longer), await readable(shorter)]).toEqual([NEITHER, BOTH, NEITHER]);
    expect(await orders()).toMatchObject([
      { seals: 'decision', kept_days: 0, content_days: 90 },
      { seals: 'decision', kept_days: 30, content_days: 90 },
      { seals: 'outcome', kept_days: 0, content_days: 90 },
      { seals: 'outcome', kept_days: 30, content_days: 90 },
    ]);
    const older = await call(500, 'user:ada', 300);
    expect(await retain(90, 90)).toBe(2);
    expect([await readable(older), await readable(longer)]).toEqual([NEITHER, BOTH]);
    expect((await orders()).at(-1)).toMatchObject({ kept_days: 366, content_days: 366 });
    expect(await verifyExport('kept')).toMatchObject({ verdict: 'VALID_WITH_ERASURES', firstBad: null, erased: 6 });
  });

  test('an answer is kept as long as its request, and longer when that is asked for', async () => {
    const request = await call(200, 'user:ada', 300, 0);
    const answer = await call(200, 'user:ada', 0, 300);
    await retain(90, 90);
    expect([await readable(request), await readable(answer)]).toEqual([BOTH, { decision: false, outcome: true }]);
  });

  test('an answer whose longer key cannot be had is recorded all the same, and kept as long as its request', async () => {
    const id = newCall();
    await fixture.ledger.append(decisionItem(id));
    const slow = newCall();
    await fixture.ledger.append(decisionItem(slow));
    sealWith = () => Promise.reject(new Error('the database is away'));
    await fixture.ledger.append(outcomeItem(id, 0n, { keptDays: 300 }));
    sealWith = () => new Promise(() => undefined);
    await fixture.ledger.append(outcomeItem(slow, 0n, { keptDays: 300 }));
    expect([await readable(id), await readable(slow)]).toEqual([BOTH, BOTH]);
    const rows = await admin`select kept_days from keystore.subject_keys where kept_days > 0`;
    expect(rows).toEqual([]);
  });

  test('however many times are asked for, a caller has few keys', async () => {
    for (let days = 1; days < 40; days += 1) await call(0, 'user:ada', days * 97);
    const [row] = await admin<{ keys: number }[]>`select count(*)::integer as keys from keystore.subject_keys`;
    expect(row?.keys).toBeLessThanOrEqual(24);
  });
});
