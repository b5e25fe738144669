import { SEVERITIES, undecided } from './decision.ts';
import type { Decision, Evaluation, Reason, Undecided } from './decision.ts';
import { mergeObligations, uniteObligations } from './obligation.ts';
import type { MergedObligations, MergedRoute } from './obligation.ts';

/**
 * How decisions become one: first the bundles that apply to one candidate deployment, then the candidates. Both are
 * pure and do not depend on the order they are given decisions in.
 */

/** Named in every entry: with another combiner the same decisions could unite differently. */
export const COMBINER_VERSION = 'combine-2';

/** What the policies said about one candidate deployment. */
export interface CandidateResult {
  readonly deployment: string;
  readonly evaluation: Evaluation;
}

/** The facts of a deployment a route obligation can ask for. */
export interface Candidate {
  readonly deployment: string;
  readonly model: string;
  readonly region: string;
  readonly hosting: string;
}

/** The decision on the call, over all its candidate deployments. */
export interface UnitedDecision {
  readonly effect: Decision['effect'];
  /** Deployment ids the call may go to (for require_approval: once approved), in the candidates' order. */
  readonly allowed: string[];
  readonly reasons: Reason[];
  readonly obligations: MergedObligations;
  readonly user_message: string;
}

const RANK: Record<Decision['effect'], number> = { allow: 0, require_approval: 1, deny: 2 };

/** deny > require_approval > allow; obligations united, routes intersected; a region or hosting route without any place left denies. */
export function combineBundles(decisions: readonly Decision[]): Decision {
  const obligations = uniteObligations(decisions.map((decision) => decision.obligations));
  const stuck = obligations.some(
    (item) => item.type === 'route' && (item.regions?.length === 0 || item.hosting?.length === 0),
  );
  const strictest = decisions.map((decision) => decision.effect).toSorted((a, b) => RANK[b] - RANK[a])[0] ?? 'deny';
  const effect = stuck ? 'deny' : strictest;
  const deciding = decisions.filter((decision) => decision.effect === effect);
  const reasons = deciding.flatMap((decision) => decision.reasons);
  const messages = deciding.map((decision) => decision.user_message);
  return {
    effect,
    reasons: uniteReasons(stuck ? [...reasons, NO_ROUTE] : reasons),
    obligations,
    user_message: stuck ? NO_ROUTE.message : uniteMessages(messages),
  };
}

/**
 * One decision over all candidates. Only candidates that were allowed are in the allowed set; one that could not be
 * decided is not. Undecided only when none was decided. The obligations of the allowed set are united, so that one
 * enforced body is safe for every deployment in it.
 */
export function uniteCandidates(
  results: readonly CandidateResult[],
  candidates: readonly Candidate[],
): UnitedDecision | Undecided {
  const [result] = results;
  const [candidate] = candidates;
  if (result === undefined || candidate === undefined || results.length + candidates.length > 2) {
    return unite(results, candidates);
  }
  return uniteOne(result, candidate);
}

/** The usual case, one candidate: the result follows from the decision and the candidate, and both come again. */
const remembered = new WeakMap<
  Evaluation,
  { readonly candidate: string; readonly united: UnitedDecision | Undecided }
>();

function uniteOne(result: CandidateResult, candidate: Candidate): UnitedDecision | Undecided {
  const key = `${result.deployment}\n${candidate.deployment}\n${candidate.model}\n${candidate.region}\n${candidate.hosting}`;
  const known = remembered.get(result.evaluation);
  if (known?.candidate === key) return known.united;
  const united = unite([result], [candidate]);
  remembered.set(result.evaluation, { candidate: key, united });
  return united;
}

function unite(results: readonly CandidateResult[], candidates: readonly Candidate[]): UnitedDecision | Undecided {
  const decided = results.flatMap(({ deployment, evaluation }) =>
    evaluation.outcome === 'decided' ? [{ deployment, decision: evaluation.decision }] : [],
  );
  if (decided.length === 0) return firstUndecided(results);
  for (const effect of ['allow', 'require_approval'] as const) {
    const chosen = decided.filter((item) => item.decision.effect === effect);
    if (chosen.length > 0) return narrow(effect, chosen, candidates);
  }
  return united('deny', [], decided);
}

interface Decided {
  readonly deployment: string;
  readonly decision: Decision;
}

function narrow(
  effect: 'allow' | 'require_approval',
  chosen: readonly Decided[],
  candidates: readonly Candidate[],
): UnitedDecision {
  const { route } = mergeObligations(chosen.flatMap((item) => item.decision.obligations));
  const ids = new Set(chosen.map((item) => item.deployment));
  const allowed = candidates
    .filter((candidate) => ids.has(candidate.deployment) && route.every((rule) => fits(rule, candidate)))
    .map((candidate) => candidate.deployment);
  if (allowed.length > 0)
    return united(
      effect,
      allowed,
      chosen.filter((item) => allowed.includes(item.deployment)),
    );
  const refused = united('deny', [], chosen);
  return { ...refused, reasons: [NO_ROUTE], user_message: NO_ROUTE.message };
}

function united(effect: Decision['effect'], allowed: string[], chosen: readonly Decided[]): UnitedDecision {
  const decisions = chosen.map((item) => item.decision);
  return {
    effect,
    allowed: [...new Set(allowed)],
    reasons: uniteReasons(decisions.flatMap((decision) => decision.reasons)),
    obligations: mergeObligations(decisions.flatMap((decision) => decision.obligations)),
    user_message: uniteMessages(decisions.map((decision) => decision.user_message)),
  };
}

function fits(route: MergedRoute, candidate: Candidate): boolean {
  const { models, regions, hosting } = route;
  return (
    (models === undefined || models.includes(candidate.model) || models.includes(candidate.deployment)) &&
    (regions === undefined || regions.includes(candidate.region)) &&
    (hosting === undefined || hosting.includes(candidate.hosting))
  );
}

const NO_ROUTE: Reason = {
  rule: 'combine.route',
  title: 'No deployment is left',
  message: 'No deployment satisfies all the policies that apply to this call.',
  severity: 'medium',
  controls: [],
  path: '/model',
};

function firstUndecided(results: readonly CandidateResult[]): Undecided {
  for (const { evaluation } of results) if (evaluation.outcome === 'undecided') return evaluation;
  return undecided('undefined', 'no candidate deployment was evaluated');
}

/** Most severe first, then by rule and place; equal reasons once. */
function uniteReasons(reasons: readonly Reason[]): Reason[] {
  const byKey = new Map(reasons.map((reason) => [sortKey(reason), reason]));
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, reason]) => reason);
}

function sortKey(reason: Reason): string {
  const { rule, path, message, title, controls } = reason;
  const severity = SEVERITIES.length - SEVERITIES.indexOf(reason.severity);
  return JSON.stringify([severity, rule, path, message, title, controls]);
}

function uniteMessages(messages: readonly string[]): string {
  return [...new Set(messages)]
    .filter((message) => message !== '')
    .toSorted()
    .join(' ');
}
