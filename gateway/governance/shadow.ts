/**
 * A candidate beside the active policies: the same questions, after the call was let go or refused, and nothing of the answer
 * but its comparison. It stands in the last entry of a call: the outcome, or the decision that ended it.
 */
import type { CandidateResult, JsonValue, PolicyInput } from '../../policies/index.ts';
import { uniteCandidates } from '../../policies/index.ts';
import type { Call } from '../call.ts';

/** What goes into the facts of the entry; empty where nothing is tried. */
export function shadowFacts(call: Call): { readonly [name: string]: JsonValue } {
  const { current, tenant, decided } = call;
  const shadow = tenant === null ? undefined : current.shadows.get(tenant.id);
  if (shadow === undefined || decided === null) return {};
  const questions = [decided.models.map((model) => ({ ...decided.base, model })), ...answerInputs(call)];
  const answers = questions.map((inputs) => decide(call, shadow.policies, inputs));
  const active = [decided.result, ...call.answer.inputs.map((asked) => memberOf(asked, 'result'))].map(effectIn);
  const stricter = answers.find(({ effect }, i) => effect !== active[i]) ?? answers[0];
  return {
    shadow: {
      bundles: shadow.candidates.map(({ bundle, digest }) => ({ bundle, digest })),
      effect: stricter?.effect ?? 'undecided',
      same: answers.every(({ effect }, i) => effect === active[i]),
      rules: stricter?.rules ?? [],
    },
  };
}

function answerInputs({ decided, answer }: Call): PolicyInput[][] {
  if (decided === null) return [];
  return answer.inputs.map((asked) => [{ ...decided.base, ...(memberOf(asked, 'added') as Partial<PolicyInput>) }]);
}

function decide(
  { current }: Call,
  policies: readonly string[],
  inputs: readonly PolicyInput[],
): { readonly effect: string; readonly rules: string[] } {
  const results: CandidateResult[] = inputs.map((input) => ({
    deployment: input.model?.deployment ?? '',
    evaluation: current.pdp.evaluate(policies, input),
  }));
  const places = inputs.map(({ model }) => ({
    deployment: model?.deployment ?? '',
    model: model?.model ?? '',
    region: model?.region ?? '',
    hosting: model?.hosting ?? '',
  }));
  const united = uniteCandidates(results, places);
  if ('outcome' in united) return { effect: 'undecided', rules: [] };
  return { effect: united.effect, rules: [...new Set(united.reasons.map(({ rule }) => rule))].toSorted() };
}

function memberOf(asked: JsonValue, name: 'added' | 'result'): unknown {
  return typeof asked === 'object' && asked !== null && !Array.isArray(asked) ? asked[name] : undefined;
}

function effectIn(result: unknown): string {
  if (typeof result !== 'object' || result === null) return 'undecided';
  return 'effect' in result && typeof result.effect === 'string' ? result.effect : 'undecided';
}
