import type { Bundle } from '../bundle.ts';
import type { UnitedDecision } from '../combine.ts';
import { sortedJson } from '../sorted-json.ts';
import { decideQuestion, effectOf, reproduce } from './decide.ts';
import type { Effect, Reproduction, Verdict } from './decide.ts';
import { Deciders, Missing } from './deciders.ts';
import type { Decider, Sources } from './deciders.ts';
import type { Question, RecordedCall } from './recorded.ts';
import { exampleFacts } from './example.ts';
import type { ExampleFacts } from './example.ts';
import { Tally } from './tally.ts';
import type { TallyRow } from './tally.ts';

/**
 * Recorded calls decided three times: by the policies that decided them (which must answer the same), by the base and by the
 * head of a change. Memory does not grow with the number of calls.
 */

/** Two bundles of one name. */
export interface BundleChange {
  readonly base: Bundle;
  readonly head: Bundle;
  /** Whether they join the bundles of a call that none of their name decided; else such a call is not concerned. */
  readonly joins: boolean;
}

export interface ReplayOptions {
  readonly calls: AsyncIterable<RecordedCall> | Iterable<RecordedCall>;
  readonly sources: Sources;
  /** Null: only whether the stored policies answer as recorded. */
  readonly change: BundleChange | null;
  /** Hears of every flip; the report keeps some of them as examples. */
  readonly onFlip?: (flip: Flip) => void;
}

/** A call the change would have decided another way. */
export interface Flip {
  readonly call: string;
  readonly timeMs: number;
  readonly tenant: string;
  readonly point: string;
  readonly from: Effect;
  readonly to: Effect;
  readonly rules: readonly string[];
  readonly messages: readonly string[];
  readonly model: string | null;
  readonly tools: readonly string[];
  readonly costNusd: string | null;
  /** Facts that name nobody. */
  readonly facts: ExampleFacts;
}

/** What the replay of a span of time found. Money is decimal nano-USD. */
export interface ReplayReport {
  readonly calls: number;
  /** Calls the changed bundle takes part in. */
  readonly concerned: number;
  readonly reproduction: Readonly<Record<Reproduction | 'missing', number>>;
  /** The first calls that were not reproduced, and why. */
  readonly problems: readonly { readonly call: string; readonly problem: string }[];
  /** Calls that a waiver took part in as they were decided, and how many by the rule it lifted. */
  readonly waived: { readonly calls: number; readonly byRule: Readonly<Record<string, number>> };
  readonly flipped: number;
  readonly flips: readonly TallyRow[];
  readonly byRule: readonly TallyRow[];
  readonly byTenant: readonly TallyRow[];
  readonly byModel: readonly TallyRow[];
  readonly byTool: readonly TallyRow[];
  readonly examples: readonly Flip[];
  /** Calls with the same effect and another obligation, reason or deployment. */
  readonly changed: Readonly<Record<Change, number>>;
  readonly changedExamples: readonly { readonly call: string; readonly what: readonly string[] }[];
}

/** Parts of a decision besides its effect. */
const CHANGES = ['obligations', 'reasons', 'allowed', 'user_message'] as const;
type Change = (typeof CHANGES)[number];

const MAX_PROBLEMS = 20;
const WAIVER_LABEL = /^waiver:[^:]*:/;
const MAX_WAIVED_RULES = 500;
const MAX_EXAMPLES = 200;
const EXAMPLES_OF_A_KIND = 5;

/** Throws whatever `calls` throws; a bundle or parameters that are not kept are counted as `missing`. */
export async function replayCalls(options: ReplayOptions): Promise<ReplayReport> {
  const { calls, sources, change, onFlip = () => undefined } = options;
  const deciders = new Deciders(sources);
  const replay = new Replay(onFlip);
  for await (const call of calls) {
    try {
      const stored = await deciders.stored(call.by);
      const before = change === null ? null : await deciders.candidate(call.by, change.base, change.joins);
      const after = change === null ? null : await deciders.candidate(call.by, change.head, change.joins);
      replay.add(call, stored, before, after);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      replay.addMissing(call, error.message);
    }
  }
  return replay.report();
}

