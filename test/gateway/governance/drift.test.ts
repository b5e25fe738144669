import { afterAll, beforeAll, expect, test } from 'vitest';
import { DriftWatch, isDrift, type DriftAlarm } from '../../../gateway/governance/drift.ts';
import { watchDrift } from '../../../gateway/governance/start.ts';
import { countDecided, type DecidedCounts } from '../../../ledger/index.ts';
import { decisionItem, newCall, openTestLedger, type LedgerFixture } from '../../support/ledger.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';

/** Alarms about the rate of denials after a release. */
const tenant = (...policies: string[]) => [{ id: 'demo', policies }];

interface Scene {
  readonly drift: DriftWatch;
  readonly alarms: DriftAlarm[];
  readonly pass: (ms: number) => void;
  readonly calls: (n: number, denied: number) => void;
}

/** A ledger of counts: what it says is of `before` up to the release, of `since` from then on. */
function watch(): Scene {
  let nowMs = 1_800_000_000_000;
  const noted: { atMs: number; denied: boolean }[] = [];
  const alarms: DriftAlarm[] = [];
  const count = (_: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<DecidedCounts> => {
    const found = noted.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return Promise.resolve({ decisions: found.length, denied: found.filter(({ denied }) => denied).length });
  };
  const alarm = (one: DriftAlarm): Promise<void> => Promise.resolve(void alarms.push(one));
  const drift = new DriftWatch({ now: () => nowMs, count, alarm });
  drift.follow(tenant('baseline'));
  const pass = (ms: number): void => void (nowMs += ms);
  const calls = (n: number, denied: number): void => {
    for (let i = 0; i < n; i += 1)
      noted.push({ atMs: nowMs, denied: Math.floor(((i + 1) * denied) / n) > Math.floor((i * denied) / n) });
    pass(15_000);
  };
  return { drift, alarms, pass, calls };
}

test('a release that denies more, or less, is told once', async () => {
  for (const [before, since] of [
    [2, 40],
    [40, 2],
  ] as const) {
    const { drift, alarms, calls } = watch();
    calls(100, before);
    drift.follow(tenant('baseline', 'own@1'));
    for (let turn = 0; turn < 3; turn += 1) {
      calls(100, since);
      await drift.look();
    }
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatchObject({ tenant: 'demo', facts: { before: { decisions: 100, denied: before } } });
  }
});

test('nothing is told without a release, of the same rate, of few calls, or after an hour', async () => {
  const scenes = await Promise.all(
    [
      [0, [100, 0], [100, 100], false],
      [0, [200, 20], [200, 22], true],
      [0, [20, 0], [200, 200], true],
      [7_200_000, [100, 0], [100, 100], true],
    ].map(async ([wait, before, since, released]) => {
      const scene = watch();
      scene.calls(...(before as [number, number]));
      if (released === true) scene.drift.follow(tenant('own@1'));
      await scene.drift.look();
      scene.pass(wait as number);
      await scene.drift.look();
      scene.calls(...(since as [number, number]));
      await scene.drift.look();
      return scene.alarms.length;
    }),
  );
  expect(scenes).toEqual([0, 0, 0, 0]);
});

test('calls of longer than half an hour ago are not what was before', async () => {
  const { drift, alarms, calls, pass } = watch();
  calls(100, 100);
  pass(31 * 60_000);
  calls(100, 0);
  drift.follow(tenant('own@1'));
  calls(100, 0);
  await drift.look();
  expect(alarms).toEqual([]);
});

test('a difference has to matter and to be no chance', () => {
  expect(isDrift({ decisions: 50, denied: 5 }, { decisions: 50, denied: 10 })).toBe(false);
  expect(isDrift({ decisions: 1_000_000, denied: 0 }, { decisions: 1_000_000, denied: 40_000 })).toBe(false);
  expect(isDrift({ decisions: 1000, denied: 100 }, { decisions: 1000, denied: 200 })).toBe(true);
  expect(isDrift({ decisions: 100, denied: 0 }, { decisions: 100, denied: 0 })).toBe(false);
});

let database: TestDatabase;
let fixtures: LedgerFixture[];

beforeAll(async () => {
  database = await createDatabase();
  fixtures = [await openTestLedger(database), await openTestLedger(database)];
});
afterAll(async () => {
  await Promise.all(fixtures.map(({ ledger }) => ledger.close()));
  await database.drop();
});

/** Calls spread over the processes. */
async function decide(effects: readonly string[]): Promise<void> {
  const appended = effects.flatMap((effect, i) => {
    const { ledger } = fixtures[i % fixtures.length] ?? {};
    const sections = { facts: { effect, candidates: [{ effect: 'deny' }] } };
    return ledger === undefined ? [] : [ledger.append(decisionItem(newCall(), { open: false, sections }))];
  });
  await Promise.all(appended);
}

test('calls of all processes count, and one of them tells', async () => {
  const told: string[] = [];
  const drifts = fixtures.map(({ sql, ledger }) =>
    watchDrift({
      sql,
      ledger,
      now: Date.now,
      metrics: { drift: (id) => void told.push(id) },
      log: { warn: () => undefined },
    }),
  );
  for (const drift of drifts) drift.follow(tenant('baseline'));
  await decide([...Array<string>(60).fill('allow'), ...Array<string>(20).fill('refused'), 'require_approval']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const fromMs = Date.now();
  for (const drift of drifts) drift.follow(tenant('baseline', 'own@1'));
  // Each process sees half of them, too few by itself.
  await decide([
    ...Array<string>(40).fill('deny'),
    ...Array<string>(10).fill('undecided'),
    ...Array<string>(10).fill('allow'),
  ]);
  const [{ sql } = { sql: database.connectGateway(1) }] = fixtures;
  expect(await countDecided(sql, 'demo', { fromMs: 0, toMs: fromMs, newest: true })).toEqual({
    decisions: 61,
    denied: 0,
  });
  const since = { fromMs, toMs: Date.now() + 1, newest: false };
  expect(await countDecided(sql, 'demo', since)).toEqual({ decisions: 60, denied: 50 });
  expect(await countDecided(sql, 'nobody', since)).toEqual({ decisions: 0, denied: 0 });
  for (const drift of drifts) await drift.look();
  expect(told).toEqual(['demo']);
  const rows = await sql<{ facts: string }[]>`select facts from ledger.entries where kind = 'policy'`;
  expect(rows.map(({ facts }) => JSON.parse(facts) as unknown)).toMatchObject([
    { action: 'drift', policies: ['baseline', 'own@1'], before: { decisions: 61 }, since: { denied: 50 } },
  ]);
});
