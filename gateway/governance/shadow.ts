/**
 * A candidate beside the active policies: the same questions about the same facts, after the caller has its answer, and nothing of
 * the candidate's answer but its comparison. Comparisons are written together: a call never waits for them.
 */
import type { CandidateResult, JsonValue, Pdp, PolicyInput } from '../../policies/index.ts';
import { uniteCandidates } from '../../policies/index.ts';
import type { RecordEvent } from '../access/events.ts';
import type { CallProgress } from '../progress.ts';
import type { Shadow } from './releases.ts';

/** What is needed of a call that was answered. */
interface Tried extends Pick<CallProgress, 'id' | 'tenant' | 'decided' | 'answer'> {
  readonly current: { readonly pdp: Pdp; readonly shadows: ReadonlyMap<string, Shadow> };
}

/** One call, as the entry lists it. */
export type Comparison = {
  readonly call: string;
  /** Of the candidate, at the first question it answers otherwise. */
  readonly effect: string;
  readonly same: boolean;
  readonly rules: string[];
};

export interface ShadowBookOptions {
  readonly record: RecordEvent;
  readonly onError: (error: unknown) => void;
}

const FLUSH_MS = 500;
/** Comparisons in one entry. */
const MAX_CALLS = 100;
/** Calls that wait for their comparison; what comes on top is counted and not compared. */
const MAX_WAITING = 2000;
/** Calls compared in one turn of the event loop. */
const TURN = 4;

interface Group {
  readonly tenant: string;
  readonly bundles: JsonValue;
  calls: Comparison[];
  skipped: number;
}

/** Compares in quiet moments and writes what came of it twice a second. */
export class ShadowBook {
  readonly #options: ShadowBookOptions;
  readonly #waiting: Tried[] = [];
  readonly #groups = new Map<string, Group>();
  #turn: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #written = Promise.resolve();

  constructor(options: ShadowBookOptions) {
    this.#options = options;
  }

  /** After the answer. Costs nothing where nothing is tried. */
  note({ id, current, tenant, decided, answer }: Tried): void {
    const shadow = tenant === null ? undefined : current.shadows.get(tenant.id);
    if (tenant === null || shadow === undefined || decided === null) return;
    if (this.#waiting.length >= MAX_WAITING) this.#group(tenant.id, shadow).skipped += 1;
    else this.#waiting.push({ id, current, tenant, decided, answer });
    this.#turn ??= setImmediate(() => this.#compareSome());
  }

  /** Writes everything, at the end of a process. Never rejects. */
  async close(): Promise<void> {
    if (this.#turn !== null) clearImmediate(this.#turn);
    if (this.#timer !== null) clearTimeout(this.#timer);
    while (this.#waiting.length > 0) this.#compareNext();
    await this.#flush();
  }

  #compareSome(): void {
    for (let left = TURN; left > 0 && this.#waiting.length > 0; left -= 1) this.#compareNext();
    this.#turn = this.#waiting.length > 0 ? setImmediate(() => this.#compareSome()) : null;
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  #compareNext(): void {
    const call = this.#waiting.shift();
    const shadow = call?.tenant === null ? undefined : call?.current.shadows.get(call.tenant.id);
    if (call === undefined || call.tenant === null || shadow === undefined) return;
    this.#group(call.tenant.id, shadow).calls.push(compare(call, shadow));
  }

  #group(tenant: string, { candidates }: Shadow): Group {
    const bundles = candidates.map(({ bundle, digest }) => ({ bundle, digest }));
    const key = JSON.stringify([tenant, bundles]);
    const group = this.#groups.get(key) ?? { tenant, bundles, calls: [], skipped: 0 };
    this.#groups.set(key, group);
    return group;
  }

  /** One after the other, so that whoever closes waits for what is being written. */
  #flush(): Promise<void> {
    this.#timer = null;
    this.#written = this.#written.then(() => this.#writeAll());
    return this.#written;
  }

  async #writeAll(): Promise<void> {
    for (const [key, group] of this.#groups) {
      this.#groups.delete(key);
      for (let from = 0; from === 0 || from < group.calls.length; from += MAX_CALLS) {
        await this.#write(group, group.calls.slice(from, from + MAX_CALLS), from === 0 ? group.skipped : 0);
      }
    }
  }

  /** What cannot be written is told in the log and lost: it is about a trial, and the calls themselves are recorded. */
  async #write({ tenant, bundles }: Group, calls: readonly Comparison[], skipped: number): Promise<void> {
    const different = calls.filter(({ same }) => !same).length;
    const facts = { action: 'shadow_compared', bundles, compared: calls.length, different, skipped, calls: [...calls] };
    await this.#options.record({ kind: 'policy', tenant, facts, detail: {} }).catch(this.#options.onError);
  }
}

function compare(call: Tried, { policies }: Shadow): Comparison {
  const { id, decided, answer } = call;
  const asked = decided === null ? [] : [decided.models.map((model) => ({ ...decided.base, model }))];
  const questions = [...asked, ...answerInputs(call)];
  const answers = questions.map((inputs) => decide(call, policies, inputs));
  const active = [decided?.result, ...answer.inputs.map((each) => memberOf(each, 'result'))].map(effectIn);
  const stricter = answers.find(({ effect }, i) => effect !== active[i]) ?? answers[0];
  return {
    call: id,
    effect: stricter?.effect ?? 'undecided',
    same: answers.every(({ effect }, i) => effect === active[i]),
    rules: stricter?.rules ?? [],
  };
}

function answerInputs({ decided, answer }: Tried): PolicyInput[][] {
  if (decided === null) return [];
  return answer.inputs.map((asked) => [{ ...decided.base, ...(memberOf(asked, 'added') as Partial<PolicyInput>) }]);
}

function decide(
  { current }: Tried,
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
