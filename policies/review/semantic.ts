import { sortedJson } from '../sorted-json.ts';
import { branches, isTerm, isTest, placeText, ruleName } from './syntax.ts';
import type { RegoFile, Rule, Term } from './syntax.ts';

/**
 * What a change of Rego means, not how it is written: rules are compared as opa parses them, without places, comments,
 * formatting, the order of definitions and files, the names of imports and of local variables.
 */

export interface RuleText {
  /** `data.<package>.<name>` */
  readonly name: string;
  readonly file: string;
  readonly row: number;
  /** All definitions as written. */
  readonly text: string;
}

/** One definition of a rule, with rule id, title, severity and controls of its METADATA, where it has them. */
export interface RuleAbout {
  readonly file: string;
  readonly row: number;
  readonly id: string | null;
  readonly title: string | null;
  readonly severity: string | null;
  readonly controls: readonly string[];
}

export interface RuleChange {
  readonly name: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'metadata';
  /** The first definition that differs: of the head, or of the base when only definitions of it are gone. */
  readonly about: RuleAbout;
  readonly before: RuleText | null;
  readonly after: RuleText | null;
}

export interface SemanticDiff {
  readonly changes: readonly RuleChange[];
  readonly unchanged: number;
  /** Rules whose text differs and whose meaning does not. */
  readonly rewritten: number;
}

interface Known extends RuleText {
  readonly definitions: readonly Definition[];
}

interface Definition {
  readonly about: RuleAbout;
  readonly meaning: string;
  readonly metadata: string;
}

/** Tests are left out: they decide nothing. */
export function compareRules(before: readonly RegoFile[], after: readonly RegoFile[]): SemanticDiff {
  const [old, next] = [collect(before), collect(after)];
  const changes: RuleChange[] = [];
  let rewritten = 0;
  for (const name of [...new Set([...old.keys(), ...next.keys()])].toSorted()) {
    const [was, is] = [old.get(name) ?? null, next.get(name) ?? null];
    const kind = kindOf(was, is);
    const about = firstDifference(was, is);
    if (kind !== null && about !== undefined) changes.push({ name, kind, about, before: shown(was), after: shown(is) });
    else if (was?.text !== is?.text) rewritten += 1;
  }
  return { changes, unchanged: next.size - changes.filter(({ after: is }) => is !== null).length, rewritten };
}

function kindOf(was: Known | null, is: Known | null): RuleChange['kind'] | null {
  if (was === null) return 'added';
  if (is === null) return 'removed';
  if (together(was, 'meaning') !== together(is, 'meaning')) return 'changed';
  return together(was, 'metadata') === together(is, 'metadata') ? null : 'metadata';
}

/** Their order means nothing. */
function together({ definitions }: Known, what: 'meaning' | 'metadata'): string {
  return definitions
    .map((definition) => definition[what])
    .toSorted()
    .join('\n');
}

function firstDifference(was: Known | null, is: Known | null): RuleAbout | undefined {
  const [old, next] = [was?.definitions ?? [], is?.definitions ?? []];
  const isIn =
    (list: readonly Definition[]) =>
    ({ meaning, metadata }: Definition): boolean =>
      list.some((other) => other.meaning === meaning && other.metadata === metadata);
  const differs = next.find((one) => !isIn(old)(one)) ?? old.find((one) => !isIn(next)(one));
  return (differs ?? next[0])?.about;
}

function shown(known: Known | null): RuleText | null {
  if (known === null) return null;
  const { definitions: _definitions, ...text } = known;
  return text;
}

function collect(files: readonly RegoFile[]): Map<string, Known> {
  const groups = new Map<string, { file: RegoFile; rules: Rule[] }>();
  for (const file of files) {
    if (isTest(file)) continue;
    for (const rule of file.rules) {
      const name = ruleName(file, rule);
      const group = groups.get(name) ?? { file, rules: [] };
      group.rules.push(rule);
      groups.set(name, group);
    }
  }
  return new Map([...groups].map(([name, { file, rules }]) => [name, describe(name, file, rules)]));
}

function describe(name: string, file: RegoFile, rules: readonly Rule[]): Known {
  return {
    name,
    file: file.path,
    row: rules[0]?.location.row ?? 1,
    text: rules.map((rule) => wholeText(file, rule)).join('\n\n'),
    definitions: rules.map((rule) => define(file, rule)),
  };
}

