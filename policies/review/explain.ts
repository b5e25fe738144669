import type { Reason } from '../decision.ts';
import { firedBodies } from '../fired.ts';
import type { JsonValue } from '../input.ts';
import { decideQuestion, effectOf, reproduce } from './decide.ts';
import type { Reproduction, Verdict } from './decide.ts';
import { Deciders, Missing } from './deciders.ts';
import type { Decider, Sources } from './deciders.ts';
import { exampleFacts } from './example.ts';
import type { ExampleFacts } from './example.ts';
import type { DecidedBy, Question, RecordedCall } from './recorded.ts';

/** A rule whose body held. */
export interface FiredRule {
  readonly bundle: string;
  /** Its id, or `<package>.<rule>`. */
  readonly rule: string;
  readonly title: string;
  readonly severity: string | null;
  readonly controls: readonly string[];
  readonly file: string;
  readonly row: number;
}

/** Why a call was decided as it was: recomputed with the policies that decided it. */
export interface Explanation {
  readonly call: string;
  readonly by: DecidedBy;
  readonly reproduction: Reproduction | 'missing';
  readonly problems: readonly string[];
  readonly questions: readonly {
    readonly point: string;
    readonly effect: string;
    readonly reasons: readonly Reason[];
    readonly obligations: readonly JsonValue[];
    readonly fired: readonly FiredRule[];
    readonly facts: ExampleFacts;
  }[];
}

/** Uses the stored bundles and parameters, never the installed ones. */
export async function explainCall(call: RecordedCall, sources: Sources): Promise<Explanation> {
  const { by } = call;
  try {
    const decider = await new Deciders(sources).stored(by);
    const verdicts = call.questions.map((question) => decideQuestion(decider, question));
    return {
      call: call.call,
      by,
      reproduction: reproduce(call, decider, verdicts),
      problems: [],
      questions: call.questions.flatMap((question, i) => {
        const verdict = verdicts[i];
        return verdict === undefined ? [] : [explainQuestion(question, verdict, decider)];
      }),
    };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { call: call.call, by, reproduction: 'missing', problems: [error.message], questions: [] };
  }
}

function explainQuestion({ inputs }: Question, verdict: Verdict, { pdp }: Decider): Explanation['questions'][number] {
  const decided = verdict.evaluations.flatMap((one) => (one.outcome === 'decided' ? [one] : []));
  const fired = decided.flatMap(({ fired: bundles }) =>
    bundles.flatMap(({ bundle, bits }) =>
      firedBodies(bits, pdp.bodies(bundle)).flatMap(({ about }): FiredRule[] => {
        if (about === null || about.id === null) return [];
        const { id, title, severity, controls, file, row } = about;
        return [{ bundle, rule: id, title, severity, controls, file, row }];
      }),
    ),
  );
  return {
    point: inputs[0]?.point ?? '',
    effect: effectOf(verdict),
    reasons: 'outcome' in verdict.united ? [] : verdict.united.reasons,
    obligations: decided.flatMap(({ decision }) => decision.obligations as unknown as JsonValue[]),
    fired: [
      ...new Map(fired.map((rule) => [`${rule.bundle} ${rule.rule} ${rule.file}:${String(rule.row)}`, rule])).values(),
    ],
    facts: exampleFacts(inputs[0]),
  };
}
