import type { Declaration, Node } from 'oxc-parser';
import type { Problem } from './architecture.ts';
import type { SourceFile } from './source.ts';

/**
 * Public names of a leaf (everything its `index.ts` exports) that have no docstring where they are declared, and
 * `export *`, which would publish names nobody chose.
 */
export function undocumentedExports(index: SourceFile, files: ReadonlyMap<string, SourceFile>): Problem[] {
  return index.program.body.flatMap((statement): Problem[] => {
    const line = index.lineAt(statement.start);
    if (statement.type === 'ExportAllDeclaration')
      return [{ path: index.path, line, rule: '`export *`: list the public names' }];
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const own = statement.declaration === null ? [] : declaredNames(statement.declaration);
    const named = statement.specifiers.flatMap((specifier) =>
      specifier.local.type === 'Identifier' ? [specifier.local.name] : [],
    );
    const source = statement.source === null ? null : statement.source.value;
    return [...own, ...named].flatMap((name) => undocumented(name, index, source, files));
  });
}

function undocumented(
  name: string,
  from: SourceFile,
  source: string | null,
  files: ReadonlyMap<string, SourceFile>,
): Problem[] {
  const target =
    source === null ? importedFrom(name, from) : from.imports.find(({ specifier }) => specifier === source)?.target;
  const file = target === null || target === undefined ? from : files.get(target);
  // A name from a package is documented there.
  if (file === undefined) return [];
  const declaration = file.program.body.find((node) => declaresName(node, name));
  if (declaration === undefined) {
    return file === from ? [] : undocumented(name, file, reexportSource(name, file), files);
  }
  if (hasDocstring(declaration, file)) return [];
  return [{ path: file.path, line: file.lineAt(declaration.start), rule: `${name} is public and has no docstring` }];
}

function importedFrom(name: string, file: SourceFile): string | null {
  for (const node of file.program.body) {
    if (node.type === 'ImportDeclaration' && node.specifiers.some((specifier) => specifier.local.name === name)) {
      return file.imports.find(({ specifier }) => specifier === node.source.value)?.target ?? null;
    }
  }
  return null;
}

function reexportSource(name: string, file: SourceFile): string | null {
  for (const node of file.program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.source === null) continue;
    if (node.specifiers.some(({ exported }) => exported.type === 'Identifier' && exported.name === name))
      return node.source.value;
  }
  return null;
}

function declaresName(node: Node, name: string): boolean {
  if (node.type === 'ExportNamedDeclaration')
    return node.declaration !== null && declaredNames(node.declaration).includes(name);
  return 'id' in node && declaredNames(node as Declaration).includes(name);
}

function declaredNames(node: Declaration): string[] {
  if (node.type === 'VariableDeclaration') {
    return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  }
  return 'id' in node && node.id !== null && node.id.type === 'Identifier' ? [node.id.name] : [];
}

/** A documentation comment that ends where the declaration starts. */
function hasDocstring(node: Node, file: SourceFile): boolean {
  return file.comments.some(
    (comment) =>
      comment.type === 'Block' &&
      comment.value.startsWith('*') &&
      comment.end <= node.start &&
      file.text.slice(comment.end, node.start).trim() === '',
  );
}
