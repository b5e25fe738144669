import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startEpochJob, startNotary } from '../../../ledger/index.ts';
import type { EpochJobOptions, LedgerError, RepeatedJob } from '../../../ledger/index.ts';
import { decisionItem, expectLedgerIntact, newCall, openTestLedger } from '../../support/ledger.ts';
import type { LedgerFixture } from '../../support/ledger.ts';
import { createTestNotary } from '../../support/notary.ts';
import type { TestNotary } from '../../support/notary.ts';
import { createDatabase } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let fixture: LedgerFixture;
let notary: TestNotary;
let errors: LedgerError[];
/** Closed after each test, however it ends. */
let jobs: RepeatedJob[];

beforeEach(async () => {
  database = await createDatabase();
  fixture = await openTestLedger(database);
  notary = createTestNotary(database);
  errors = [];
  jobs = [];
});
afterEach(async () => {
  await Promise.all(jobs.map((job) => job.close()));
  await fixture.ledger.close();
  await notary.close();
  await expectLedgerIntact(database.connectAdmin(1), fixture.keys);
  await database.drop();
});

const append = (): Promise<unknown> => fixture.ledger.append(decisionItem(newCall(), { open: false }));

function options(holder: string): EpochJobOptions {
  const { sql, ledger } = fixture;
  const heard = errors;
  return { sql, ledger, random: randomBytes, holder, busyMs: 20, idleMs: 100, onError: (error) => heard.push(error) };
}

function keep(job: RepeatedJob): RepeatedJob {
  jobs.push(job);
  return job;
}

async function count(table: 'epochs' | 'checkpoints'): Promise<number> {
  const [row] = await fixture.sql.unsafe<{ count: number }[]>(`select count(*)::int as count from ledger.${table}`);
  return row?.count ?? 0;
}

/** Entries of the tenant's log that an epoch has bound. */
async function bound(): Promise<number> {
  const [row] = await fixture.sql<
    { size: number }[]
  >`select coalesce(max(size), 0)::int as size from ledger.epoch_heads`;
  return row?.size ?? 0;
}

const holder = async (): Promise<string | undefined> =>
  (await fixture.sql<{ holder: string }[]>`select holder from ledger.jobs where until > clock_timestamp()`)[0]?.holder;

describe('the epoch job', () => {
  test('makes epochs while entries come and none while nothing does, and its checkpoints follow', async () => {
    const job = keep(startEpochJob(options('w-1')));
    const signing = keep(startNotary({ ...notary, pollMs: 20, onError: options('').onError }));
    for (let round = 0; round < 3; round += 1) {
      const before = [await count('epochs'), await count('checkpoints')] as const;
      await append();
      await vi.waitFor(
        async () => {
          expect(await count('epochs')).toBeGreaterThan(before[0]);
          expect(await count('checkpoints')).toBeGreaterThan(before[1]);
        },
        { timeout: 45_000 },
      );
    }
    // Whatever was there is bound now.
    const made = await vi.waitFor(
      async () => {
        const [tail] = await fixture.sql<{ kind: string }[]>`
          select kind from ledger.entries join ledger.logs using (log) where tenant = '_deployment' order by seq desc limit 1`;
        expect([tail?.kind, await bound()]).toEqual(['epoch', 3]);
        return count('epochs');
      },
      { timeout: 45_000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await count('epochs')).toBe(made);
    await job.close();
    await signing.close();
    expect(errors).toEqual([]);
  });

  test('is one process\u2019s at a time; whoever closes gives it to the next', async () => {
    const first = keep(startEpochJob(options('w-1')));
    await vi.waitFor(async () => expect(await holder()).toBe('w-1'), { timeout: 45_000 });
    const second = keep(startEpochJob(options('w-2')));
    await append();
    await vi.waitFor(async () => expect(await bound()).toBe(1), { timeout: 45_000 });
    expect(await holder()).toBe('w-1');
    await first.close();
    await vi.waitFor(async () => expect(await holder()).toBe('w-2'), { timeout: 45_000 });
    await append();
    await vi.waitFor(async () => expect(await bound()).toBe(2), { timeout: 45_000 });
    await second.close();
    await append();
    expect(await bound()).toBe(2);
  });

  test('goes on after a failure, and says what it was', async () => {
    let failures = 2;
    const { ledger } = fixture;
    const flaky = {
      status: () => ledger.status(),
      append: (item: Parameters<typeof ledger.append>[0]) =>
        (failures -= 1) >= 0 ? Promise.reject(new TypeError('away')) : ledger.append(item),
    };
    await append();
    const job = keep(startEpochJob({ ...options('w-1'), ledger: flaky }));
    await vi.waitFor(async () => {
      const rows = await fixture.sql`select 1 from ledger.entries where kind = 'epoch'`;
      expect(rows).toHaveLength(1);
    }, { timeout: 45_000 }); // prettier-ignore
    await job.close();
    expect(errors.map(({ code }) => code)).toEqual(['unavailable', 'unavailable']);
    expect(await count('epochs')).toBe(1);
  });
});

test('a notary that finds another history says so and signs nothing', async () => {
  await notary.heads.keep('countersign.test/ledger/0', '', Date.now());
  await append();
  const job = keep(startEpochJob(options('w-1')));
  const signing = keep(startNotary({ ...notary, pollMs: 20, onError: options('').onError }));
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), { timeout: 45_000 });
  await signing.close();
  await job.close();
  expect(errors[0]?.code).toBe('invalid_note');
  expect(await count('checkpoints')).toBe(0);
});
