import type { Bundle } from '../bundle.ts';
import type { Decision } from '../decision.ts';
import { createPolicyInput, policyTime } from '../input.ts';
import type { JsonValue, PolicyInput } from '../input.ts';
import { createPdp } from '../pdp.ts';
import type { Pdp } from '../pdp.ts';
import { policySchemas } from '../schema.ts';
import { sortedJson } from '../sorted-json.ts';
import { createRandom, literalsByName, pick, Sampler } from './domain.ts';
import type { Random } from './domain.ts';
import type { RegoFile } from './syntax.ts';

/**
 * Searches for inputs on which base and head decide differently: one harmless call, with a few fields set to values the
 * rules themselves speak of. What is found is shrunk to the fewest and shortest fields that still make the difference.
 */

export interface GeneratedOptions {
  readonly base: Bundle;
  readonly head: Bundle;
  /** Of both sides: their literals are the values tried. */
  readonly files: readonly RegoFile[];
  /** How many inputs are tried. */
  readonly inputs: number;
  readonly seed: number;
}

/** One way in which base and head differ, with the shortest input found that shows it. */
export interface Difference {
  readonly from: string;
  readonly to: string;
  readonly rules: readonly string[];
  /** Inputs of this kind among those tried. */
  readonly inputs: number;
  /** Fields that differ from the harmless call. */
  readonly fields: Readonly<Record<string, JsonValue>>;
  readonly parameters: JsonValue;
}

export interface GeneratedReport {
  readonly inputs: number;
  readonly different: number;
  readonly seed: number;
  readonly differences: readonly Difference[];
}

/** Fields by path (`section` or `section.member`) and the tenant whose parameters apply. */
interface Variation {
  readonly fields: ReadonlyMap<string, JsonValue>;
  readonly tenant: string;
}

const VARIANTS = 40;
const MAX_KINDS = 40;
const MAX_FIELDS = 4;
/** Identity and bookkeeping; rules do not decide by their values but by their presence. */
const FIXED: ReadonlySet<string> = new Set(['version', 'call', 'time.iso', 'tenant.id']);

export async function compareGenerated({
  base,
  head,
  files,
  inputs,
  seed,
}: GeneratedOptions): Promise<GeneratedReport> {
  const random = createRandom(seed);
  const sampler = new Sampler(literalsByName(files), random);
  const tenantData = parameterVariants(sampler, random);
  const [before, after] = [
    await createPdp({ bundles: [base], tenantData }),
    await createPdp({ bundles: [head], tenantData }),
  ];
  const search = new Search(before, after, base.identity.name, head.identity.name);
  const paths = fieldPaths(base, head);
  for (let tried = 0; tried < inputs; tried += 1) search.try(vary(paths, sampler, random, tried));
  return { inputs, different: search.different, seed, differences: search.differences(tenantData) };
}

/** The first has no parameters; each of the others few, so that a difference needs no more than it needs. */
function parameterVariants(sampler: Sampler, random: Random): Record<string, JsonValue> {
  const schema = policySchemas()['parameters.schema.json'] as { properties: Record<string, object> };
  const sections = Object.entries(schema.properties);
  const variants: [string, JsonValue][] = [['t0', {}]];
  for (let i = 1; i <= Math.max(VARIANTS, 2 * sections.length); i += 1) {
    const chosen = [sections[i % sections.length], ...(random() < 0.3 ? [pick(sections, random)] : [])];
    const members = chosen.flatMap((section) => {
      const value = section === undefined ? undefined : sampler.sample(section[1], section[0]);
      return section === undefined || value === undefined ? [] : [[section[0], value] as const];
    });
    variants.push([`t${String(i)}`, Object.fromEntries(members) as JsonValue]);
  }
  return Object.fromEntries(variants);
}

interface Field {
  readonly path: string;
  readonly schema: object;
}

/** Every field the rules of either side look at; all of them when that is not known. */
function fieldPaths({ inputPaths: a }: Bundle, { inputPaths: b }: Bundle): Field[] {
  const looked = a === null || b === null ? null : [...a, ...b];
  const sees = (path: string): boolean =>
    looked === null || looked.some((one) => one === path || path.startsWith(`${one}.`) || one.startsWith(`${path}.`));
  const { properties } = policySchemas()['input.schema.json'] as { properties: Record<string, SectionSchema> };
  return Object.entries(properties)
    .flatMap(([section, schema]): Field[] => {
      const members = Object.entries(
        (schema.anyOf?.find((one) => one.properties !== undefined) ?? schema).properties ?? {},
      );
      const whole = members.length === 0 || schema.anyOf !== undefined ? [{ path: section, schema }] : [];
      return [...whole, ...members.map(([name, member]) => ({ path: `${section}.${name}`, schema: member }))];
    })
    .filter(({ path }) => sees(path) && !FIXED.has(path) && !FIXED.has(path.split('.')[0] ?? ''));
}

interface SectionSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly anyOf?: readonly SectionSchema[];
}

/** One field at a time first, then up to four together. */
function vary(fields: readonly Field[], sampler: Sampler, random: Random, tried: number): Variation {
  const count = tried < fields.length * 20 ? 1 : 1 + Math.floor(random() * MAX_FIELDS);
  const chosen = Array.from({ length: count }, (_, i) =>
    count === 1 && i === 0 && tried < fields.length * 20 ? fields[tried % fields.length] : pick(fields, random),
  );
  const values = chosen.flatMap((field): [string, JsonValue][] => {
    const value = field === undefined ? undefined : sampler.sample(field.schema, field.path.split('.').at(-1) ?? '');
    return field === undefined || value === undefined ? [] : [[field.path, value as JsonValue]];
  });
  const tenant = random() < 0.3 ? 't0' : `t${String(1 + Math.floor(random() * VARIANTS))}`;
  return { fields: new Map(values), tenant };
}

