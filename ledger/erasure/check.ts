import type { JsonValue } from '../canonical.ts';
import type { StoredBody } from '../seal.ts';
import { isPruneMatter, namedKeys } from './prune-book.ts';
import type { PruneMatter } from './prune-book.ts';

interface Sealed {
  /** The first entry that the key seals. */
  readonly first: number;
  count: number;
  /** The first that still has its body; null when none has. */
  stored: number | null;
  /** Entries that have none any more. */
  missing: { readonly first: number; last: number; count: number } | null;
}

/** Which keys seal a log's entries, which of them its erasure entries name, and what was pruned. */
export class ErasureCheck {
  readonly log: string;
  /** By key reference. From a folder: only entries that are said to be erased. */
  readonly sealed = new Map<string, Sealed>();
  /** Keys that erasure entries name, and where. */
  readonly named = new Map<string, number>();
  /** What decides about pruning, in the order of the log, and what did so while it was read. */
  readonly matters: PruneMatter[] = [];
  readonly newer: PruneMatter[] = [];
  /** Entries whose key is gone because an erasure entry named it. */
  erased = 0;
  /** Those of them that have lost their body because a prune entry says so. */
  pruned = 0;

  constructor(log: string) {
    this.log = log;
  }

  add(seq: number, kind: string, facts: JsonValue, key: string | null, body: StoredBody): void {
    if (kind === 'erasure') for (const ref of namedKeys(facts)) if (!this.named.has(ref)) this.named.set(ref, seq);
    if (isPruneMatter(kind)) this.matters.push({ seq, kind, facts });
    if (key === null) return;
    const known = this.sealed.get(key) ?? { first: seq, count: 0, stored: null, missing: null };
    this.sealed.set(key, known);
    known.count += 1;
    if (body === 'stored') known.stored ??= seq;
    if (body !== 'missing') return;
    known.missing ??= { first: seq, last: seq, count: 0 };
    known.missing.last = seq;
    known.missing.count += 1;
  }
}

/** What is wrong with a log, and where. */
export interface ErasureFinding {
  readonly seq: number;
  readonly problem: string;
}

/**
 * Compares what is gone with what was ordered, over all logs of one tenant. `isGone` says whether a key was destroyed; `orders` are
 * further keys named by erasures that are newer than what was read. Counts the erased entries of each log.
 */
export function judgeErasures(
  checks: readonly ErasureCheck[],
  isGone: (key: string) => boolean,
  orders: ReadonlySet<string> = new Set(),
): ReadonlyMap<ErasureCheck, ErasureFinding> {
  const named = new Set([...orders, ...checks.flatMap((check) => [...check.named.keys()])]);
  const findings = new Map<ErasureCheck, ErasureFinding>();
  for (const check of checks) {
    for (const [key, { first, count }] of check.sealed) {
      if (!isGone(key)) continue;
      if (named.has(key)) check.erased += count;
      else keepFirst(findings, check, { seq: first, problem: unordered(key, count) });
    }
  }
  return findings;
}

function unordered(key: string, count: number): string {
  return `key ${key}, which seals this entry (${String(count)} in all), is gone and no erasure entry names it: evidence was destroyed`;
}

export function keepFirst(
  findings: Map<ErasureCheck, ErasureFinding>,
  check: ErasureCheck,
  finding: ErasureFinding,
): void {
  const known = findings.get(check);
  if (known === undefined || finding.seq < known.seq) findings.set(check, finding);
}
