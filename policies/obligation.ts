import { OPERATORS, RECORD_CONTENTS } from './decision.ts';
import type { Obligation, Operator, RecordContent } from './decision.ts';

/**
 * United obligations. Several rules, bundles and candidate deployments may each ask for something; the enforced call
 * satisfies all of them at once, so every merge goes to the stricter side.
 */

/** One redaction rule: these types, this operator, everywhere or at these JSON pointer prefixes. */
export interface MergedRedaction {
  readonly types: string[];
  readonly operator: Operator;
  readonly paths?: string[];
}

/** A deployment fits when it is in every list that is given. */
export interface MergedRoute {
  readonly models?: string[] | undefined;
  readonly regions?: string[] | undefined;
  readonly hosting?: string[] | undefined;
}

/** Everything the gateway performs on one call, each kind of obligation merged into one. */
export interface MergedObligations {
  /** One for each operator and set of paths, strictest operator first. */
  readonly redact: MergedRedaction[];
  readonly maxTokens: number | null;
  readonly stripTools: string[];
  readonly buffer: boolean;
  readonly disclose: string[];
  readonly labels: string[];
  /** The least content and the longest time asked for; `digest` when nobody asked. */
  readonly record: { readonly content: RecordContent; readonly retentionDays: number | null };
  /** A deployment has to satisfy every one of them. */
  readonly route: MergedRoute[];
}

type Of<Type extends Obligation['type']> = Extract<Obligation, { type: Type }>;

/** Equal obligations once, in an order that does not depend on the order they came in. */
export function uniteObligations(lists: readonly (readonly Obligation[])[]): Obligation[] {
  const all = lists.flat().map(normalise);
  const others = all.filter((item) => item.type !== 'route');
  const routes = intersectRoutes(all.filter((item) => item.type === 'route'));
  return unique([...others, ...routes.map((route): Obligation => ({ type: 'route', ...route }))]);
}

/** What the gateway performs, from the obligations of every rule that applies. */
export function mergeObligations(obligations: readonly Obligation[]): MergedObligations {
  const limits = pick(obligations, 'limit').flatMap((item) => item.max_tokens ?? []);
  return {
    redact: mergeRedactions(pick(obligations, 'redact')),
    maxTokens: limits.length === 0 ? null : Math.min(...limits),
    stripTools: sorted(pick(obligations, 'strip_tools').flatMap((item) => item.names)),
    buffer: obligations.some((item) => item.type === 'buffer'),
    disclose: sorted(pick(obligations, 'disclose').map((item) => item.text)),
    labels: sorted(pick(obligations, 'label').flatMap((item) => item.add)),
    record: mergeRecords(pick(obligations, 'record')),
    route: intersectRoutes(pick(obligations, 'route')),
  };
}

function mergeRedactions(items: readonly Of<'redact'>[]): MergedRedaction[] {
  const groups = new Map<string, { types: string[]; operator: Operator; paths?: string[] }>();
  for (const { types, operator, paths } of items) {
    const scope = paths === undefined ? undefined : sorted(paths);
    const key = JSON.stringify([OPERATORS.indexOf(operator), scope ?? null]);
    const group = groups.get(key) ?? { types: [], operator, ...(scope === undefined ? {} : { paths: scope }) };
    groups.set(key, { ...group, types: sorted([...group.types, ...types]) });
  }
  return [...groups].toSorted(([a], [b]) => compare(a, b)).map(([, group]) => group);
}

function mergeRecords(items: readonly Of<'record'>[]): MergedObligations['record'] {
  const asked = items.map((item) => RECORD_CONTENTS.indexOf(item.content));
  const days = items.flatMap((item) => item.retention_days ?? []);
  return {
    content: asked.length === 0 ? 'digest' : (RECORD_CONTENTS[Math.min(...asked)] ?? 'digest'),
    retentionDays: days.length === 0 ? null : Math.max(...days),
  };
}

/**
 * Regions and hostings are plain names, so all lists of them become one. A model list may name a deployment or a model,
 * so two such lists can both hold for a deployment without sharing a word: they stay apart and both have to hold.
 */
function intersectRoutes(routes: readonly MergedRoute[]): MergedRoute[] {
  const regions = intersection(routes.flatMap((route) => (route.regions === undefined ? [] : [route.regions])));
  const hosting = intersection(routes.flatMap((route) => (route.hosting === undefined ? [] : [route.hosting])));
  const places =
    regions === null && hosting === null
      ? []
      : [{ ...(regions === null ? {} : { regions }), ...(hosting === null ? {} : { hosting }) }];
  const models = routes.flatMap((route) => (route.models === undefined ? [] : [{ models: sorted(route.models) }]));
  return [...places, ...unique(models)];
}

function intersection(lists: readonly (readonly string[])[]): string[] | null {
  const [first, ...rest] = lists;
  if (first === undefined) return null;
  return sorted(first.filter((item) => rest.every((list) => list.includes(item))));
}

function pick<Type extends Obligation['type']>(obligations: readonly Obligation[], type: Type): Of<Type>[] {
  return obligations.filter((item): item is Of<Type> => item.type === type);
}

/** Lists inside an obligation are sets: sorted and without repetition, equal obligations have equal texts. */
function normalise(item: Obligation): Obligation {
  switch (item.type) {
    case 'redact':
      return {
        type: item.type,
        types: sorted(item.types),
        operator: item.operator,
        ...(item.paths === undefined ? {} : { paths: sorted(item.paths) }),
      };
    case 'strip_tools':
      return { type: item.type, names: sorted(item.names) };
    case 'label':
      return { type: item.type, add: sorted(item.add) };
    case 'record':
      return {
        type: item.type,
        content: item.content,
        ...(item.retention_days === undefined ? {} : { retention_days: item.retention_days }),
      };
    default:
      return item;
  }
}

function unique<Item>(items: readonly Item[]): Item[] {
  const byText = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...byText].toSorted(([a], [b]) => compare(a, b)).map(([, item]) => item);
}

function sorted(items: readonly string[]): string[] {
  return [...new Set(items)].toSorted(compare);
}

/** By UTF-16 code units, the same on every machine and locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
