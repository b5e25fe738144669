import { expect, test } from 'vitest';
import { DriftWatch, isDrift, type DriftAlarm } from '../../../gateway/governance/drift.ts';

/** Alarms about the rate of denials after a release. */
const tenant = (...policies: string[]) => [{ id: 'demo', policies }];

function watch(): {
  drift: DriftWatch;
  alarms: DriftAlarm[];
  pass: (ms: number) => void;
  calls: (n: number, denied: number) => void;
} {
  let nowMs = 1_800_000_000_000;
  const alarms: DriftAlarm[] = [];
  const drift = new DriftWatch(
    () => nowMs,
    (alarm) => void alarms.push(alarm),
  );
  drift.follow(tenant('baseline'));
  return {
    drift,
    alarms,
    pass: (ms) => void (nowMs += ms),
    calls: (n, denied) => {
      for (let i = 0; i < n; i += 1)
        drift.note('demo', Math.floor(((i + 1) * denied) / n) > Math.floor((i * denied) / n));
    },
  };
}

test('a release that denies more, or less, is told once', () => {
  for (const [before, since] of [
    [2, 40],
    [40, 2],
  ] as const) {
    const { drift, alarms, calls } = watch();
    calls(100, before);
    drift.follow(tenant('baseline', 'own@1'));
    calls(100, since);
    calls(100, since);
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatchObject({ tenant: 'demo', facts: { before: { decisions: 100, denied: before } } });
  }
});

test('nothing is told without a release, of the same rate, of few calls, or after an hour', () => {
  const without = watch();
  without.calls(100, 0);
  without.calls(100, 100);
  const same = watch();
  same.calls(200, 20);
  same.drift.follow(tenant('own@1'));
  same.calls(200, 22);
  const few = watch();
  few.calls(20, 0);
  few.drift.follow(tenant('own@1'));
  few.calls(200, 200);
  const late = watch();
  late.calls(100, 0);
  late.drift.follow(tenant('own@1'));
  late.pass(3_700_000);
  late.calls(100, 100);
  expect([without, same, few, late].map(({ alarms }) => alarms.length)).toEqual([0, 0, 0, 0]);
});

test('calls of longer than half an hour ago are not what was before', () => {
  const { drift, alarms, calls, pass } = watch();
  calls(100, 100);
  pass(31 * 60_000);
  calls(100, 0);
  drift.follow(tenant('own@1'));
  calls(100, 0);
  expect(alarms).toEqual([]);
});

test('a difference has to matter and to be no chance', () => {
  expect(isDrift({ decisions: 50, denied: 5 }, { decisions: 50, denied: 10 })).toBe(false);
  expect(isDrift({ decisions: 1_000_000, denied: 0 }, { decisions: 1_000_000, denied: 40_000 })).toBe(false);
  expect(isDrift({ decisions: 1000, denied: 100 }, { decisions: 1000, denied: 200 })).toBe(true);
  expect(isDrift({ decisions: 100, denied: 0 }, { decisions: 100, denied: 0 })).toBe(false);
});
