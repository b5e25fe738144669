import { DEPLOYMENT } from '../entry.ts';
import { EpochBook, TreeCheck } from '../epoch/check.ts';
import type { BoundHead, TreeFinding } from '../epoch/check.ts';
import type { CompactRange } from '../tree/range.ts';
import type { EvidenceEntry, EvidenceLog } from './evidence.ts';
import type { LogCheck } from './log-check.ts';
import type { Finding } from './report.ts';

/** Walks logs entry by entry and along the heads they were bound with; the deployment's before the tenants'. */
export class TreeWalk {
  readonly book = new EpochBook();
  /** Entries of the deployment's logs that a checkpoint covers. */
  coveredPlaces = 0;
  #places = 0;

  /** Entries of the deployment's logs so far. */
  get places(): number {
    return this.#places;
  }

  /**
   * @param onGood after each entry that was found good; a promise is waited for
   * @param before the tree of what comes before a part of a log
   * @returns RFC 6962 tree head behind the last entry, lower hex
   */
  async walk(
    log: EvidenceLog,
    check: LogCheck,
    heads: AsyncIterable<BoundHead>,
    entries: AsyncIterable<EvidenceEntry>,
    onGood: (entry: EvidenceEntry) => Promise<void> | void = () => undefined,
    before?: CompactRange,
  ): Promise<string> {
    const tree = new TreeCheck(heads, before);
    fail(check, await tree.begin(), null);
    // Who wrote the first entry that no head has confirmed: what a head does not confirm is said to begin there.
    let suspect: string | null = null;
    for await (const entry of entries) {
      if (!check.add(entry)) break;
      if (check.length - 1 === tree.good) suspect = check.writer;
      const done = onGood(entry);
      if (done !== undefined) await done;
      const finding = log.tenant === DEPLOYMENT ? this.#note(check, entry.hash) : null;
      if (finding !== null) check.fail(check.length - 1, finding, check.writer);
      const due = tree.add(entry.hash);
      if (due !== null) fail(check, await due, suspect);
      // Of a state of the past nothing more can be learned than that somebody has seen it.
      if (check.isPast && tree.anchored >= check.length) break;
    }
    if (check.problem === null && !check.isPast) fail(check, tree.end(), null);
    await tree.close();
    check.covered = tree.covered;
    check.anchored = tree.anchored;
    if (log.tenant !== DEPLOYMENT) return tree.root();
    this.coveredPlaces = this.#places + tree.covered;
    this.#places += check.length;
    return tree.root();
  }

  #note({ last }: LogCheck, hash: string): Finding | null {
    return last === null ? null : this.book.add(last.header, last.facts, hash);
  }
}

function fail(check: LogCheck, finding: TreeFinding | null, writer: string | null): void {
  if (finding !== null) check.fail(finding.seq, finding, writer);
}
