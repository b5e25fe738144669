import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  addHold,
  enforceRetention,
  eraseKeys,
  findPerson,
  readHolds,
  releaseHold,
  verifyLive,
} from '../../../ledger/index.ts';
import type { ErasureOrder } from '../../../ledger/index.ts';
import { decisionItem, newCall, openTestLedger, outcomeItem } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

const DAY_MS = 86_400_000;
let database: TestDatabase;
let fixture: LedgerFixture;
/** The clock of the process that writes: keys are of its month. */
let nowMs = Date.now();

beforeAll(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database, { now: () => nowMs });
  await fixture.keys.tenantKey('demo');
});
afterAll(async () => {
  expect((await verifyLive(database.connectAdmin(1), fixture.keys)).firstBad).toBeNull();
  await fixture.ledger.close();
  await database.drop();
});

async function call(subject: string): Promise<void> {
  const id = newCall();
  await fixture.ledger.append(decisionItem(id, { subject }));
  await fixture.ledger.append(outcomeItem(id, 0n, { subject }));
}

async function order(subject: string): Promise<ErasureOrder> {
  const { keys, scope } = await findPerson(fixture.sql, fixture.keys, 'demo', { subject });
  const named = keys.map(({ key }) => key);
  return { tenant: 'demo', scope, basis: 'other', keys: named, facts: {}, detail: {} };
}

const erase = async (subject: string): Promise<unknown> => {
  const wanted = await order(subject);
  return fixture.sql.begin((tx) => eraseKeys(tx, fixture, wanted));
};
const hold = (subject: string | null): Promise<string> =>
  fixture.sql.begin((tx) => addHold(tx, fixture, { tenant: 'demo', subject, by: 'user:a', reason: 'case 1' }));
const release = (id: string): Promise<unknown> =>
  fixture.sql.begin((tx) =>
    releaseHold(tx, fixture, { tenant: 'demo', hold: id, by: 'a', approvedBy: 'b', approval: 'ap-1', reason: 'over' }),
  );
const retain = (contentDays: number): Promise<number> =>
  enforceRetention(
    { ...fixture, now: () => nowMs },
    { tenant: 'demo', decisionDays: contentDays, outcomeDays: contentDays },
  );

test('a hold on a subject blocks its erasure, not that of others, until it is released', async () => {
  await call('user:ada');
  await call('user:bob');
  const id = await hold('user:ada');
  await expect(erase('user:ada')).rejects.toMatchObject({
    code: 'held',
    message: expect.stringContaining(id) as string,
  });
  await erase('user:bob');
  expect(await readHolds(fixture.sql, fixture.keys, 'demo')).toMatchObject([{ id, scope: 'subject', by: 'user:a' }]);
  const rows = await fixture.sql<{ facts: string }[]>`select facts from ledger.entries where kind = 'hold'`;
  expect(JSON.stringify(rows)).not.toContain('user:ada');
  await release(id);
  expect(await readHolds(fixture.sql, fixture.keys, 'demo')).toEqual([]);
  await expect(release(id)).rejects.toMatchObject({ code: 'not_found' });
  await erase('user:ada');
});

test('a hold on the tenant blocks everything', async () => {
  await call('user:cyd');
  const id = await hold(null);
  await expect(erase('user:cyd')).rejects.toMatchObject({ code: 'held' });
  await release(id);
  await erase('user:cyd');
});

test('a hold that is placed while an erasure runs comes before or after it, never in between', async () => {
  await call('user:dan');
  const wanted = await order('user:dan');
  const [erased, held] = await Promise.allSettled([
    fixture.sql.begin((tx) => eraseKeys(tx, fixture, wanted)),
    hold('user:dan'),
  ]);
  const [first] = await fixture.sql<{ kind: string }[]>`
    select kind from ledger.entries where kind in ('erasure', 'hold') order by seq desc offset ${erased.status === 'fulfilled' ? 1 : 0} limit 1`;
  expect(first?.kind).toBe(erased.status === 'fulfilled' ? 'erasure' : 'hold');
  if (held.status === 'fulfilled') await release(held.value);
});

test('retention destroys months that are over for long enough, except under a hold, and says so', async () => {
  const real = nowMs;
  nowMs = real - 100 * DAY_MS;
  await call('user:old');
  await call('user:held');
  nowMs = real;
  await call('user:new');
  const id = await hold('user:held');
  const left = async (): Promise<number[]> =>
    Promise.all(['user:old', 'user:held', 'user:new'].map(async (subject) => (await order(subject)).keys.length));
  expect(await retain(200)).toBe(0);
  // A clock that is ahead erases nothing: the database's is the earlier one.
  nowMs = real + 400 * DAY_MS;
  expect(await retain(200)).toBe(0);
  nowMs = real;
  expect([await retain(30), await left()]).toEqual([2, [0, 2, 2]]);
  const [entry] = await fixture.sql<{ facts: string }[]>`
    select facts from ledger.entries where kind = 'erasure' order by seq desc limit 1`;
  expect(JSON.parse(entry?.facts ?? '')).toMatchObject({ scope: 'retention', basis: 'retention', content_days: 30 });
  expect(await retain(30)).toBe(0);
  await release(id);
  expect([await retain(30), await left()]).toEqual([2, [0, 0, 2]]);
});
