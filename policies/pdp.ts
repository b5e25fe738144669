import { hash } from 'node:crypto';
import type { Bundle, BundleIdentity } from './bundle.ts';
import { combineBundles, COMBINER_VERSION } from './combine.ts';
import { readDecision, undecided } from './decision.ts';
import type { Decision, Evaluation } from './decision.ts';
import { PolicyError } from './errors.ts';
import type { JsonValue, PolicyInput } from './input.ts';
import { PolicyTrap } from './wasm/host.ts';
import { compilePolicy, createInstance } from './wasm/instance.ts';
import type { PolicyInstance } from './wasm/instance.ts';
import { switchDecision } from './switches.ts';
import { sortedJson } from './sorted-json.ts';
import { createProjection } from './projection.ts';
import type { Projection } from './projection.ts';

/**
 * The policy decision point: compiled bundles behind one synchronous call. Evaluation is synchronous, so one instance
 * for each bundle serves every request of a process; an instance that trapped or grew is replaced by a fresh one.
 */
export interface Pdp {
  /** Evaluates each bundle and combines. Any bundle that is missing or gives no decision makes the whole undecided. */
  evaluate(bundles: readonly string[], input: PolicyInput): Evaluation;
  /** For the ledger. Throws PolicyError `invalid_bundle` for a name that is not loaded. */
  identities(names: readonly string[]): BundleIdentity[];
  readonly combinerVersion: string;
  /** Host, metering and limits: with another value a trap may fall elsewhere. */
  readonly runtime: string;
  /** SHA-256 of the tenant parameters all bundles see as data.tenants, lower hex. */
  readonly parametersDigest: string;
  /** What that is the digest of: JSON with sorted keys. */
  readonly parametersText: string;
  readonly bundles: readonly Bundle[];
}

/** What a decision point is made of. */
export interface PdpOptions {
  readonly bundles: readonly Bundle[];
  /** data.tenants[<tenant id>]; validate with `tenantParameters` before. */
  readonly tenantData: Readonly<Record<string, JsonValue>>;
  /** Memory an evaluation may use beyond the data, in pages of 64 KiB. Default 256 (16 MiB). */
  readonly memoryPages?: number;
  /** Loop turns and calls of one evaluation. Default 5 million; the baseline needs about ten thousand. */
  readonly fuel?: number;
}

const DEFAULT_PAGES = 256;
const DEFAULT_FUEL = 5_000_000;
const PAGE_BYTES = 65_536;
/** Data takes up to 19 times its JSON text in memory (measured). */
const DATA_FACTOR = 24;
/** An instance that grew by more than this in one evaluation is dropped, because memory never shrinks. */
const KEEP_BYTES = 4 * 1024 * 1024;
/** Evaluations kept by what the bundle was shown, and decisions kept by their text. */
const REMEMBERED = 2048;
const REMEMBERED_CHARS = 8192;

/** Compiles every bundle and makes its first instance. Throws PolicyError. */
export async function createPdp(options: PdpOptions): Promise<Pdp> {
  const fuel = options.fuel ?? DEFAULT_FUEL;
  const pages = options.memoryPages ?? DEFAULT_PAGES;
  const parametersText = sortedJson(options.tenantData);
  const engines = new Map<string, Engine>();
  for (const bundle of options.bundles) {
    const { name } = bundle.identity;
    if (engines.has(name)) throw new PolicyError('duplicate_bundle', `two bundles are called ${name}; rename one`);
    const policy = await compilePolicy(bundle.wasm);
    const data = JSON.stringify({ ...bundle.data, tenants: options.tenantData });
    const maximumPages = pages + Math.ceil((Buffer.byteLength(data) * DATA_FACTOR) / PAGE_BYTES);
    engines.set(name, new Engine(bundle, () => createInstance(policy, data, { fuel, maximumPages })));
  }
  return {
    evaluate: (names, input) => evaluateAll(engines, names, input),
    identities: (names) => names.map((name) => findEngine(engines, name).identity),
    combinerVersion: COMBINER_VERSION,
    runtime: `countersign-wasm-2:fuel-${fuel}:pages-${pages}`,
    parametersDigest: hash('sha256', parametersText, 'hex'),
    parametersText,
    bundles: options.bundles,
  };
}

