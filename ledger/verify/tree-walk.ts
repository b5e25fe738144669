import type { JsonValue } from '../canonical.ts';
import { DEPLOYMENT } from '../entry.ts';
import { EpochBook, TreeCheck } from '../epoch/check.ts';
import type { BoundHead, TreeFinding } from '../epoch/check.ts';
import { parseHeader } from '../header.ts';
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
   * @param onGood after each entry that was found good
   * @param before the tree of what comes before a part of a log
   * @returns RFC 6962 tree head behind the last entry, lower hex
   */
  async walk(
    log: EvidenceLog,
    check: LogCheck,
    heads: AsyncIterable<BoundHead>,
    entries: AsyncIterable<EvidenceEntry>,
    onGood: () => void = () => undefined,
    before?: CompactRange,
  ): Promise<string> {
    const tree = new TreeCheck(heads, before);
    fail(check, await tree.begin());
    for await (const entry of entries) {
      if (!check.add(entry)) break;
      onGood();
      const finding = log.tenant === DEPLOYMENT ? this.#note(entry) : null;
      if (finding !== null) check.fail(check.length - 1, finding);
      const due = tree.add(entry.hash);
      if (due !== null) fail(check, await due);
    }
    if (check.problem === null) fail(check, tree.end());
    check.covered = tree.covered;
    if (log.tenant !== DEPLOYMENT) return tree.root();
    this.coveredPlaces = this.#places + tree.covered;
    this.#places += check.length;
    return tree.root();
  }

  #note(entry: EvidenceEntry): Finding | null {
    const header = parseHeader(entry.header);
    const facts = entry.sections.get('facts');
    const value = facts === undefined ? null : (JSON.parse(facts.text) as JsonValue);
    return header === null ? null : this.book.add(header, value, entry.hash);
  }
}

function fail(check: LogCheck, finding: TreeFinding | null): void {
  if (finding !== null) check.fail(finding.seq, finding);
}
