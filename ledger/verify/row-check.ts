import type { JsonValue } from '../canonical.ts';
import type { EntryHeader } from '../entry.ts';
import { keyMark } from '../erasure/key-mark.ts';
import type { StoredBody } from '../seal.ts';
import { asObject } from './call-check.ts';
import type { EvidenceEntry } from './evidence.ts';
import type { Finding } from './report.ts';

/** Columns of the database that repeat the header. */
export function checkRow(header: EntryHeader, { row }: EvidenceEntry): Finding | null {
  if (row === undefined) return null;
  const expectedClass =
    header.kind === 'attempt' ? row.class.startsWith('attempt:') : row.class === classOf(header.kind);
  const same =
    row.kind === header.kind &&
    row.call === header.call &&
    row.wid === header.wid &&
    row.wseq === header.wseq &&
    row.timeMs === header.t &&
    expectedClass;
  return same ? null : { problem: 'a column beside the header (kind, class, call, time or writer) was changed' };
}

/** Whether what was encrypted of an entry is stored. */
export function bodyOf({ row, isPruned }: EvidenceEntry): StoredBody {
  // A folder never holds what was encrypted; it says when the database did not either.
  return row?.body ?? (isPruned === true ? 'missing' : 'none');
}

/** The key stands outside the header: pointing an entry at a destroyed key would make it look erased. */
export function checkKey({ call }: EntryHeader, facts: JsonValue, { row, erasedKey }: EvidenceEntry): Finding | null {
  const key = row === undefined ? erasedKey : row.keyRef;
  if (key === undefined) return null;
  const { key: mark = null } = asObject(asObject(facts)['ledger']);
  const expected = key === null ? null : keyMark(key, call);
  return mark === expected
    ? null
    : { problem: 'the key named beside it is not the one its facts say it is sealed with' };
}

function classOf(kind: string): string {
  return kind === 'decision' || kind === 'outcome' || kind === 'late_outcome' ? kind : 'event';
}
