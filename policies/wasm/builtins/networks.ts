import { isIP } from 'node:net';
import { isList, ValueObject, ValueSet } from '../value.ts';
import type { Value } from '../value.ts';
import { isText, Unsupported } from './builtin.ts';
import type { Charge, HostBuiltin } from './builtin.ts';
import { addressText, mergedRanges, rangeCidrs, readAddress } from './ranges.ts';
import type { Address, Range } from './ranges.ts';

const MAX_EXPANDED = 65_536;
const FUEL_PER_ADDRESS = 50;
const FUEL_PER_COMPARISON = 50;

export const NETWORK_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'net.cidr_is_valid': { call: ([cidr]) => isText(cidr) && isCidr(cidr) },
  'net.cidr_expand': {
    call: ([cidr], charge) => {
      const range = isText(cidr) ? readCidr(cidr) : undefined;
      return range === undefined ? undefined : expand(range, charge);
    },
  },
  'net.cidr_merge': { call: ([networks]) => merge(networks) },
  'net.cidr_contains_matches': { call: ([cidrs, others], charge) => matches(cidrs, others, charge) },
};

/** As Go's net.ParseCIDR reads it. */
function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || rest.length > 0 || !/^\d{1,6}$/.test(length)) return false;
  return Number(length) <= (family === 4 ? 32 : 128);
}

function readCidr(text: string): Range | undefined {
  if (!isCidr(text)) return undefined;
  const [address = '', length = ''] = text.split('/');
  const found = readAddress(address);
  return found === undefined ? undefined : rangeOf(found, Number(length));
}

function rangeOf({ family, value }: Address, length: number): Range {
  const size = 1n << BigInt((family === 4 ? 32 : 128) - length);
  const first = value - (value % size);
  return { family, first, last: first + size - 1n };
}

function expand({ family, first, last }: Range, charge: Charge): ValueSet {
  const count = last - first + 1n;
  if (count > MAX_EXPANDED) throw new Unsupported(`net.cidr_expand to more than ${MAX_EXPANDED} addresses`);
  charge(Number(count) * FUEL_PER_ADDRESS);
  return new ValueSet(
    Array.from({ length: Number(count) }, (_, i) => addressText({ family, value: first + BigInt(i) })),
  );
}

interface Network extends Range {
  /** As opa prints it when nothing was merged with it. */
  readonly text: string;
}

function merge(networks: Value | undefined): ValueSet | undefined {
  const items = networks instanceof ValueSet ? networks.items : isList(networks) ? networks : undefined;
  const read = items?.map(readNetwork);
  if (read === undefined) return undefined;
  const known = read.flatMap((network) => (network === undefined ? [] : [network]));
  if (known.length < read.length) return undefined;
  // opa takes IPv4 addresses for a part of IPv6 when it compares them.
  if (new Set(known.map(({ family }) => family)).size > 1) throw new Unsupported('net.cidr_merge of IPv4 and IPv6');
  const texts = mergedRanges(known).flatMap((range) => ('text' in range ? [range.text as string] : rangeCidrs(range)));
  return new ValueSet([...new Set(texts)]);
}

/** A CIDR, or an IPv4 address, which opa takes for the network that its class once had. */
function readNetwork(value: Value): Network | undefined {
  if (!isText(value)) return undefined;
  const address = isIP(value) === 0 || value.includes('%') ? undefined : readAddress(value);
  if (address === undefined) {
    const range = readCidr(value);
    if (range === undefined) return undefined;
    const length = value.slice(value.indexOf('/') + 1);
    return { ...range, text: `${addressText({ family: range.family, value: range.first })}/${String(Number(length))}` };
  }
  if (address.family === 6) return undefined;
  const top = Number(address.value >> 24n);
  if (top >= 224) throw new Unsupported('net.cidr_merge of an address without a class');
  const length = top < 128 ? 8 : top < 192 ? 16 : 24;
  return { ...rangeOf(address, length), text: `${value}/${String(length)}` };
}

/** Every pair of which the first contains the second, by what names them: the text itself, an index, an item, a key. */
function matches(cidrs: Value | undefined, others: Value | undefined, charge: Charge): ValueSet | undefined {
  const [all, candidates] = [named(cidrs), named(others)];
  if (all === null) return undefined;
  const found: Value[] = [];
  for (const [name, cidr] of all) {
    if (candidates === null) return undefined;
    charge(candidates.length * FUEL_PER_COMPARISON);
    for (const [other, candidate] of candidates) {
      const contained = contains(cidr, candidate);
      if (contained === undefined) return undefined;
      if (contained) found.push([name, other]);
    }
  }
  return new ValueSet(found);
}

/** Null where opa's function is undefined as soon as it looks. */
function named(value: Value | undefined): readonly (readonly [name: Value, cidr: Value])[] | null {
  const entries = entriesOf(value);
  const terms = entries.map(([name, item]) => {
    if (isText(item)) return [name, item] as const;
    return isList(item) && item[0] !== undefined ? ([name, item[0]] as const) : null;
  });
  const known = terms.flatMap((term) => (term === null ? [] : [term]));
  return known.length === terms.length ? known : null;
}

function entriesOf(value: Value | undefined): readonly (readonly [Value, Value])[] {
  if (isText(value)) return [[value, value]];
  if (isList(value)) return value.map((item, i) => [BigInt(i), item] as const);
  if (value instanceof ValueSet) return value.items.map((item) => [item, item] as const);
  return value instanceof ValueObject ? value.entries : [];
}

function contains(cidr: Value, other: Value): boolean | undefined {
  const whole = isText(cidr) ? readCidr(cidr) : undefined;
  if (whole === undefined || !isText(other)) return undefined;
  const address = isIP(other) === 0 || other.includes('%') ? undefined : readAddress(other);
  const part = address === undefined ? readCidr(other) : rangeOf(address, address.family === 4 ? 32 : 128);
  if (part === undefined) return undefined;
  return part.family === whole.family && whole.first <= part.first && part.last <= whole.last;
}
