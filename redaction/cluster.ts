/**
 * Findings that overlap are treated as one region. Regions are made from left to right and never depend on what lies behind
 * them, so a stream makes the same ones as the whole text. A chain of overlaps is cut at a fixed length from its start:
 * otherwise a run of digits could hold a stream for ever.
 */
import { moveFinding } from './finding.ts';
import type { Finding } from './finding.ts';

/** Code units after which a chain of overlapping findings is cut, unless its first finding is longer. */
const CHAIN_LENGTH = 1024;

export interface Cluster {
  readonly start: number;
  readonly end: number;
  /** Clipped to the cluster. */
  readonly members: readonly Finding[];
}

export interface Clustering {
  readonly clusters: readonly Cluster[];
  /** Everything before is decided. */
  readonly upTo: number;
  /** Findings of the first region that is not decided and all after it; clipped to start at `upTo` if they start before. */
  readonly rest: readonly Finding[];
}

/** `findings` in report order, all that start before `horizon`. */
export function clusterFindings(findings: readonly Finding[], text: string, horizon: number): Clustering {
  const clusters: Cluster[] = [];
  let carried: Finding[] = [];
  let next = 0;
  for (;;) {
    const first = carried[0] ?? findings[next];
    if (first === undefined) return { clusters, upTo: horizon, rest: [] };
    const firstIndex = next;
    const members = [...carried];
    let end: number = first.end;
    for (const member of members) end = Math.max(end, member.end);
    const limit = Math.max(first.start + CHAIN_LENGTH, first.end);
    for (let one = findings[next]; one !== undefined && one.start < Math.min(end, limit); one = findings[++next]) {
      members.push(one);
      end = Math.max(end, one.end);
    }
    const cut = end > limit ? beforePair(text, limit) : end;
    if (cut > horizon) return { clusters, upTo: first.start, rest: [...carried, ...findings.slice(firstIndex)] };
    clusters.push({ start: first.start, end: cut, members: members.map((member) => clip(member, cut)) });
    carried = members.filter((member) => member.end > cut).map((member) => moveFinding(member, cut, member.end));
  }
}

function clip(finding: Finding, end: number): Finding {
  return finding.end <= end ? finding : moveFinding(finding, finding.start, end);
}

/** A cut never separates a surrogate pair. */
function beforePair(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}
