import type { UnitedDecision } from '../combine.ts';
import type { Evaluation, Undecided } from '../decision.ts';
import type { PolicyInput } from '../input.ts';

/** A recorded call as a review needs it: every question its policies were asked, and what they answered. */

/** A bundle as a decision entry names it. */
export interface BundleRef {
  readonly name: string;
  readonly digest: string;
}

/** What a decision followed from besides its inputs, as its entry names it. */
export interface DecidedBy {
  /** In the order they were evaluated in. */
  readonly bundles: readonly BundleRef[];
  readonly parameters: string;
  readonly combiner: string;
  readonly runtime: string;
}

/** One decision: an input for each candidate deployment. */
export interface Question {
  readonly inputs: readonly PolicyInput[];
  /** Where another enforcement point wrote the input: its exact text, in place of `inputs`. */
  readonly texts?: readonly string[];
  readonly recorded:
    | { readonly form: 'evaluations'; readonly evaluations: readonly Evaluation[] }
    | { readonly form: 'united'; readonly united: UnitedDecision | Undecided };
}

/** One call out of the ledger. */
export interface RecordedCall {
  readonly call: string;
  readonly timeMs: number;
  readonly tenant: string;
  readonly model: string | null;
  readonly tools: readonly string[];
  /** What the call cost; null when it is not known or the call was never sent. */
  readonly costNusd: bigint | null;
  /** Inputs that are gone by an erasure. The questions that are left can still be replayed. */
  readonly erased: boolean;
  readonly by: DecidedBy;
  /** The request's decision, then those about the answer; empty when the policies were never asked. */
  readonly questions: readonly Question[];
}
