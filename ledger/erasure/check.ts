import { asObject } from '../verify/call-check.ts';
import type { JsonValue } from '../canonical.ts';

interface Sealed {
  /** The first entry that the key seals. */
  readonly first: number;
  count: number;
}

/** Which keys seal a log's entries, and which of them its erasure entries name. */
export class ErasureCheck {
  /** By key reference. From a folder: only entries that are said to be erased. */
  readonly sealed = new Map<string, Sealed>();
  /** Keys that erasure entries name, and where. */
  readonly named = new Map<string, number>();
  /** Entries whose key is gone because an erasure entry named it. */
  erased = 0;

  add(seq: number, kind: string, facts: JsonValue, key: string | null): void {
    if (kind === 'erasure') for (const ref of namedKeys(facts)) if (!this.named.has(ref)) this.named.set(ref, seq);
    if (key === null) return;
    const known = this.sealed.get(key);
    if (known === undefined) this.sealed.set(key, { first: seq, count: 1 });
    else known.count += 1;
  }
}

/** The keys an erasure entry names. */
export function namedKeys(facts: JsonValue): string[] {
  const { keys } = asObject(facts);
  return Array.isArray(keys) ? keys.filter((key): key is string => typeof key === 'string') : [];
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

function keepFirst(findings: Map<ErasureCheck, ErasureFinding>, check: ErasureCheck, finding: ErasureFinding): void {
  const known = findings.get(check);
  if (known === undefined || finding.seq < known.seq) findings.set(check, finding);
}
