import { ENTRY_VERSION } from './entry.ts';
import type { EntryHeader } from './entry.ts';

const HASH = /^[0-9a-f]{64}$/;
const WORD = /^[a-z0-9._:-]{1,64}$/;

/**
 * Reads a header's exact text; null when it is not a header of this version in canonical form. Its strings need no escape and its
 * numbers have one spelling, so the one text it can have is written and compared: half the time of the general way.
 */
export function parseHeader(text: string): EntryHeader | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { body, call, inc, kind, log, prev, seq, t, v, wid, wseq } = value as Partial<
    Record<keyof EntryHeader, unknown>
  >;
  const hashes = isMatch(body, HASH) && isMatch(log, HASH) && isMatch(prev, HASH);
  const words = isMatch(call, WORD) && isMatch(kind, WORD) && isMatch(wid, WORD);
  const numbers = isCount(inc) && isCount(seq) && isCount(t) && isCount(wseq) && v === ENTRY_VERSION;
  if (!hashes || !words || !numbers) return null;
  const header = { body, call, inc, kind, log, prev, seq, t, v, wid, wseq };
  return textOf(header) === text ? header : null;
}

function textOf({ body, call, inc, kind, log, prev, seq, t, v, wid, wseq }: EntryHeader): string {
  const start = `{"body":"${body}","call":"${call}","inc":${String(inc)},"kind":"${kind}","log":"${log}","prev":"${prev}"`;
  return `${start},"seq":${String(seq)},"t":${String(t)},"v":${String(v)},"wid":"${wid}","wseq":${String(wseq)}}`;
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
