import { isList, printValue, ValueObject, ValueSet } from '../value.ts';
import type { Value } from '../value.ts';
import type { Charge, HostBuiltin } from './builtin.ts';

/** What following one edge takes, beside the length of the path that is kept. */
const FUEL_PER_STEP = 100;

export const GRAPH_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'graph.reachable_paths': {
    call: ([graph, initial], charge) => {
      const from = vertices(initial);
      return graph instanceof ValueObject && from !== undefined ? paths(graph, from, charge) : undefined;
    },
  },
};

/** A list or a set; undefined for anything else. */
function vertices(value: Value | undefined): readonly Value[] | undefined {
  if (value instanceof ValueSet) return value.items;
  return isList(value) ? value : undefined;
}

/** As opa walks: a path ends before a node that is not in the graph, at one without edges, and where it would come to a node again. */
function paths(graph: ValueObject, from: readonly Value[], charge: Charge): ValueSet {
  const edgesOf = new Map(graph.entries.map(([node, edges]) => [printValue(node), vertices(edges) ?? []]));
  const found = new Map<string, Value>();
  const keep = (path: readonly Value[]): void => void found.set(printValue(path), path);
  const follow = (node: Value, path: readonly Value[], reached: ReadonlySet<string>): void => {
    charge(FUEL_PER_STEP * (path.length + 1));
    const name = printValue(node);
    const edges = edgesOf.get(name);
    if (edges === undefined) return keep(path);
    const longer = [...path, node];
    if (edges.length === 0) return keep(longer);
    const seen = new Set(reached).add(name);
    for (const next of edges) {
      if (seen.has(printValue(next))) keep(longer);
      else follow(next, longer, seen);
    }
  };
  for (const node of from) {
    const edges = edgesOf.get(printValue(node));
    if (edges?.length === 0) keep([node]);
    for (const next of edges ?? []) follow(next, [node], new Set([printValue(node)]));
  }
  return new ValueSet([...found.values()]);
}
