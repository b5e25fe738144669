/** From findings and rules to the spans that change, and the changed text. */
import { clusterFindings } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { compareFindings } from './finding.ts';
import type { Finding } from './finding.ts';
import { applyOperator, isStricter, operatorFor } from './operators.ts';
import type { AppliedRedaction, Operator, RedactionContext, RedactionRule } from './operators.ts';
import { applySplices } from './splice.ts';
import type { Splice } from './splice.ts';

/** Counts what was done by type and operator. */
export interface AppliedTally {
  add(type: string, operator: Operator, count?: number): void;
  list(): AppliedRedaction[];
}

export function createAppliedTally(): AppliedTally {
  const rows = new Map<string, { type: string; operator: Operator; count: number }>();
  return {
    add(type, operator, count = 1) {
      const key = `${type}\0${operator}`;
      const row = rows.get(key) ?? { type, operator, count: 0 };
      row.count += count;
      rows.set(key, row);
    },
    list: () => [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => ({ ...row })),
  };
}

/**
 * The text with every finding a rule covers replaced. Overlapping findings are one region under the strictest of their
 * operators. `paths` of the rules are not looked at: the caller passes the rules that hold for this text.
 */
export function redactText(
  text: string,
  findings: readonly Finding[],
  rules: readonly RedactionRule[],
  context: RedactionContext,
): { text: string; applied: AppliedRedaction[] } {
  const tally = createAppliedTally();
  const splices = redactionSplices(text, findings, rules, context, tally);
  return { text: applySplices(text, splices), applied: tally.list() };
}

/** The replacements `redactText` makes. */
export function redactionSplices(
  text: string,
  findings: readonly Finding[],
  rules: readonly RedactionRule[],
  context: RedactionContext,
  tally: AppliedTally,
): Splice[] {
  if (findings.length === 0 || rules.length === 0) return [];
  const { clusters } = clusterFindings(findings.toSorted(compareFindings), text, text.length);
  return clusters.flatMap((cluster) => clusterSplices(cluster, text, rules, context, tally));
}

interface Covered {
  readonly finding: Finding;
  readonly operator: Operator;
}

interface Span {
  readonly start: number;
  end: number;
  /** Whose operator and name the span takes. */
  lead: Covered;
  onlyCards: boolean;
}

/** The replacements inside one cluster; findings no rule covers neither change nor join spans. */
export function clusterSplices(
  cluster: Cluster,
  text: string,
  rules: readonly RedactionRule[],
  context: RedactionContext,
  tally: AppliedTally,
): Splice[] {
  return spansOf(cluster, rules).map(({ start, end, lead, onlyCards }) => {
    const { type } = lead.finding;
    tally.add(type, lead.operator);
    const value = { type, text: text.slice(start, end), keepLast: onlyCards ? 4 : 0 };
    return { start, end, text: applyOperator(lead.operator, value, context) };
  });
}

function spansOf(cluster: Cluster, rules: readonly RedactionRule[]): Span[] {
  const spans: Span[] = [];
  for (const finding of cluster.members) {
    const operator = operatorFor(rules, finding);
    if (operator === null) continue;
    const covered = { finding, operator };
    const last = spans.at(-1);
    if (last === undefined || finding.start >= last.end) {
      spans.push({ start: finding.start, end: finding.end, lead: covered, onlyCards: finding.type === 'CREDIT_CARD' });
      continue;
    }
    last.end = Math.max(last.end, finding.end);
    last.onlyCards &&= finding.type === 'CREDIT_CARD';
    if (leads(covered, last.lead)) last.lead = covered;
  }
  return spans;
}

/** Strictest operator, then the longer, then the surer finding; the earlier one on a tie. */
function leads(a: Covered, b: Covered): boolean {
  if (a.operator !== b.operator) return isStricter(a.operator, b.operator);
  const byLength = lengthOf(a.finding) - lengthOf(b.finding);
  return byLength !== 0 ? byLength > 0 : a.finding.score > b.finding.score;
}

function lengthOf(finding: Finding): number {
  return finding.end - finding.start;
}
