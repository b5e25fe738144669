/** A decision of the ledger as an event of OPA's decision log (openpolicyagent.org/docs/management-decision-logs). Pure. */
import type { FollowedDecision, JsonValue } from '../../ledger/index.ts';
import { ENTRYPOINT } from '../../policies/index.ts';

type Fields = { readonly [name: string]: JsonValue };

export interface EventLabels {
  /** Names this deployment. */
  readonly id: string;
  readonly version: string;
}

/** One event for each evaluation, in order; a decision without any, one for itself. */
export function decisionEvents(
  decision: FollowedDecision,
  tenant: string,
  labels: EventLabels,
  mask: readonly string[],
): JsonValue[] {
  const facts = fields(decision.facts);
  const evaluations = evaluationsOf(decision.input);
  const common = {
    labels: { ...labels, tenant },
    bundles: bundlesOf(facts),
    path: ENTRYPOINT,
    timestamp: new Date(decision.timeMs).toISOString(),
  };
  if (evaluations.length === 0) {
    // What refused the call is no policy, or the input is erased by order: the facts still tell the effect.
    const result = { effect: facts['effect'] ?? null, code: facts['code'] ?? null };
    const erased = decision.erased ? { erased: ['/input'] } : {};
    return [{ ...common, decision_id: decision.call, result, ...erased }];
  }
  return evaluations.map(({ input, result }, i) => {
    const id = evaluations.length === 1 ? decision.call : `${decision.call}/${i}`;
    const masked = withoutMasked({ input, result }, mask);
    return {
      ...common,
      decision_id: id,
      ...masked.value,
      ...(masked.erased.length === 0 ? {} : { erased: masked.erased }),
    };
  });
}

interface Evaluated {
  readonly input: JsonValue;
  readonly result: JsonValue;
}

function evaluationsOf(section: JsonValue | null): Evaluated[] {
  const { base, models, texts, results } = fields(section ?? undefined);
  if (!Array.isArray(results)) return [];
  const inputs = Array.isArray(texts) ? texts.map(parsed) : inputsOf(base, models);
  return results.map((each, i) => ({ input: inputs[i] ?? null, result: resultOf(fields(each)['evaluation']) }));
}

function inputsOf(base: JsonValue | undefined, models: JsonValue | undefined): JsonValue[] {
  return Array.isArray(models) ? models.map((model) => ({ ...fields(base), model })) : [];
}

function parsed(text: JsonValue): JsonValue {
  return typeof text === 'string' && text !== '' ? (JSON.parse(text) as JsonValue) : null;
}

function resultOf(evaluation: JsonValue | undefined): JsonValue {
  const { outcome, decision, code } = fields(evaluation);
  return outcome === 'decided' ? (decision ?? null) : { undecided: code ?? null };
}

function bundlesOf(facts: Fields): JsonValue {
  const { bundles } = fields(facts['versions']);
  const named = (Array.isArray(bundles) ? bundles : []).map(fields);
  return Object.fromEntries(
    named.flatMap(({ name, revision }) => (typeof name === 'string' ? [[name, { revision: revision ?? '' }]] : [])),
  );
}

/** Copies on the way to what is taken out; the rest is shared. */
export function withoutMasked(
  event: { readonly input: JsonValue; readonly result: JsonValue },
  mask: readonly string[],
): { readonly value: Fields; readonly erased: string[] } {
  let value: Fields = event;
  const erased: string[] = [];
  for (const pointer of mask) {
    const path = pointer
      .slice(1)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const next = without(value, path);
    if (next === undefined) continue;
    value = next as Fields;
    erased.push(pointer);
  }
  return { value, erased };
}

/** Undefined: there is nothing at the path. */
function without(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  const [name = '', ...rest] = path;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const member = Reflect.get(value, name) as JsonValue;
  const replaced = rest.length === 0 ? null : without(member, rest);
  if (replaced === undefined) return undefined;
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === name ? replaced : item));
  const { [name]: _gone, ...others } = value;
  return rest.length === 0 ? others : { ...value, [name]: replaced };
}

function fields(value: JsonValue | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