class Replay {
  readonly #onFlip: (flip: Flip) => void;
  #calls = 0;
  #concerned = 0;
  #flipped = 0;
  readonly #reproduction = {
    reproduced: 0,
    mismatch: 0,
    erased: 0,
    undecided: 0,
    other_runtime: 0,
    not_decided: 0,
    missing: 0,
  };
  readonly #problems: { call: string; problem: string }[] = [];
  readonly #tallies = {
    all: new Tally(),
    rule: new Tally(),
    tenant: new Tally(),
    model: new Tally(),
    tool: new Tally(),
  };
  readonly #examples: Flip[] = [];
  readonly #kinds = new Map<string, number>();
  #waived = 0;
  readonly #waivedRules = new Map<string, number>();
  readonly #changed = { obligations: 0, reasons: 0, allowed: 0, user_message: 0 };
  readonly #changedExamples: { call: string; what: string[] }[] = [];

  constructor(onFlip: (flip: Flip) => void) {
    this.#onFlip = onFlip;
  }

  add(call: RecordedCall, stored: Decider, before: Decider | null, after: Decider | null): void {
    this.#calls += 1;
    const recorded = call.questions.map((question) => decideQuestion(stored, question));
    const result = reproduce(call, stored, recorded);
    this.#reproduction[result] += 1;
    this.#countWaivers(recorded);
    if (result === 'mismatch' || result === 'other_runtime')
      this.#problem(call, `the stored policies decide it another way (${result})`);
    if (before === null || after === null || call.questions.length === 0) return;
    this.#concerned += 1;
    this.#compare(call, before, after);
  }

  #countWaivers(verdicts: readonly Verdict[]): void {
    const rules = new Set(verdicts.flatMap(waivedRules));
    if (rules.size > 0) this.#waived += 1;
    for (const rule of rules) {
      const known = this.#waivedRules.get(rule);
      if (known !== undefined || this.#waivedRules.size < MAX_WAIVED_RULES)
        this.#waivedRules.set(rule, (known ?? 0) + 1);
    }
  }

  addMissing(call: RecordedCall, problem: string): void {
    this.#calls += 1;
    this.#reproduction.missing += 1;
    this.#problem(call, problem);
  }

  #problem({ call }: RecordedCall, problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ call, problem });
  }

  /** Up to the first question that is answered with another effect: what came after it would not have been asked. */
  #compare(call: RecordedCall, before: Decider, after: Decider): void {
    const what = new Set<Change>();
    for (const question of call.questions) {
      const [old, next] = [decideQuestion(before, question), decideQuestion(after, question)];
      if (effectOf(old) !== effectOf(next)) {
        this.#flip(call, question, old, next);
        return;
      }
      for (const part of differences(old, next)) what.add(part);
    }
    if (what.size === 0) return;
    for (const part of what) this.#changed[part] += 1;
    if (this.#changedExamples.length < MAX_PROBLEMS) this.#changedExamples.push({ call: call.call, what: [...what] });
  }

  #flip(call: RecordedCall, question: Question, old: Verdict, next: Verdict): void {
    this.#flipped += 1;
    const [from, to] = [effectOf(old), effectOf(next)];
    const rules = changedRules(old, next);
    const { all, rule, tenant, model, tool } = this.#tallies;
    all.add([''], from, to, call.costNusd);
    rule.add(rules, from, to, call.costNusd);
    tenant.add([call.tenant], from, to, call.costNusd);
    model.add([call.model ?? '(none)'], from, to, call.costNusd);
    tool.add(call.tools.length === 0 ? ['(none)'] : call.tools, from, to, call.costNusd);
    const [input] = question.inputs;
    const flip: Flip = {
      call: call.call,
      timeMs: call.timeMs,
      tenant: call.tenant,
      point: input?.point ?? '',
      from,
      to,
      rules,
      messages: reasonsOf(from === 'allow' ? next : old).map(({ message }) => message),
      model: call.model,
      tools: call.tools,
      costNusd: call.costNusd === null ? null : String(call.costNusd),
      facts: exampleFacts(input),
    };
    this.#onFlip(flip);
    const kind = JSON.stringify([from, to, rules]);
    const seen = this.#kinds.get(kind) ?? 0;
    if (seen >= EXAMPLES_OF_A_KIND || this.#examples.length >= MAX_EXAMPLES) return;
    this.#kinds.set(kind, seen + 1);
    this.#examples.push(flip);
  }

  report(): ReplayReport {
    const { all, rule, tenant, model, tool } = this.#tallies;
    return {
      calls: this.#calls,
      concerned: this.#concerned,
      reproduction: this.#reproduction,
      problems: this.#problems,
      waived: { calls: this.#waived, byRule: Object.fromEntries(this.#waivedRules) },
      flipped: this.#flipped,
      flips: all.rows(),
      byRule: rule.rows(),
      byTenant: tenant.rows(),
      byModel: model.rows(),
      byTool: tool.rows(),
      examples: this.#examples,
      changed: this.#changed,
      changedExamples: this.#changedExamples,
    };
  }
}

function reasonsOf({ united, evaluations }: Verdict): UnitedDecision['reasons'] {
  if (!('outcome' in united)) return united.reasons;
  return evaluations.flatMap((item) => (item.outcome === 'decided' ? item.decision.reasons : []));
}

/** Rules say with a label which waiver lifted their objection. */
function waivedRules({ evaluations }: Verdict): string[] {
  const obligations = evaluations.flatMap((one) => (one.outcome === 'decided' ? one.decision.obligations : []));
  const labels = obligations.flatMap((one) => (one.type === 'label' ? one.add : []));
  return labels.filter((label) => WAIVER_LABEL.test(label)).map((label) => label.replace(WAIVER_LABEL, ''));
}

/** Rules that give a reason on one side only; when the sides name the same ones, those. */
function changedRules(old: Verdict, next: Verdict): string[] {
  const before = new Set(reasonsOf(old).map(({ rule }) => rule));
  const after = new Set(reasonsOf(next).map(({ rule }) => rule));
  const all = [...new Set([...before, ...after])].toSorted();
  const changed = all.filter((rule) => before.has(rule) !== after.has(rule));
  if (all.length === 0) return ['(no rule named)'];
  return changed.length > 0 ? changed : all;
}

function differences({ united: old }: Verdict, { united: next }: Verdict): Change[] {
  if (old === next || 'outcome' in old || 'outcome' in next) return [];
  return CHANGES.filter((part) => sortedJson(old[part]) !== sortedJson(next[part]));
}
