import { isTerm, isTest } from './syntax.ts';
import type { RegoFile } from './syntax.ts';

/**
 * Values worth asking about: the literals of the rules themselves and their neighbours, by the names of the fields that
 * stand in the same rule, and what the JSON Schema of a document allows.
 */

export interface Literals {
  readonly texts: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
}

/** Numbers from 0 up to, not including, 1. The same seed gives the same numbers. */
export type Random = () => number;

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

const MAX_ITEMS = 2;
const OPTIONAL_SHARE = 0.3;
/** What a field may be when no rule has a literal for it. */
const PLAIN_TEXT = 'x';

/** A small generator with 32 bits of state (mulberry32); nothing here needs to be hard to guess. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** The literals of every rule, under each name that stands in a reference of the same rule. */
export function literalsByName(files: readonly RegoFile[]): Map<string, Literals> {
  const byName = new Map<string, { texts: Set<string>; numbers: Set<number> }>();
  for (const rule of files.filter((file) => !isTest(file)).flatMap(({ rules }) => rules)) {
    const found = { names: new Set<string>(), texts: new Set<string>(), numbers: new Set<number>() };
    collect(rule, found);
    for (const name of found.names) {
      const known = byName.get(name) ?? { texts: new Set(), numbers: new Set() };
      for (const text of found.texts) known.texts.add(text);
      for (const number of found.numbers) known.numbers.add(number);
      byName.set(name, known);
    }
  }
  return byName;
}

function collect(node: unknown, found: { names: Set<string>; texts: Set<string>; numbers: Set<number> }): void {
  if (Array.isArray(node)) {
    for (const item of node) collect(item, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  if (isTerm(node) && node.type === 'ref' && Array.isArray(node.value)) {
    for (const part of node.value.slice(1))
      if (isTerm(part) && part.type === 'string') found.names.add(String(part.value));
  } else if (isTerm(node) && node.type === 'string') found.texts.add(String(node.value));
  else if (isTerm(node) && node.type === 'number') found.numbers.add(Number(node.value));
  for (const [key, value] of Object.entries(node)) {
    if (key === 'annotations' || key === 'location') continue;
    collect(isTerm(node) && node.type === 'ref' ? withoutNames(value) : value, found);
  }
}

/** The names of a reference are no literals. */
function withoutNames(value: unknown): unknown {
  return Array.isArray(value) ? value.filter((part) => !(isTerm(part) && part.type === 'string')) : value;
}

/** Values of a schema, drawn from literals where there are any. */
export class Sampler {
  readonly #literals: ReadonlyMap<string, Literals>;
  readonly #random: Random;

  constructor(literals: ReadonlyMap<string, Literals>, random: Random) {
    this.#literals = literals;
    this.#random = random;
  }

  /** @param name of the field, by which literals are found; undefined when the schema allows nothing we know */
  sample(schema: object, name: string): unknown {
    const known = schema as JsonSchema;
    if (known.anyOf !== undefined) {
      const chosen = pick(known.anyOf, this.#random);
      return chosen === undefined ? undefined : this.sample(chosen, name);
    }
    if (known.const !== undefined) return known.const;
    if (known.enum !== undefined) return pick(known.enum, this.#random);
    return this.#ofType(known, name);
  }

  #ofType(schema: JsonSchema, name: string): unknown {
    switch (schema.type) {
      case 'null':
        return null;
      case 'boolean':
        return this.#random() < 0.5;
      case 'integer':
      case 'number':
        return this.#number(schema, name);
      case 'string':
        return this.#text(schema, name);
      case 'array':
        return this.#list(schema, name);
      case 'object':
        return this.#object(schema, name);
      default:
        return undefined;
    }
  }

  #number({ minimum = 0, exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema, name: string): number {
    const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1;
    const literals = [...(this.#literals.get(name)?.numbers ?? [])].filter(Number.isSafeInteger);
    const near = [0, 1, ...literals.flatMap((n) => [n - 1, n, n + 1])];
    return (
      pick(
        near.filter((n) => n >= least && n <= maximum),
        this.#random,
      ) ?? least
    );
  }

  #text({ pattern }: JsonSchema, name: string): string | undefined {
    const texts = [PLAIN_TEXT, ...(this.#literals.get(name)?.texts ?? [])].flatMap(likeIt);
    // The pattern is one of our own published schemas.
    const fitting = pattern === undefined ? texts : texts.filter((text) => new RegExp(pattern, 'u').test(text));
    return pick(fitting, this.#random);
  }

  #list({ items }: JsonSchema, name: string): unknown[] {
    if (items === undefined) return [];
    const length = Math.floor(this.#random() * (MAX_ITEMS + 1));
    return Array.from({ length }, () => this.sample(items, name)).filter((item) => item !== undefined);
  }

  #object(schema: JsonSchema, name: string): Record<string, unknown> {
    const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
    const members = Object.entries(properties).flatMap(([key, property]): (readonly [string, unknown])[] => {
      if (!required.includes(key) && this.#random() > OPTIONAL_SHARE) return [];
      return [[key, this.sample(property, key)]];
    });
    if (typeof additionalProperties === 'object' && this.#random() < 0.5) {
      const found = this.sample(propertyNames ?? { type: 'string' }, name);
      const key = typeof found === 'string' ? found : PLAIN_TEXT;
      members.push([key, this.sample(additionalProperties, key)]);
    }
    return Object.fromEntries(members.filter(([, value]) => value !== undefined));
  }
}

/** A literal may be a pattern or a beginning: something that fits, and something that almost does. */
function likeIt(text: string): string[] {
  if (text.includes('*')) return [text, text.replace('*', 'x')];
  return /[./:-]$/.test(text) ? [text, `${text}x`] : [text];
}
