import { isIP } from 'node:net';
import { Unsupported } from './builtin.ts';

/** Addresses as numbers, and ranges of them. */

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Range {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const GROUPS = 8;

/** An address that isIP knows. Undefined for what is none. */
export function readAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return { family: 4, value: joined(text.split('.').map(BigInt), 8n) };
  if (family !== 6) return undefined;
  // Go takes ::ffff:1.2.3.4 for an IPv4 address in some places and not in others.
  if (text.includes('.') || /^(?:0{0,4}:){1,6}:?ffff:/i.test(text))
    throw new Unsupported('an IPv4 address written as IPv6');
  const [head = '', tail] = text.split('::');
  const groups = (part: string): bigint[] => (part === '' ? [] : part.split(':').map((group) => BigInt(`0x${group}`)));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const middle = Array.from({ length: GROUPS - front.length - back.length }, () => 0n);
  return { family: 6, value: joined([...front, ...middle, ...back], 16n) };
}

function joined(parts: readonly bigint[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | part, 0n);
}

/** As Go prints it: the longest run of two or more zero groups is left out, the first of equal ones. */
export function addressText({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: GROUPS }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const runs = [
    ...groups
      .map((group) => (group === '0' ? '0' : '1'))
      .join('')
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest === undefined) return groups.join(':');
  return `${groups.slice(0, longest.index).join(':')}::${groups.slice(longest.index + longest[0].length).join(':')}`;
}

/** Ranges that touch or overlap become one; one that does not stays the object it is. */
export function mergedRanges<T extends Range>(ranges: readonly T[]): (T | Range)[] {
  const merged: (T | Range)[] = [];
  const order = (a: Range, b: Range): number =>
    a.family - b.family || compare(a.first, b.first) || compare(a.last, b.last);
  for (const range of ranges.toSorted(order)) {
    const before = merged.at(-1);
    if (before === undefined || before.family !== range.family || range.first > before.last + 1n) merged.push(range);
    else {
      const last = before.last > range.last ? before.last : range.last;
      merged[merged.length - 1] = { family: range.family, first: before.first, last };
    }
  }
  return merged;
}

/** The fewest networks that make up a range. */
export function rangeCidrs({ family, first, last }: Range): string[] {
  const bits = family === 4 ? 32 : 128;
  const texts: string[] = [];
  for (let from = first; from <= last;) {
    let length = bits;
    while (length > 0 && fits(from, last, 1n << BigInt(bits - length + 1))) length -= 1;
    texts.push(`${addressText({ family, value: from })}/${String(length)}`);
    from += 1n << BigInt(bits - length);
  }
  return texts;
}

function fits(from: bigint, last: bigint, size: bigint): boolean {
  return from % size === 0n && from + size - 1n <= last;
}

function compare(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
