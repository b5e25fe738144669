/**
 * Reads decisions back from the sections evidence.ts wrote: every question the policies were asked about a call, with their
 * answers. What is read was written by some version of this program, and is checked like anything from outside.
 */
import type { Sql } from 'postgres';
import { z } from 'zod';
import type { JsonValue, RecordedCall as RecordedEntries, RecordedEntry } from '../ledger/index.ts';
import type {
  Evaluation,
  explainCall,
  PolicyInput,
  RecordedCall,
  RecordedQuestion,
  UnitedDecision,
} from '../policies/index.ts';
import { findBundle, findParameters } from '../policies/index.ts';

const versions = z.object({
  bundles: z.array(z.object({ name: z.string(), digest: z.string() })),
  parameters: z.string(),
  combiner: z.string(),
  runtime: z.string(),
});
const decisionFacts = z.object({ model: z.string().nullable(), versions });
const decisionInputs = z.object({
  base: z.looseObject({ tools: z.object({ offered: z.array(z.object({ name: z.string() })) }) }),
  models: z.array(z.looseObject({ deployment: z.string() }).nullable()),
  results: z.array(z.object({ evaluation: z.looseObject({ outcome: z.string() }) })),
});
/** Of a question that another enforcement point asked (pdp/question.ts). */
const askedInputs = z.object({
  by: z.enum(['gateway', 'asker']),
  texts: z.array(z.string()),
  results: z.array(z.object({ evaluation: z.looseObject({ outcome: z.string() }) })),
});
const outcomeInputs = z.object({
  inputs: z.array(z.object({ added: z.looseObject({ point: z.string() }), result: z.looseObject({}) })),
});
const costFacts = z.object({ cost_nusd: z.string().regex(/^\d+$/).nullable() });

/** Throws ZodError when the sections have a form no version of this program writes. */
export function recordedCall({ call, tenant, timeMs, decision, outcome }: RecordedEntries): RecordedCall {
  const { model, versions: by } = decisionFacts.parse(decision.facts);
  const common = { call, timeMs, tenant, model, by, costNusd: costOf(outcome) };
  if (isAskedElsewhere(decision.inputs)) {
    return {
      ...common,
      tools: [],
      erased: decision.erased,
      questions: [askedQuestion(askedInputs.parse(decision.inputs))],
    };
  }
  const asked = decision.inputs === null ? null : decisionInputs.parse(decision.inputs);
  const base = asked === null ? null : (asked.base as unknown as PolicyInput);
  const request = asked === null || base === null ? [] : [requestQuestion(base, asked)];
  return {
    ...common,
    tools: asked?.base.tools.offered.map(({ name }) => name) ?? [],
    erased: decision.erased || outcome?.erased === true,
    questions: [...request, ...(base === null ? [] : answerQuestions(base, outcome))],
  };
}

function isAskedElsewhere(inputs: JsonValue | null): boolean {
  return typeof inputs === 'object' && inputs !== null && 'texts' in inputs;
}

function askedQuestion({ by, texts, results }: z.infer<typeof askedInputs>): RecordedQuestion {
  const evaluations = results.map(({ evaluation }) => evaluation as unknown as Evaluation);
  const recorded = { form: 'evaluations', evaluations } as const;
  if (by === 'asker') return { inputs: [], texts, recorded };
  return { inputs: texts.map((text) => JSON.parse(text) as PolicyInput), recorded };
}

function requestQuestion(base: PolicyInput, { models, results }: z.infer<typeof decisionInputs>): RecordedQuestion {
  const evaluations = results.map(({ evaluation }) => evaluation as unknown as Evaluation);
  const inputs = models.map((model) => ({ ...base, model: model as PolicyInput['model'] }));
  return { inputs, recorded: { form: 'evaluations', evaluations } };
}

function answerQuestions(base: PolicyInput, outcome: RecordedEntry | null): RecordedQuestion[] {
  const { inputs } = outcome === null || outcome.inputs === null ? { inputs: [] } : outcomeInputs.parse(outcome.inputs);
  return inputs.map(({ added, result }) => ({
    inputs: [{ ...base, ...(added as unknown as Partial<PolicyInput>) }],
    recorded: { form: 'united', united: result as unknown as UnitedDecision },
  }));
}

function costOf(outcome: RecordedEntry | null): bigint | null {
  const facts: JsonValue | undefined = outcome?.facts;
  const cost = facts === undefined ? null : (costFacts.safeParse(facts).data?.cost_nusd ?? null);
  return cost === null ? null : BigInt(cost);
}

/** Bundles and parameters by digest, out of the policy store. */
export function policySources(sql: Sql): Parameters<typeof explainCall>[1] {
  return {
    findBundle: (digest, name) => findBundle(sql, digest, name),
    findParameters: (digest) => findParameters(sql, digest),
  };
}
