import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseSync, Visitor, type Comment, type Program } from 'oxc-parser';

/** Leaves import only themselves and packages. */
export const LEAVES = ['approvals', 'costs', 'ledger', 'migrations', 'policies', 'redaction'] as const;

/** Composers put the leaves together. */
export const COMPOSERS = ['gateway', 'cli'] as const;

/** A specifier of an import, export-from or `import()`, with the file it names when it is one of ours. */
export interface Import {
  readonly specifier: string;
  /** Path from the project root, or null for a package. */
  readonly target: string | null;
  readonly line: number;
}

export interface SourceFile {
  /** Path from the project root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
  /** 1-based line of an offset. */
  lineAt(offset: number): number;
}

/** Every file below the given top folders, without what installs or builds put there. */
export function listFiles(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => posix.join(entry.parentPath.replaceAll('\\', '/'), entry.name))
      .filter((path) => !/(^|\/)(node_modules|dist|\.[^/]+)\//.test(path))
      .sort();
  });
}

export function readSource(path: string): SourceFile {
  return parseSource(path, readFileSync(path, 'utf8'));
}

export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: cannot be parsed: ${errors[0]?.message ?? ''}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineAt = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const specifiers = [
    ...module.staticImports.map((found) => ({ specifier: found.moduleRequest.value, start: found.start })),
    ...module.staticExports.flatMap((found) =>
      found.entries.flatMap((entry) =>
        entry.moduleRequest === null ? [] : [{ specifier: entry.moduleRequest.value, start: entry.start }],
      ),
    ),
    ...module.dynamicImports.map((found) => ({
      specifier: text.slice(found.moduleRequest.start, found.moduleRequest.end).replaceAll(/^['"`]|['"`]$/g, ''),
      start: found.start,
    })),
    ...importTypes(program),
  ];
  const imports = specifiers.map(({ specifier, start }) => ({
    specifier,
    line: lineAt(start),
    target: resolveOwn(path, specifier),
  }));
  return { path, text, program, comments, imports, lineAt };
}

/** `import('./x.ts').Type` in a type position is an import too. */
function importTypes(program: Program): { specifier: string; start: number }[] {
  const found: { specifier: string; start: number }[] = [];
  new Visitor({
    TSImportType: (node) => void found.push({ specifier: node.source.value, start: node.start }),
  }).visit(program);
  return found;
}

function resolveOwn(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}

/** The top folder a path lies in. */
export function topOf(path: string): string {
  return path.split('/')[0] ?? '';
}
