import type { CandidateResult, UnitedDecision } from './combine.ts';
import type { Undecided } from './decision.ts';
import { isSwitchedOff } from './switches.ts';

/**
 * What becomes of a decision that is only observed: what would have been stopped goes on, to every candidate that was decided
 * and that no kill switch stops, with the obligations of the decision. What could not be decided still stops.
 */
export function observed(
  result: UnitedDecision | Undecided,
  results: readonly CandidateResult[],
): UnitedDecision | Undecided {
  if ('outcome' in result || result.effect === 'allow') return result;
  const allowed = results.flatMap(({ deployment, evaluation }) =>
    evaluation.outcome === 'decided' && !isSwitchedOff(evaluation.decision) ? [deployment] : [],
  );
  return allowed.length === 0 ? result : { ...result, effect: 'allow', allowed };
}
