import { CostsError } from './errors.ts';

/** Nano-USD in one US dollar. */
const NUSD_PER_USD_DIGITS = 9;

/** Rates are nano-USD per this many units, so that the cheapest published token price is still a whole number. */
export const RATE_UNITS = 1_000_000n;

/** `-?digits[.digits][e±digits]`: what `String(number)` prints and what a person writes. */
const DECIMAL = /^(-?)(\d{1,24})(?:\.(\d{1,24}))?(?:e([+-]?\d{1,3}))?$/;

/**
 * Integer division rounding half to even (IEEE 754 roundTiesToEven), for non-negative `dividend` and positive `divisor`.
 */
export function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) return quotient + 1n;
  return quotient;
}

/** Integer division rounding up, for non-negative `dividend` and positive `divisor`: bounds never round down. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/**
 * Converts a decimal amount of US dollars to nano-USD exactly, without binary floating point: a number is taken by its
 * shortest decimal form, which is what the price source's author wrote. Digits beyond the ninth are rounded half-even.
 *
 * @throws CostsError `invalid_price` when the text is not a non-negative decimal below 10^15 USD.
 */
export function nusdFromUsd(amount: string | number): bigint {
  const match = DECIMAL.exec(String(amount));
  const exponent = Number(match?.[4] ?? 0);
  if (match === null || match[1] === '-' || Math.abs(exponent) > 30) {
    throw new CostsError(
      'invalid_price',
      `expected a non-negative decimal amount of USD like "0.15", found ${JSON.stringify(amount)}`,
    );
  }
  const fraction = match[3] ?? '';
  const digits = BigInt((match[2] ?? '0') + fraction);
  const shift = NUSD_PER_USD_DIGITS + exponent - fraction.length;
  const nusd = shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfEven(digits, 10n ** BigInt(-shift));
  if (nusd >= 10n ** 24n) {
    throw new CostsError('invalid_price', `expected less than 10^15 USD, found ${JSON.stringify(amount)}`);
  }
  return nusd;
}

/** Nano-USD as an exact decimal of US dollars with nine places: `150000000n` is `"0.150000000"`. */
export function usdFromNusd(nusd: bigint): string {
  const sign = nusd < 0n ? '-' : '';
  const digits = String(nusd < 0n ? -nusd : nusd).padStart(NUSD_PER_USD_DIGITS + 1, '0');
  return `${sign}${digits.slice(0, -NUSD_PER_USD_DIGITS)}.${digits.slice(-NUSD_PER_USD_DIGITS)}`;
}
