import { ofTexts } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';
import { isText } from './builtin.ts';

/** Semantic versions (semver.org 2.0.0) with an optional `v` before them, as opa reads them. */
export const VERSION_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'semver.is_valid': { call: ([text]) => isText(text) && readVersion(text) !== undefined },
  'semver.compare': ofTexts(2, (one, other) => {
    const [a, b] = [readVersion(one), readVersion(other)];
    return a === undefined || b === undefined ? undefined : BigInt(compareVersions(a, b));
  }),
};

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];
}

const NUMBER = '(0|[1-9]\\d*)';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(`^v?${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`);
const MAX_NUMBER = 2n ** 63n - 1n;

function readVersion(text: string): Version | undefined {
  const [, major, minor, patch, suffix] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  const numbers = [BigInt(major), BigInt(minor), BigInt(patch)];
  const preRelease = suffix?.split('.') ?? [];
  const valid = numbers.every((number) => number <= MAX_NUMBER) && !preRelease.some((id) => /^0\d+$/.test(id));
  return valid ? { numbers, preRelease } : undefined;
}

function compareVersions(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries()) {
    const order = compare(number, b.numbers[i] ?? 0n);
    if (order !== 0) return order;
  }
  // Of two versions that are otherwise equal the one without a pre-release is greater.
  if (a.preRelease.length === 0 || b.preRelease.length === 0) return compare(b.preRelease.length, a.preRelease.length);
  for (const [i, id] of a.preRelease.entries()) {
    const other = b.preRelease[i];
    if (other === undefined) return 1;
    const order = compareIdentifiers(id, other);
    if (order !== 0) return order;
  }
  return compare(a.preRelease.length, b.preRelease.length);
}

function compareIdentifiers(a: string, b: string): number {
  const [numberA, numberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numberA && numberB) return compare(clamped(a), clamped(b));
  if (numberA !== numberB) return numberA ? -1 : 1;
  return compare(a, b);
}

/** opa reads a longer number as the greatest it knows. */
function clamped(digits: string): bigint {
  const number = BigInt(digits);
  return number > MAX_NUMBER ? MAX_NUMBER : number;
}

function compare<T extends bigint | number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