function evaluateAll(engines: ReadonlyMap<string, Engine>, names: readonly string[], input: PolicyInput): Evaluation {
  if (names.length === 0) return undecided('bundle_missing', 'no policy bundle applies');
  const decisions: Decision[] = [];
  for (const name of names) {
    const engine = engines.get(name);
    if (engine === undefined) return undecided('bundle_missing', `the policy bundle ${name} is not loaded`);
    const evaluation = engine.evaluate(input);
    if (evaluation.outcome === 'undecided') return evaluation;
    decisions.push(evaluation.decision);
  }
  const switched = switchDecision(input);
  if (switched !== null) decisions.push(switched);
  const [only] = decisions;
  return only === undefined || decisions.length > 1 ? decided(combineBundles(decisions)) : combinedAlone(only);
}

/** Most calls get the same few decisions, so what follows from one is remembered with it. */
const alone = new WeakMap<Decision, Evaluation>();

function combinedAlone(decision: Decision): Evaluation {
  const known = alone.get(decision);
  if (known !== undefined) return known;
  const evaluation = decided(combineBundles([decision]));
  alone.set(decision, evaluation);
  return evaluation;
}

function decided(decision: Decision): Evaluation {
  return { outcome: 'decided', decision };
}

/**
 * Half a surrogate pair is no character; opa's parser stops at it. A caller who sends one gets a decision about U+FFFD
 * instead of an outage. JSON.stringify writes only such halves as \\ud…, so texts without them cost one search.
 */
function wellFormed(json: string): string {
  if (!json.includes('\\ud')) return json;
  return json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (match) => (match === '\\\\' ? match : '\\ufffd'));
}

function findEngine(engines: ReadonlyMap<string, Engine>, name: string): Engine {
  const engine = engines.get(name);
  if (engine === undefined) throw new PolicyError('invalid_bundle', `the policy bundle ${name} is not loaded`);
  return engine;
}

class Engine {
  readonly identity: BundleIdentity;
  readonly #create: () => PolicyInstance;
  readonly #project: Projection | null;
  #instance: PolicyInstance | null;
  #restBytes: number;
  /** Evaluations by what was shown to the module: it is a function of that and nothing else. */
  readonly #known = new Remembered<Evaluation>();
  /** Checked decisions by the text the module answered: the same text need not be read and checked again. */
  readonly #read = new Remembered<Evaluation>();

  constructor(bundle: Bundle, create: () => PolicyInstance) {
    this.identity = bundle.identity;
    this.#project = bundle.inputPaths === null ? null : createProjection(bundle.inputPaths);
    this.#create = create;
    this.#instance = create();
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

  #readAnswer(text: string): Evaluation {
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const evaluation = this.#check(JSON.parse(text));
    this.#read.set(text, evaluation);
    return evaluation;
  }

  #check(answer: unknown): Evaluation {
    const [first] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    if (typeof first !== 'object' || first === null || !('result' in first)) {
      return undecided('undefined', `${this.identity.name}: the decision is undefined`);
    }
    return readDecision(first.result, this.identity.name);
  }
}

/** A bounded memory in two halves: when the younger is full the older is forgotten. Long texts are not kept. */
class Remembered<Value> {
  #young = new Map<string, Value>();
  #old: ReadonlyMap<string, Value> = new Map();

  get(text: string): Value | undefined {
    const found = this.#young.get(text);
    if (found !== undefined) return found;
    const older = this.#old.get(text);
    if (older !== undefined) this.set(text, older);
    return older;
  }

  set(text: string, value: Value): void {
    if (text.length > REMEMBERED_CHARS) return;
    if (this.#young.size >= REMEMBERED / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }
}

/** Messages of traps name limits and policy positions; of anything else only the kind is told. */
function describe(error: unknown): string {
  if (error instanceof PolicyTrap) return error.message;
  return error instanceof Error ? error.name : 'unknown fault';
}