function define(file: RegoFile, rule: Rule): Definition {
  const annotations = branches(rule).flatMap((branch) => branch.annotations ?? []);
  const titled = annotations.find(({ scope }) => scope === 'rule' || scope === 'document');
  const { rule: id, severity, controls } = titled?.custom ?? {};
  return {
    about: {
      file: file.path,
      row: rule.location.row,
      id: typeof id === 'string' ? id : null,
      title: titled?.title ?? null,
      severity: typeof severity === 'string' ? severity : null,
      controls: Array.isArray(controls) ? controls.map(String) : [],
    },
    meaning: meaningOf(file, rule),
    metadata: annotations
      .map((annotation) => sortedJson(withoutPlaces(annotation)))
      .toSorted()
      .join('\n'),
  };
}

/** opa gives a default rule the place of its keyword alone. */
function wholeText({ source }: RegoFile, { location, default: isDefault }: Rule): string {
  const text = placeText(location);
  return isDefault === true ? (source.split('\n')[location.row - 1] ?? text) : text;
}

/** The same text for rules that mean the same. */
function meaningOf(file: RegoFile, rule: Rule): string {
  const imports = new Map(
    file.imports.flatMap(({ path, alias }) => {
      const parts = pathOf(path);
      const name = alias ?? parts.at(-1);
      return name === undefined ? [] : [[name, parts] as const];
    }),
  );
  const rules = new Set(file.rules.map(({ head }) => String(head.ref[0]?.value)));
  return JSON.stringify(new Reading(imports, rules).read(rule));
}

function pathOf({ value }: Term): string[] {
  return Array.isArray(value) ? value.filter(isTerm).map((term) => String(term.value)) : [];
}

const GLOBAL: ReadonlySet<string> = new Set(['input', 'data']);
const SKIPPED: ReadonlySet<string> = new Set(['location', 'annotations', 'index']);

/** Walks a rule once; local variables are numbered as they appear. */
class Reading {
  readonly #imports: ReadonlyMap<string, readonly string[]>;
  readonly #rules: ReadonlySet<string>;
  readonly #locals = new Map<string, string>();

  constructor(imports: ReadonlyMap<string, readonly string[]>, rules: ReadonlySet<string>) {
    this.#imports = imports;
    this.#rules = rules;
  }

  read(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((item) => this.read(item));
    if (isTerm(node)) return this.#readTerm(node);
    if (typeof node !== 'object' || node === null) return node;
    const members = Object.entries(node).filter(([key]) => !SKIPPED.has(key));
    return members
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, key === 'terms' && Array.isArray(value) ? this.#readCall(value) : this.read(value)]);
  }

  #readTerm({ type, value }: Term): unknown {
    if (type === 'var') return this.#readVariable(String(value));
    if (type === 'call' && Array.isArray(value)) return [type, this.#readCall(value)];
    if (type !== 'ref' || !Array.isArray(value)) return [type, this.read(value)];
    const [head, ...rest] = value as readonly unknown[];
    return [type, ...this.#readHead(head), ...rest.map((part) => this.read(part))];
  }

  /** A function is named by its first reference and is no variable. */
  #readCall([operator, ...operands]: readonly unknown[]): unknown {
    const parts = isTerm(operator) && Array.isArray(operator.value) ? (operator.value as readonly unknown[]) : [];
    const [head, ...rest] = parts;
    const name =
      isTerm(head) && this.#imports.has(String(head.value)) ? this.#readHead(head) : [isTerm(head) ? head.value : null];
    return [[...name, ...rest.map((part) => this.read(part))], ...operands.map((operand) => this.read(operand))];
  }

  #readHead(head: unknown): readonly unknown[] {
    const path = isTerm(head) && head.type === 'var' ? this.#imports.get(String(head.value)) : undefined;
    if (path === undefined) return [this.read(head)];
    return path.map((part, i) => (i === 0 ? part : ['string', part]));
  }

  #readVariable(name: string): unknown {
    if (GLOBAL.has(name) || this.#rules.has(name)) return name;
    const path = this.#imports.get(name);
    if (path !== undefined) return ['ref', ...path.map((part, i) => (i === 0 ? part : ['string', part]))];
    const local = this.#locals.get(name) ?? `$${String(this.#locals.size)}`;
    this.#locals.set(name, local);
    return local;
  }
}

function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'location')
      .map(([key, value]) => [key, withoutPlaces(value)]),
  );
}
