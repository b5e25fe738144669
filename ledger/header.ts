import { parseCanonical } from './canonical.ts';
import { ENTRY_VERSION } from './entry.ts';
import type { EntryHeader } from './entry.ts';

const HASH = /^[0-9a-f]{64}$/;
const WORD = /^[a-z0-9._:-]{1,64}$/;
const MEMBERS = 'body,call,inc,kind,log,prev,seq,t,v,wid,wseq';

/** Reads a header's exact text; null when it is not a header of this version in canonical form. */
export function parseHeader(text: string): EntryHeader | null {
  let value;
  try {
    value = parseCanonical(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  if (Object.keys(value).join(',') !== MEMBERS) return null;
  const { body, call, inc, kind, log, prev, seq, t, v, wid, wseq } = value;
  const hashes = isMatch(body, HASH) && isMatch(log, HASH) && isMatch(prev, HASH);
  const words = isMatch(call, WORD) && isMatch(kind, WORD) && isMatch(wid, WORD);
  const numbers = isCount(inc) && isCount(seq) && isCount(t) && isCount(wseq) && v === ENTRY_VERSION;
  return hashes && words && numbers ? { body, call, inc, kind, log, prev, seq, t, v, wid, wseq } : null;
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