interface Kind {
  readonly from: string;
  readonly to: string;
  readonly rules: readonly string[];
  inputs: number;
  shortest: Variation;
}

class Search {
  different = 0;
  readonly #before: Pdp;
  readonly #after: Pdp;
  readonly #names: readonly [string, string];
  readonly #kinds = new Map<string, Kind>();

  constructor(before: Pdp, after: Pdp, baseName: string, headName: string) {
    this.#before = before;
    this.#after = after;
    this.#names = [baseName, headName];
  }

  try(variation: Variation): void {
    const found = this.#compare(variation);
    if (found === null) return;
    this.different += 1;
    const id = sortedJson(found);
    const known = this.#kinds.get(id);
    if (known === undefined) {
      if (this.#kinds.size < MAX_KINDS) this.#kinds.set(id, { ...found, inputs: 1, shortest: variation });
      return;
    }
    known.inputs += 1;
    if (sizeOf(variation) < sizeOf(known.shortest)) known.shortest = variation;
  }

  differences(tenantData: Readonly<Record<string, JsonValue>>): Difference[] {
    return [...this.#kinds.entries()]
      .map(([id, kind]) => {
        const { fields, tenant } = this.#shrink(id, kind.shortest);
        const { from, to, rules, inputs } = kind;
        return { from, to, rules, inputs, fields: Object.fromEntries(fields), parameters: tenantData[tenant] ?? {} };
      })
      .toSorted((a, b) => b.inputs - a.inputs);
  }

  #compare(variation: Variation): Pick<Kind, 'from' | 'to' | 'rules'> | null {
    const input = buildInput(variation);
    const [old, next] = [this.#before.evaluate([this.#names[0]], input), this.#after.evaluate([this.#names[1]], input)];
    if (old.outcome === 'undecided' || next.outcome === 'undecided') {
      const [from, to] = [old, next].map((one) =>
        one.outcome === 'decided' ? one.decision.effect : `undecided (${one.code})`,
      );
      return from === to ? null : { from: from ?? '', to: to ?? '', rules: [] };
    }
    if (old.decision === next.decision || sortedJson(old.decision) === sortedJson(next.decision)) return null;
    return { from: old.decision.effect, to: next.decision.effect, rules: changedParts(old.decision, next.decision) };
  }

  /** Takes fields away, then makes lists and texts shorter, as long as the difference is of the same kind. */
  #shrink(id: string, found: Variation): Variation {
    let best = found;
    for (let again = true; again;) {
      again = false;
      for (const smaller of shorter(best)) {
        const kind = this.#compare(smaller);
        if (kind === null || sortedJson(kind) !== id) continue;
        best = smaller;
        again = true;
        break;
      }
    }
    return best;
  }
}

function changedParts(old: Decision, next: Decision): string[] {
  const before = new Set(old.reasons.map(({ rule }) => rule));
  const after = new Set(next.reasons.map(({ rule }) => rule));
  const rules = [...new Set([...before, ...after])].filter((rule) => before.has(rule) !== after.has(rule));
  if (rules.length > 0) return rules.toSorted();
  const types = (decision: Decision): string[] => decision.obligations.map(({ type }) => type);
  if (sortedJson(old.obligations) === sortedJson(next.obligations)) return ['(reasons)'];
  return [...new Set([...types(old), ...types(next)])].toSorted().map((type) => `obligation ${type}`);
}

function sizeOf({ fields, tenant }: Variation): number {
  return JSON.stringify([...fields]).length + (tenant === 't0' ? 0 : 1000);
}

/** Every variation one step shorter, the boldest first. */
function* shorter({ fields, tenant }: Variation): Generator<Variation> {
  if (tenant !== 't0') yield { fields, tenant: 't0' };
  for (const path of fields.keys()) yield { fields: new Map([...fields].filter(([key]) => key !== path)), tenant };
  for (const [path, value] of fields) {
    if (typeof value === 'number' && value > 0) yield { fields: new Map(fields).set(path, value - 1), tenant };
    if (!Array.isArray(value)) continue;
    for (const i of value.keys()) yield { fields: new Map(fields).set(path, value.toSpliced(i, 1)), tenant };
  }
}

/** A chat request to a local model that carries nothing. */
const HARMLESS: PolicyInput = createPolicyInput({
  point: 'model.request',
  call: { id: 'cs-generated', parent: null, run: null, turn: null },
  time: policyTime(Date.UTC(2026, 0, 5, 10)),
  tenant: { id: 't0', region: null, frameworks: [], labels: {} },
  principal: { type: 'user', id: 'u1', roles: ['caller'], groups: [], claims: {}, assurance: null },
  model: {
    requested: 'model-a',
    provider: 'provider-a',
    deployment: 'provider-a/model-a',
    model: 'model-a',
    region: 'local',
    family: 'family-a',
    hosting: 'local',
    retention_days: 0,
    trains_on_data: false,
    tags: [],
  },
  request: {
    api: 'openai.chat',
    stream: false,
    max_tokens: null,
    messages: 1,
    bytes: 100,
    tokens_estimate: 25,
    modalities: ['text'],
    urls: [],
    digest: 'd1',
  },
});

function buildInput({ fields, tenant }: Variation): PolicyInput {
  const input: Record<string, unknown> = { ...HARMLESS, tenant: { ...HARMLESS.tenant, id: tenant } };
  // Sections before their members, so that a member is set in what stands there.
  for (const [path, value] of [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [section = '', member] = path.split('.');
    const whole = input[section];
    if (member === undefined) input[section] = value;
    else if (typeof whole === 'object' && whole !== null) input[section] = { ...whole, [member]: value };
  }
  return input as unknown as PolicyInput;
}
