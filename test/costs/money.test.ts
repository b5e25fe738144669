import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CostsError } from '../../costs/errors.ts';
import { divideHalfEven, divideUp, nusdFromUsd, usdFromNusd } from '../../costs/money.ts';

describe('nusdFromUsd', () => {
  test.each([
    ['0', 0n],
    ['0.15', 150_000_000n],
    [0.15, 150_000_000n],
    [0.075, 75_000_000n],
    ['1.000000001', 1_000_000_001n],
    ['2.5e-7', 250n],
    [2.5e-7, 250n],
    [1e21, null],
    // Binary noise in published data: the shortest decimal form is kept and rounded to the nano.
    [0.18000000000000002, 180_000_000n],
    [0.08333333333333334, 83_333_333n],
    // Half-even at the tenth digit.
    ['0.0000000005', 0n],
    ['0.0000000015', 2n],
    ['-1', null],
    ['1,5', null],
    ['', null],
    ['0x10', null],
    ['1e999', null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ])('%j', (amount, nusd) => {
    if (nusd === null) expect(() => nusdFromUsd(amount)).toThrow(CostsError);
    else expect(nusdFromUsd(amount)).toBe(nusd);
  });

  test('keeps nine decimals exactly and prints them back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 23n }), (nusd) => {
        expect(nusdFromUsd(usdFromNusd(nusd))).toBe(nusd);
      }),
    );
  });
});

test('division rounds half to even, and up', () => {
  expect([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].map((n) => divideHalfEven(n, 2n))).toEqual([0n, 0n, 1n, 2n, 2n, 2n, 3n, 4n]);
  expect([0n, 1n, 4n, 5n].map((n) => divideUp(n, 4n))).toEqual([0n, 1n, 1n, 2n]);
});

test('usdFromNusd pads to nine places', () => {
  expect([0n, 1n, 1_500_000_000n, -1n].map(usdFromNusd)).toEqual([
    '0.000000000',
    '0.000000001',
    '1.500000000',
    '-0.000000001',
  ]);
});
