import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { createFailureLimiter } from '../../../gateway/access/limiter.ts';
import { createRefusalCounter, type RefusalCount } from '../../../gateway/access/refusals.ts';
import { clientAddressBehind, sourceOf } from '../../../gateway/access/source.ts';

describe('the failure limiter', () => {
  test('blocks after the burst and forgives with time', () => {
    const limiter = createFailureLimiter({ burst: 3, forgiveMs: 1000 });
    for (let i = 0; i < 3; i += 1) {
      expect(limiter.blockedForS('a', 0)).toBe(0);
      limiter.fail('a', 0);
    }
    expect(limiter.blockedForS('a', 0)).toBe(1);
    expect(limiter.blockedForS('b', 0)).toBe(0);
    expect(limiter.blockedForS('a', 999)).toBe(1);
    expect(limiter.blockedForS('a', 1000)).toBe(0);
  });

  test('its memory is bounded and a clock set back forgives nothing', () => {
    const limiter = createFailureLimiter({ burst: 1, forgiveMs: 1000, maxSources: 5 });
    for (let i = 0; i < 100; i += 1) limiter.fail(`s${i}`, 5000);
    expect(limiter.size).toBe(5);
    expect(limiter.blockedForS('s99', 0)).toBeGreaterThan(0);
  });
});

describe('the refusal counter', () => {
  test('writes one row per finished minute and reason', async () => {
    let nowMs = 60_000;
    const rows: RefusalCount[] = [];
    const counter = createRefusalCounter({ now: () => nowMs, write: (row) => Promise.resolve(void rows.push(row)) });
    for (let i = 0; i < 5; i += 1) counter.count('invalid_api_key');
    counter.count('rate_limited');
    await counter.flush();
    expect(rows).toEqual([]);
    nowMs = 120_000;
    counter.count('invalid_api_key');
    await counter.flush();
    expect(rows).toEqual([
      { minuteMs: 60_000, reason: 'invalid_api_key', count: 5 },
      { minuteMs: 60_000, reason: 'rate_limited', count: 1 },
    ]);
    await counter.flush(true);
    expect(rows.at(-1)).toEqual({ minuteMs: 120_000, reason: 'invalid_api_key', count: 1 });
  });

  test('loses nothing while the ledger is away or slow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('count', 'flush', 'fail', 'tick'), { maxLength: 60 }),
        async (steps) => {
          let nowMs = 0;
          let failing = false;
          let counted = 0;
          let written = 0;
          const counter = createRefusalCounter({
            now: () => nowMs,
            write: (row) => {
              if (failing) return Promise.reject(new Error('away'));
              counter.count('invalid_api_key');
              counted += 1;
              written += row.count;
              return Promise.resolve();
            },
          });
          for (const step of steps) {
            if (step === 'count') counter.count('invalid_api_key');
            if (step === 'count') counted += 1;
            if (step === 'tick') nowMs += 30_000;
            failing = step === 'fail';
            if (step === 'flush' || step === 'fail') await counter.flush();
          }
          failing = false;
          nowMs += 60_000;
          const before = counted;
          await counter.flush();
          // What is counted during the last flush itself stays for the next one.
          expect(counted - written).toBeLessThanOrEqual(counted - before);
          expect(written).toBeLessThanOrEqual(counted);
        },
      ),
    );
  });
});

describe('where a request comes from', () => {
  test('without trusted proxies the header is not read', () => {
    expect(clientAddressBehind([])('203.0.113.9', '1.2.3.4')).toBe('203.0.113.9');
    expect(clientAddressBehind([])('::ffff:203.0.113.9', undefined)).toBe('203.0.113.9');
  });

  test('the header is believed as far as trusted proxies vouch for it', () => {
    const address = clientAddressBehind(['10.0.0.0/8', '192.0.2.7']);
    expect(address('10.0.0.1', '6.6.6.6, 203.0.113.9')).toBe('203.0.113.9');
    expect(address('10.0.0.1', '6.6.6.6, 203.0.113.9, 192.0.2.7')).toBe('203.0.113.9');
    expect(address('203.0.113.1', '6.6.6.6')).toBe('203.0.113.1');
    expect(address('10.0.0.1', 'unknown, 203.0.113.9')).toBe('203.0.113.9');
    expect(address('10.0.0.1', 'not an address')).toBe('10.0.0.1');
    expect(address('10.0.0.1', undefined)).toBe('10.0.0.1');
  });

  test('IPv6 hosts count by their /64', () => {
    expect(sourceOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(sourceOf('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64');
    expect(sourceOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(sourceOf('::1')).toBe('0:0:0:0::/64');
    expect(sourceOf('203.0.113.9')).toBe('203.0.113.9');
  });
});
