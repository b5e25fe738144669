import { canonicalJson, parseCanonical } from '../canonical.ts';
import type { JsonValue } from '../canonical.ts';
import { isHash } from '../epoch/record.ts';
import { asObject } from '../verify/call-check.ts';

/** Beside the entries of a log that was exported in part: what leads from the rest of the log to them. */
export const RANGE_FILE = 'range.json';
export const MAX_RANGE_BYTES = 20_000;
const MAX_NODES = 64;

/** The evidence that the entries [first, end) stand where they say in a log of which the rest is left out. */
export interface RangeEvidence {
  readonly first: number;
  /** One more than the last sequence. */
  readonly end: number;
  /** Hash of the entry before the first; 64 zeros at the beginning of the log. */
  readonly prev: string;
  /** Roots of the complete subtrees of the entries before the first, largest first: appending to them gives every later root. */
  readonly peaks: readonly string[];
  /** The oldest epoch with at least `end` entries and the consistency proof from `end` to its size; null when there is none. */
  readonly cover: { readonly epoch: number; readonly path: readonly string[] } | null;
}

export function writeRange({ first, end, prev, peaks, cover }: RangeEvidence): string {
  const written = cover === null ? null : { epoch: cover.epoch, path: [...cover.path] };
  return `${canonicalJson({ cover: written, end, first, peaks: [...peaks], prev })}\n`;
}

/** Null when the text has another form. */
export function readRange(text: string): RangeEvidence | null {
  let value: JsonValue;
  try {
    value = parseCanonical(text.trimEnd());
  } catch {
    return null;
  }
  const { first, end, prev, peaks, cover } = asObject(value);
  if (!isCount(first) || !isCount(end) || end < first || !isHash(prev) || !areHashes(peaks)) return null;
  if (cover === null) return { first, end, prev, peaks, cover };
  const { epoch, path } = asObject(cover);
  return isCount(epoch) && areHashes(path) ? { first, end, prev, peaks, cover: { epoch, path } } : null;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

function areHashes(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.length <= MAX_NODES && value.every(isHash);
}
