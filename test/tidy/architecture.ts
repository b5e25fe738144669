import { COMPOSERS, LEAVES, topOf, type SourceFile } from './source.ts';

/** One broken rule, with where to look. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

const isLeaf = (folder: string): boolean => LEAVES.some((leaf) => leaf === folder);
const isComposer = (folder: string): boolean => COMPOSERS.some((composer) => composer === folder);

/**
 * Doors of a leaf beside its `index.ts`, each with its reason. Every other import into a leaf goes through the index.
 */
export const SIDE_DOORS: ReadonlyMap<string, string> = new Map([
  ['policies/testing.ts', 'runs the opa compiler; the gateway must never load it, so it is not in the index'],
  ['policies/reviewing.ts', 'runs the opa compiler too, for reviews of a change'],
]);

/** Leaves import themselves and packages, composers import leaves through the index, the gateway never imports the cli. */
export function directionProblems(file: SourceFile): Problem[] {
  const from = topOf(file.path);
  return file.imports.flatMap(({ target, line, specifier }) => {
    if (target === null) return [];
    const rule = directionRule(from, target, specifier);
    return rule === null ? [] : [{ path: file.path, line, rule }];
  });
}

function directionRule(from: string, target: string, specifier: string): string | null {
  const to = topOf(target);
  if (to === from) return null;
  if (!isLeaf(to) && !isComposer(to))
    return `imports ${specifier}: product code imports the folders of the architecture only`;
  if (isLeaf(from)) return `imports ${specifier}: a leaf imports only itself and packages; pass it in from a composer`;
  if (from === 'gateway' && to === 'cli') return `imports ${specifier}: the gateway never imports the cli`;
  if (!isLeaf(to) || target === `${to}/index.ts` || (from === 'cli' && SIDE_DOORS.has(target))) return null;
  return `imports ${specifier}: import ${to}/index.ts, the only public file of the leaf`;
}

/** Files that import each other in a ring, type imports included: each ring once, as the path of its files. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map((file) => [file.path, file.imports.flatMap(({ target }) => (target === null ? [] : [target]))]),
  );
  const done = new Set<string>();
  const cycles = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) cycles.add([...trail.slice(at), path].join(' -> '));
    if (at !== -1 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return [...cycles];
}
