import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  isRetryable,
  nextAttempt,
  planAttempts,
  retryAfterMs,
} from '../../../gateway/upstream/route.ts';
import { deployment } from './deployments.ts';

const fleet = ['a', 'b', 'c', 'd'].map((id) => deployment({ id }));
const plan = (count: number, maxAttempts: number, attemptsPerDeployment: number): string =>
  planAttempts(fleet.slice(0, count), { ...DEFAULT_RETRY_POLICY, maxAttempts, attemptsPerDeployment })
    .map((attempt) => `${attempt.deployment.id}${attempt.ofDeployment}`)
    .join(' ');

describe('the plan', () => {
  test.each([
    [1, 4, 2, 'a1 a2'],
    [2, 4, 2, 'a1 a2 b1 b2'],
    [2, 3, 2, 'a1 a2 b1'],
    [3, 4, 3, 'a1 a2 b1 c1'],
    [3, 5, 3, 'a1 a2 b1 b2 c1'],
    [4, 2, 2, 'a1 b1'],
    [2, 9, 3, 'a1 a2 a3 b1 b2 b3'],
    [2, 0, 2, ''],
    [0, 3, 2, ''],
  ])('%i deployments, %i attempts, %i each: %s', (count, attempts, each, expected) => {
    expect(plan(count, attempts, each)).toBe(expected);
  });

  test('stays within its limits and leaves none out while there is room', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.nat(12), fc.integer({ min: 1, max: 5 }), (count, max, each) => {
        const attempts = planAttempts(fleet.slice(0, count), {
          ...DEFAULT_RETRY_POLICY,
          maxAttempts: max,
          attemptsPerDeployment: each,
        });
        expect(attempts.length).toBe(Math.min(max, count * each));
        expect(attempts.map((attempt) => attempt.number)).toEqual(attempts.map((_, index) => index + 1));
        expect(new Set(attempts.map((attempt) => attempt.deployment.id)).size).toBe(Math.min(count, max));
        expect(attempts.map((attempt) => attempt.deployment.id)).toEqual(
          attempts.map((attempt) => attempt.deployment.id).sort(),
        );
      }),
    );
  });

  test('giving a deployment up skips its other attempts', () => {
    const attempts = planAttempts(fleet.slice(0, 2), {
      ...DEFAULT_RETRY_POLICY,
      maxAttempts: 4,
      attemptsPerDeployment: 2,
    });
    expect([0, 1, 2, 3].map((index) => nextAttempt(attempts, index, true))).toEqual([1, 2, 3, -1]);
    expect([0, 1, 2, 3].map((index) => nextAttempt(attempts, index, false))).toEqual([2, 2, -1, -1]);
  });
});

describe('waiting', () => {
  test('draws below a bound that doubles up to its limit', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, baseDelayMs: 100, maxDelayMs: 350 };
    expect([1, 2, 3, 9].map((failures) => backoffMs(failures, policy, () => 0.999))).toEqual([99, 199, 349, 349]);
    expect(backoffMs(3, policy, () => 0)).toBe(0);
  });

  const NOW_MS = Date.UTC(2026, 0, 1);
  test.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, 0],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'soon' }, null],
  ])('%j', (headers, expected) => {
    expect(retryAfterMs(headers, NOW_MS)).toBe(expected);
  });

  test('what RFC 9110 does not allow never becomes a wait that is obeyed', () => {
    for (const value of ['-5', '99999999999', '1e9', '0x10', '', ' ', 'Infinity']) {
      const ms = retryAfterMs({ 'retry-after': value }, NOW_MS) ?? 0;
      expect(ms === 0 || ms > DEFAULT_RETRY_POLICY.maxRetryAfterMs).toBe(true);
    }
  });

  test('only failures that may pass are repeated', () => {
    const repeated = Array.from({ length: 500 }, (_, index) => index + 100).filter(isRetryable);
    expect(repeated.slice(0, 3)).toEqual([408, 409, 429]);
    expect(repeated.slice(3)).toEqual(Array.from({ length: 100 }, (_, index) => index + 500));
  });
});
