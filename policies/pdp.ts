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
const REMEMBERED_DECISIONS = 256;
const REMEMBERED_CHARS = 8192;

/** Compiles every bundle and makes its first instance. Throws PolicyError. */
export async function createPdp(options: PdpOptions): Promise<Pdp> {
  const fuel = options.fuel ?? DEFAULT_FUEL;
  const pages = options.memoryPages ?? DEFAULT_PAGES;
  const engines = new Map<string, Engine>();
  for (const bundle of options.bundles) {
    const { name } = bundle.identity;
    if (engines.has(name)) throw new PolicyError('duplicate_bundle', `two bundles are called ${name}; rename one`);
    const policy = await compilePolicy(bundle.wasm);
    const data = JSON.stringify({ ...bundle.data, tenants: options.tenantData });
    const maximumPages = pages + Math.ceil((Buffer.byteLength(data) * DATA_FACTOR) / PAGE_BYTES);
    engines.set(name, new Engine(bundle.identity, () => createInstance(policy, data, { fuel, maximumPages })));
  }
  return {
    evaluate: (names, input) => evaluateAll(engines, names, input),
    identities: (names) => names.map((name) => findEngine(engines, name).identity),
    combinerVersion: COMBINER_VERSION,
    runtime: `countersign-wasm-1:fuel-${fuel}:pages-${pages}`,
    parametersDigest: hash('sha256', JSON.stringify(sortKeys(options.tenantData)), 'hex'),
  };
}

function evaluateAll(engines: ReadonlyMap<string, Engine>, names: readonly string[], input: PolicyInput): Evaluation {
  if (names.length === 0) return undecided('bundle_missing', 'no policy bundle applies');
  const json = wellFormed(JSON.stringify(input));
  const decisions: Decision[] = [];
  for (const name of names) {
    const engine = engines.get(name);
    if (engine === undefined) return undecided('bundle_missing', `the policy bundle ${name} is not loaded`);
    const evaluation = engine.evaluate(json);
    if (evaluation.outcome === 'undecided') return evaluation;
    decisions.push(evaluation.decision);
  }
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
  #instance: PolicyInstance | null;
  #restBytes: number;
  /** Checked decisions by the text the module answered: the same text need not be read and checked again. */
  readonly #read = new Map<string, Evaluation>();

  constructor(identity: BundleIdentity, create: () => PolicyInstance) {
    this.identity = identity;
    this.#create = create;
    this.#instance = create();
    this.#restBytes = this.#instance.memoryBytes;
  }

  evaluate(inputJson: string): Evaluation {
    const kept = this.#instance;
    this.#instance = null;
    try {
      const instance = kept ?? this.#create();
      const answer = instance.evaluate(inputJson);
      if (instance.memoryBytes - this.#restBytes <= KEEP_BYTES) this.#instance = instance;
      return this.#remembered(answer);
    } catch (error) {
      return undecided(error instanceof PolicyTrap ? error.code : 'trap', `${this.identity.name}: ${describe(error)}`);
    }
  }

  #remembered(text: string): Evaluation {
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const evaluation = this.#check(JSON.parse(text));
    if (text.length <= REMEMBERED_CHARS) {
      if (this.#read.size >= REMEMBERED_DECISIONS) this.#read.clear();
      this.#read.set(text, evaluation);
    }
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

/** Messages of traps name limits and policy positions; of anything else only the kind is told. */
function describe(error: unknown): string {
  if (error instanceof PolicyTrap) return error.message;
  return error instanceof Error ? error.name : 'unknown fault';
}

function sortKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]): [string, JsonValue] => [key, sortKeys(item)]),
  );
}
