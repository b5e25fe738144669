import { Unsupported } from './builtin.ts';

/** Nanoseconds of each unit of Go's time.ParseDuration. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const LIMIT = 2n ** 63n;
const PART = /(\d*)(?:\.(\d*))?([^\d.]+)/y;

/** `1h30m`, `-1.5s`. Undefined for anything else and beyond 64 bits. */
export function durationNs(text: string): bigint | undefined {
  if (/[dwy]/.test(text)) throw new Unsupported('a duration in days, weeks or years');
  const sign = /^[-+]/.test(text) ? text.charAt(0) : '';
  const rest = text.slice(sign.length);
  if (rest === '0') return 0n;
  const total = rest === '' ? undefined : sumParts(rest);
  if (total === undefined) return undefined;
  if (sign === '-') return total <= LIMIT ? -total : undefined;
  return total < LIMIT ? total : undefined;
}

function sumParts(text: string): bigint | undefined {
  let total = 0n;
  let at = 0;
  while (at < text.length) {
    PART.lastIndex = at;
    const found = PART.exec(text);
    if (found === null) return undefined;
    const part = partNs(found);
    if (part === undefined || part > LIMIT) return undefined;
    total += part;
    if (total > LIMIT) return undefined;
    at = PART.lastIndex;
  }
  return total;
}

function partNs([, whole = '', fraction = '', name = '']: RegExpExecArray): bigint | undefined {
  const unit = UNITS.get(name);
  if (unit === undefined || whole + fraction === '') return undefined;
  return BigInt(whole === '' ? '0' : whole) * unit + fractionNs(fraction, unit);
}

/** Digits beyond 63 bits do not count; the rest is computed in double precision, as Go does. */
function fractionNs(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (LIMIT - 1n) / 10n || next > LIMIT) break;
    value = next;
    scale *= 10;
  }
  return value === 0n ? 0n : BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}
