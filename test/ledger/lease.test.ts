import { expect, test } from 'vitest';
import { LeaseWatch } from '../../ledger/append/lease.ts';

const LEASE_MS = 1000;

function watchAt(time: { ms: number }): LeaseWatch {
  const clock = (): number => time.ms;
  return new LeaseWatch(LEASE_MS, clock, clock);
}

test('steady only after the time of a whole lease with renewals', async () => {
  const time = { ms: 0 };
  const watch = watchAt(time);
  for (; time.ms < LEASE_MS; time.ms += 200) {
    expect(await watch.renew(() => Promise.resolve(true))).toBe(true);
    expect(watch.isSteady).toBe(false);
  }
  expect(watch.isSteady).toBe(true);
});

test('renewals that wait for a silent database are no contact: whoever waited fences nobody when it is back', async () => {
  const time = { ms: 0 };
  const watch = watchAt(time);
  for (; time.ms <= LEASE_MS; time.ms += 200) await watch.renew(() => Promise.resolve(true));
  for (const endMs = time.ms + 2 * LEASE_MS; time.ms < endMs; time.ms += 200)
    expect(await watch.renew(() => Promise.resolve(null))).toBeNull();
  expect(watch.isSteady).toBe(false);
  await watch.renew(() => Promise.resolve(true));
  expect(watch.isSteady).toBe(false);
});
