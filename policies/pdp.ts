import { hash } from 'node:crypto';
import type { Bundle, BundleIdentity } from './bundle.ts';
import { combineBundles, COMBINER_VERSION } from './combine.ts';
import { undecided } from './decision.ts';
import type { Decision, DecidedEvaluation, Evaluation } from './decision.ts';
import { Engine } from './engine.ts';
import { PolicyError } from './errors.ts';
import type { DescribedBody } from './fired.ts';
import type { JsonValue, PolicyInput } from './input.ts';
import { switchDecision } from './switches.ts';
import { sortedJson } from './sorted-json.ts';
import { compilePolicy } from './wasm/instance.ts';

/**
 * The policy decision point: compiled bundles behind one synchronous call. Evaluation is synchronous, so one instance
 * for each bundle serves every request of a process; an instance that trapped or grew is replaced by a fresh one.
 */
export interface Pdp {
  /** Evaluates each bundle and combines. Any bundle that is missing or gives no decision makes the whole undecided. */
  evaluate(bundles: readonly string[], input: PolicyInput): Evaluation;
  /**
   * The same for an input of somebody else's making, as JSON text; an empty text is an input that is not there. Nothing but
   * the bundles decides: switches and waivers are facts of our own inputs.
   */
  evaluateText(bundles: readonly string[], inputJson: string): Evaluation;
  /** For the ledger. Throws PolicyError `invalid_bundle` for a name that is not loaded. */
  identities(names: readonly string[]): BundleIdentity[];
  /**
   * The bodies of a bundle's rules with their METADATA, in the order of the bits of FiredRules. Throws PolicyError
   * `invalid_bundle` for a name that is not loaded.
   */
  bodies(name: string): readonly DescribedBody[];
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
  /**
   * Loop turns and calls of one evaluation beyond reading its input. Default 1 million, which take about 10 ms at most; the
   * baseline needs about six thousand, 1,000 rules forty thousand (docs/decisions/0029).
   */
  readonly fuel?: number;
}

const DEFAULT_PAGES = 256;
const DEFAULT_FUEL = 1_000_000;
const PAGE_BYTES = 65_536;
/** Data takes up to 19 times its JSON text in memory (measured). */
const DATA_FACTOR = 24;

/** Compiles every bundle and makes its first instance. Throws PolicyError. */
export async function createPdp(options: PdpOptions): Promise<Pdp> {
  const fuel = options.fuel ?? DEFAULT_FUEL;
  const pages = options.memoryPages ?? DEFAULT_PAGES;
  const parametersText = sortedJson(options.tenantData);
  const engines = new Map<string, Engine>();
  for (const bundle of options.bundles) {
    const name = bundle.installedAs ?? bundle.identity.name;
    if (engines.has(name)) throw new PolicyError('duplicate_bundle', `two bundles are called ${name}; rename one`);
    const policy = await compilePolicy(bundle.wasm);
    const data = JSON.stringify({ ...bundle.data, tenants: options.tenantData });
    const maximumPages = pages + Math.ceil((Buffer.byteLength(data) * DATA_FACTOR) / PAGE_BYTES);
    engines.set(name, new Engine(bundle, policy, data, { fuel, maximumPages }));
  }
  return {
    evaluate: (names, input) => evaluateAll(engines, names, (engine) => engine.evaluate(input), switchDecision(input)),
    evaluateText: (names, json) => evaluateAll(engines, names, (engine) => engine.evaluateText(json), null),
    identities: (names) => names.map((name) => findEngine(engines, name).identity),
    bodies: (name) => findEngine(engines, name).bodies,
    combinerVersion: COMBINER_VERSION,
    runtime: `countersign-wasm-5:fuel-${fuel}:pages-${pages}`,
    parametersDigest: hash('sha256', parametersText, 'hex'),
    parametersText,
    bundles: options.bundles,
  };
}

function evaluateAll(
  engines: ReadonlyMap<string, Engine>,
  names: readonly string[],
  evaluate: (engine: Engine) => Evaluation,
  switched: Decision | null,
): Evaluation {
  if (names.length === 0) return undecided('bundle_missing', 'no policy bundle applies');
  const decided: DecidedEvaluation[] = [];
  for (const name of names) {
    const engine = engines.get(name);
    if (engine === undefined) return undecided('bundle_missing', `the policy bundle ${name} is not loaded`);
    const evaluation = evaluate(engine);
    if (evaluation.outcome === 'undecided') return evaluation;
    decided.push(evaluation);
  }
  if (switched === null) return rememberedCombination(decided);
  return combine([...decided, { outcome: 'decided', decision: switched, fired: [] }]);
}

/** What the decisions on the way to it come to, and how it goes on with one more. */
interface Combinations {
  evaluation: Evaluation | null;
  readonly more: WeakMap<DecidedEvaluation, Combinations>;
}

const start: Combinations = { evaluation: null, more: new WeakMap() };

/** Most calls get the same few decisions from each bundle, so what follows from them is remembered with them. */
function rememberedCombination(decided: readonly DecidedEvaluation[]): Evaluation {
  let at = start;
  for (const one of decided) {
    const next = at.more.get(one) ?? { evaluation: null, more: new WeakMap() };
    at.more.set(one, next);
    at = next;
  }
  at.evaluation ??= combine(decided);
  return at.evaluation;
}

function combine(decided: readonly DecidedEvaluation[]): Evaluation {
  return {
    outcome: 'decided',
    decision: combineBundles(decided.map(({ decision }) => decision)),
    fired: decided.flatMap(({ fired }) => fired),
  };
}

function findEngine(engines: ReadonlyMap<string, Engine>, name: string): Engine {
  const engine = engines.get(name);
  if (engine === undefined) throw new PolicyError('invalid_bundle', `the policy bundle ${name} is not loaded`);
  return engine;
}
