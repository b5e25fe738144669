import { uniteCandidates } from '../combine.ts';
import type { Candidate, CandidateResult, UnitedDecision } from '../combine.ts';
import type { Evaluation, Undecided } from '../decision.ts';
import type { PolicyInput } from '../input.ts';
import { sortedJson } from '../sorted-json.ts';
import type { Decider } from './deciders.ts';
import type { Question, RecordedCall } from './recorded.ts';

/** Decides recorded questions again and compares. */

/** What a call came to at one question. */
export interface Verdict {
  readonly evaluations: readonly Evaluation[];
  readonly united: UnitedDecision | Undecided;
}

export type Effect = UnitedDecision['effect'] | 'undecided';

export function decideQuestion({ pdp, names }: Decider, { inputs, texts: sent }: Question): Verdict {
  const evaluations =
    sent === undefined
      ? inputs.map((input) => pdp.evaluate(names, input))
      : sent.map((text) => pdp.evaluateText(names, text));
  return { evaluations, united: unite(inputs, evaluations) };
}

export function effectOf({ united }: Verdict): Effect {
  return 'outcome' in united ? 'undecided' : united.effect;
}

function unite(inputs: readonly PolicyInput[], evaluations: readonly Evaluation[]): UnitedDecision | Undecided {
  const candidates = evaluations.map((_, i): Candidate => {
    const model = inputs[i]?.model ?? null;
    if (model === null) return { deployment: '', model: '', region: '', hosting: '' };
    return { deployment: model.deployment, model: model.model, region: model.region, hosting: model.hosting };
  });
  const results = evaluations.map((evaluation, i): CandidateResult => ({
    deployment: candidates[i]?.deployment ?? '',
    evaluation,
  }));
  return uniteCandidates(results, candidates);
}

/**
 * How the stored policies answered again. `erased`: an input is gone by order. `undecided`: a limit was hit, then or now;
 * nothing is claimed about those. `other_runtime`: answers differ, and another runtime or combiner gave the recorded one.
 */
export type Reproduction = 'reproduced' | 'mismatch' | 'erased' | 'undecided' | 'other_runtime' | 'not_decided';

/** Outcomes caused by memory or a fault of the moment need not come again. Fuel is counted: what ran out of it does so again. */
const LIMITS: ReadonlySet<string> = new Set(['memory', 'trap']);

/** Bit for bit: every answer of every question has the same canonical text as the recorded one. */
export function reproduce(call: RecordedCall, decider: Decider, verdicts: readonly Verdict[]): Reproduction {
  if (call.erased) return 'erased';
  if (call.questions.length === 0) return 'not_decided';
  const different = call.questions.flatMap((question, i) => {
    const verdict = verdicts[i];
    return verdict === undefined || isSame(question, verdict) ? [] : [{ question, verdict }];
  });
  const limited = call.questions.some(({ recorded }) => answersOf(recorded).some(isLimit));
  if (different.length === 0) return limited ? 'undecided' : 'reproduced';
  if (different.every(({ question, verdict }) => hitLimit(question, verdict))) return 'undecided';
  const { by } = call;
  return by.runtime === decider.pdp.runtime && by.combiner === decider.pdp.combinerVersion
    ? 'mismatch'
    : 'other_runtime';
}

function isSame({ recorded }: Question, { evaluations, united }: Verdict): boolean {
  return recorded.form === 'evaluations'
    ? isText(recorded.evaluations, textOf(evaluations))
    : isText(recorded.united, textOf(united));
}

/** What comes out of a ledger is sorted already. */
function isText(recorded: object, text: string): boolean {
  return JSON.stringify(recorded) === text || sortedJson(recorded) === text;
}

/** Most calls get the same few answers, and the decision point gives the same object again. */
const texts = new WeakMap<object, string>();

function textOf(value: object): string {
  if (Array.isArray(value)) return `[${value.map((item: object) => textOf(item)).join(',')}]`;
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = sortedJson(value);
  texts.set(value, text);
  return text;
}

function hitLimit({ recorded }: Question, { evaluations, united }: Verdict): boolean {
  return [...answersOf(recorded), ...evaluations, united].some(isLimit);
}

function answersOf(recorded: Question['recorded']): readonly Answer[] {
  return recorded.form === 'evaluations' ? recorded.evaluations : [recorded.united];
}

type Answer = Evaluation | UnitedDecision | Undecided;

function isLimit(answer: Answer): boolean {
  return 'outcome' in answer && answer.outcome === 'undecided' && LIMITS.has(answer.code);
}
