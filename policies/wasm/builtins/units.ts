import type { Value } from '../value.ts';
import { ofTexts, Unsupported } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';

export const UNIT_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'units.parse': ofTexts(1, parseUnits),
  'units.parse_bytes': ofTexts(1, parseBytes),
};

/** A number as numerator over denominator, the latter positive. */
interface Ratio {
  readonly over: bigint;
  readonly under: bigint;
}

const LETTERS = ['k', 'm', 'g', 't', 'p', 'e'];
const DECIMALS = 10n;
const MAX_EXPONENT = 400;
/** Precision of Go's big.Float when it reads a number. */
const MANTISSA_BITS = 64;
/** What Go has for 0.001, exactly. */
const MILLI: Ratio = { over: 1_152_921_504_606_847n, under: 2n ** 60n };

/** SI and binary units of any number; "m" is a thousandth, "M" a million. */
function parseUnits(text: string): Value | undefined {
  const [number, unit] = split(text.replaceAll('"', ''));
  const amount = readDecimal(number);
  const scale = unitScale(unit.slice(0, 1) + unit.slice(1).toLowerCase());
  if (amount === undefined || scale === undefined) return undefined;
  const product = { over: amount.over * scale.over, under: amount.under * scale.under };
  if (product.over % product.under === 0n) return product.over / product.under;
  return Number(toFixed(product));
}

function unitScale(unit: string): Ratio | undefined {
  if (unit === 'm') return MILLI;
  return multiple(unit === 'M' ? 'm' : unit.charAt(0).toLowerCase() + unit.slice(1));
}

/** Bytes, in any case of letters: kb and k are 1000, kib and ki 1024. */
function parseBytes(text: string): Value | undefined {
  const [number, unit] = split(text.toLowerCase().replaceAll('"', ''));
  const amount = readDecimal(number);
  const scale = multiple(unit.replace(/^(.i?)b$/, '$1'));
  if (amount === undefined || scale === undefined) return undefined;
  const read = rounded(amount);
  const product = rounded({ over: read.over * scale.over, under: read.under });
  return product.over / product.under;
}

/** `k`, `ki`, … and nothing at all. */
function multiple(unit: string): Ratio | undefined {
  if (unit === '') return { over: 1n, under: 1n };
  const power = LETTERS.indexOf(unit.charAt(0)) + 1;
  if (power === 0) return undefined;
  if (unit.length === 1) return { over: 1000n ** BigInt(power), under: 1n };
  return unit.slice(1) === 'i' ? { over: 1024n ** BigInt(power), under: 1n } : undefined;
}

/** The number, as far as it goes, and the rest; an `e` that no digit or sign follows is a unit. A space ends both. */
function split(text: string): readonly [number: string, unit: string] {
  if (text.includes(' ')) return ['', ''];
  const [number = ''] = /^(?:[eE](?=[\d+-])[+-]?|[\d.+-])*/.exec(text) ?? [];
  return [number, text.slice(number.length)];
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function readDecimal(text: string): Ratio | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  // Go counts the digits before it looks at the value.
  if (exponent.replace(/^[+-]/, '').length > 6) return undefined;
  const power = Number(exponent) - fraction.length;
  if (Math.abs(power) > MAX_EXPONENT) throw new Unsupported(`a number beyond 1e${MAX_EXPONENT}`);
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return power < 0
    ? { over: digits, under: 10n ** BigInt(-power) }
    : { over: digits * 10n ** BigInt(power), under: 1n };
}

/** Ten places, half away from zero. */
function toFixed({ over, under }: Ratio): string {
  const magnitude = over < 0n ? -over : over;
  const scaled = (2n * magnitude * 10n ** DECIMALS + under) / (2n * under);
  const text = scaled.toString().padStart(Number(DECIMALS) + 1, '0');
  return `${over < 0n ? '-' : ''}${text.slice(0, -Number(DECIMALS))}.${text.slice(-Number(DECIMALS))}`;
}

/** To 64 bits, half to even. */
function rounded({ over, under }: Ratio): Ratio {
  const magnitude = over < 0n ? -over : over;
  if (magnitude === 0n) return { over: 0n, under: 1n };
  let shift = MANTISSA_BITS - (bits(magnitude) - bits(under));
  let [top, bottom] = shifted(magnitude, under, shift);
  if (top / bottom >= 2n ** BigInt(MANTISSA_BITS)) [top, bottom] = shifted(magnitude, under, (shift -= 1));
  const [floor, rest] = [top / bottom, (top % bottom) * 2n];
  const up = rest > bottom || (rest === bottom && floor % 2n === 1n);
  const mantissa = (up ? floor + 1n : floor) * (over < 0n ? -1n : 1n);
  return shift < 0
    ? { over: mantissa * 2n ** BigInt(-shift), under: 1n }
    : { over: mantissa, under: 2n ** BigInt(shift) };
}

function shifted(over: bigint, under: bigint, by: number): [bigint, bigint] {
  return by < 0 ? [over, under * 2n ** BigInt(-by)] : [over * 2n ** BigInt(by), under];
}

function bits(value: bigint): number {
  return value.toString(2).length;
}
