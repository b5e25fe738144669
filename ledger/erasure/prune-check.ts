import { keepFirst } from './check.ts';
import type { ErasureCheck, ErasureFinding } from './check.ts';
import { PruneBook } from './prune-book.ts';

/** A body that a prune entry takes away, and that is there. */
export interface LeftBody {
  readonly check: ErasureCheck;
  readonly seq: number;
}

/** What is wrong with what is missing, by log, and what is there although it was to go. */
export interface PruneFindings {
  readonly findings: ReadonlyMap<ErasureCheck, ErasureFinding>;
  readonly left: readonly LeftBody[];
}

/**
 * Compares the bodies that are missing from a tenant's logs with what prune entries say: without one a body is gone because somebody
 * took it. Counts the pruned entries of each log.
 *
 * @param isElsewhere the orders may lie outside of what was read: what is missing only counts
 */
export function judgePrunes(
  checks: readonly ErasureCheck[],
  isGone: (key: string) => boolean,
  isElsewhere = false,
): PruneFindings {
  const book = new PruneBook();
  for (const [index, { matters, newer }] of checks.entries())
    for (const matter of [...matters, ...newer]) book.add(index, matter);
  const findings = new Map<ErasureCheck, ErasureFinding>();
  const left: LeftBody[] = [];
  for (const check of checks) {
    for (const [key, { missing, stored }] of check.sealed) {
      const before = isElsewhere ? Infinity : book.before(check.log, key);
      if (stored !== null && stored < before) left.push({ check, seq: stored });
      if (missing === null) continue;
      const seq = missing.first < before ? missing.last : missing.first;
      if (!isGone(key))
        keepFirst(findings, check, { seq: missing.first, problem: stolen(key, 'which is not destroyed') });
      else if (seq >= before) keepFirst(findings, check, { seq, problem: stolen(key, 'and no prune entry covers it') });
      else check.pruned += missing.count;
    }
  }
  return { findings, left };
}

function stolen(key: string, why: string): string {
  return `the encrypted sections of this entry are missing: they were sealed with key ${key}, ${why}`;
}
