import type { Bundle, BundleIdentity } from './bundle.ts';
import { readDecision, undecided } from './decision.ts';
import type { Evaluation } from './decision.ts';
import { describeBodies, firedNames, writeBits } from './fired.ts';
import type { DescribedBody } from './fired.ts';
import type { PolicyInput } from './input.ts';
import { createProjection } from './projection.ts';
import type { Projection } from './projection.ts';
import { Remembered } from './remembered.ts';
import { PolicyTrap } from './wasm/host.ts';
import { instanceMaker } from './wasm/instance.ts';
import type { Answer, CompiledPolicy, InstanceLimits, PolicyInstance } from './wasm/instance.ts';

/** An instance that grew by more than this in one evaluation is dropped, because memory never shrinks. */
const KEEP_BYTES = 4 * 1024 * 1024;

/** One compiled bundle with its data: from an input to a checked decision. */
export class Engine {
  readonly identity: BundleIdentity;
  readonly bodies: readonly DescribedBody[];
  readonly #create: () => PolicyInstance;
  readonly #project: Projection | null;
  #instance: PolicyInstance | null;
  #restBytes: number;
  /** Evaluations by what was shown to the module: it is a function of that and nothing else. */
  readonly #known = new Remembered<Evaluation>();
  /** Checked decisions by what the module answered: the same text need not be read and checked again. */
  readonly #read = new Remembered<Evaluation>();

  /** Throws PolicyError when no instance can be made. */
  constructor(bundle: Bundle, policy: CompiledPolicy, dataJson: string, limits: InstanceLimits) {
    this.identity = bundle.identity;
    this.bodies = describeBodies(policy.bodies, bundle.rules);
    this.#project = bundle.inputPaths === null ? null : createProjection(bundle.inputPaths);
    this.#create = instanceMaker(policy, dataJson, limits);
    this.#instance = this.#create();
    this.#restBytes = this.#instance.memoryBytes;
  }

  evaluate(input: PolicyInput): Evaluation {
    if (this.#project === null) return this.#run(JSON.stringify(input));
    const shown = this.#project(input);
    const known = this.#known.get(shown);
    if (known !== undefined) return known;
    const evaluation = this.#run(shown);
    // What stopped an evaluation may lie in its instance, so only decisions are kept.
    if (evaluation.outcome === 'decided') this.#known.set(shown, evaluation);
    return evaluation;
  }

  /** An input of another making than ours, shown as it is; empty: there is none. */
  evaluateText(inputJson: string): Evaluation {
    return this.#run(inputJson);
  }

  #run(inputJson: string): Evaluation {
    const kept = this.#instance;
    this.#instance = null;
    try {
      const instance = kept ?? this.#create();
      const answer = instance.evaluate(wellFormed(inputJson));
      if (instance.memoryBytes - this.#restBytes <= KEEP_BYTES) this.#instance = instance;
      return this.#readAnswer(answer);
    } catch (error) {
      return undecided(error instanceof PolicyTrap ? error.code : 'trap', `${this.identity.name}: ${describe(error)}`);
    }
  }

  #readAnswer({ text, marks }: Answer): Evaluation {
    const key = marks.join(' ') + text;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const evaluation = this.#check(JSON.parse(text), writeBits(marks));
    this.#read.set(key, evaluation);
    return evaluation;
  }

  #check(answer: unknown, bits: string): Evaluation {
    const bundle = this.identity.name;
    const [first] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    if (typeof first !== 'object' || first === null || !('result' in first)) {
      return undecided('undefined', `${bundle}: the decision is undefined`);
    }
    const read = readDecision(first.result, bundle);
    if (read.outcome === 'undecided') return read;
    return { ...read, fired: [{ bundle, rules: firedNames(bits, this.bodies), bits }] };
  }
}

/**
 * Half a surrogate pair is no character; opa's parser stops at it. A caller who sends one gets a decision about U+FFFD
 * instead of an outage. JSON.stringify writes only such halves as \\ud…, so texts without them cost one search.
 */
function wellFormed(json: string): string {
  if (!json.includes('\\ud')) return json;
  return json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (match) => (match === '\\\\' ? match : '\\ufffd'));
}

/** Messages of traps name limits and policy positions; of anything else only the kind is told. */
function describe(error: unknown): string {
  if (error instanceof PolicyTrap) return error.message;
  return error instanceof Error ? error.name : 'unknown fault';
}
