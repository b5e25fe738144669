/** What governance did to a tenant's calls, counted from the facts of the ledger; no section of an entry has to be opened. */
import type { Sql } from 'postgres';
import type { JsonValue } from '../../ledger/index.ts';
import { readFacts, readOutcomes } from '../../ledger/index.ts';

/** Counts by the rule, waiver or candidate they are about. */
type Counts = Record<string, number>;

export interface GovernanceReport {
  readonly decisions: number;
  readonly denied: number;
  /** Let go in a tenant that observes, although the policies would have stopped it; by rule. */
  readonly would_have_blocked: { readonly calls: number; readonly by_rule: Counts };
  /** Decisions of candidates beside the active policies; the rules are those of candidates that differed. */
  readonly shadow: {
    readonly compared: number;
    readonly different: number;
    readonly by_effect: Counts;
    readonly by_rule: Counts;
  };
  /** Decisions that a waiver took part in, by waiver and rule. */
  readonly waived: Counts;
  /** Stopped by kill switches, by kind. */
  readonly switched_off: Counts;
}

const WAIVER_LABEL = 'waiver:';
const SWITCH_RULE = 'switch.';

/** Of a tenant in [fromMs, toMs). */
export async function governanceReport(
  sql: Sql,
  tenant: string,
  range: { readonly fromMs: number; readonly toMs: number },
): Promise<GovernanceReport> {
  const blocked = { calls: 0, by_rule: counts() };
  const shadow = { compared: 0, different: 0, by_effect: counts(), by_rule: counts() };
  const [waived, switched] = [counts(), counts()];
  let [decisions, denied] = [0, 0];
  for await (const { decisionFacts } of readOutcomes(sql, tenant, range.fromMs, range.toMs)) {
    const decision = fields(decisionFacts);
    const rules = texts(decision['rules']);
    decisions += 1;
    const stopped = decision['effect'] === 'deny' || decision['effect'] === 'require_approval';
    if (decision['effect'] === 'deny') denied += 1;
    if (decision['mode'] === 'observe' && decision['applied'] === 'allow' && stopped) {
      blocked.calls += 1;
      for (const rule of rules) add(blocked.by_rule, rule);
    }
    for (const label of texts(decision['labels']))
      if (label.startsWith(WAIVER_LABEL)) add(waived, label.slice(WAIVER_LABEL.length));
    for (const rule of rules) if (rule.startsWith(SWITCH_RULE)) add(switched, rule.slice(SWITCH_RULE.length));
  }
  for await (const facts of readFacts(sql, tenant, 'policy', range)) {
    const { action, calls } = fields(facts);
    if (action !== 'shadow_compared' || !Array.isArray(calls)) continue;
    for (const one of calls) compare(shadow, fields(one));
  }
  return { decisions, denied, would_have_blocked: blocked, shadow, waived, switched_off: switched };
}

function compare(
  shadow: { compared: number; different: number; by_effect: Counts; by_rule: Counts },
  compared: Readonly<Record<string, JsonValue>>,
): void {
  if (typeof compared['effect'] !== 'string') return;
  shadow.compared += 1;
  if (compared['same'] === true) return;
  shadow.different += 1;
  add(shadow.by_effect, compared['effect']);
  for (const rule of texts(compared['rules'])) add(shadow.by_rule, rule);
}

/** Without a prototype: rule names come from bundles. */
function counts(): Counts {
  return Object.create(null) as Counts;
}

function add(into: Counts, name: string): void {
  into[name] = (into[name] ?? 0) + 1;
}

function fields(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
