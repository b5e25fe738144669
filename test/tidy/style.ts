import { posix } from 'node:path';
import { Visitor, type Node } from 'oxc-parser';
import type { Problem } from './architecture.ts';
import { topOf, type SourceFile } from './source.ts';

export const MAX_FILE_LINES = 300;
export const MAX_FUNCTION_LINES = 70;
export const MAX_FOLDERS = 3;

/** Names that say nothing about what is inside: a function lives with the noun it serves. */
const BANNED_NAMES: ReadonlySet<string> = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'shared',
  'lib',
  'misc',
]);

const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/;
const SUPPRESSION = /\b(?:oxlint|eslint)-disable\S*|@ts-(?:ignore|expect-error|nocheck)/;

/** Rules of a file's name and place. */
export function nameProblems(path: string): Problem[] {
  const parts = path.split('/');
  const banned = parts.filter((part) => BANNED_NAMES.has(posix.basename(part, posix.extname(part)).toLowerCase()));
  const problems = banned.map((part) => ({ path, line: 1, rule: `named "${part}": name it after the noun it serves` }));
  if (parts.length - 1 > MAX_FOLDERS)
    problems.push({ path, line: 1, rule: `lies ${parts.length - 1} folders deep, at most ${MAX_FOLDERS}` });
  return problems;
}

/** Rules of all TypeScript in the project, tests included. */
export function commonProblems(file: SourceFile): Problem[] {
  const report = reporter(file);
  for (const { value, start } of file.comments) {
    const unfinished = UNFINISHED.exec(value);
    if (unfinished !== null) report.at(start, `${unfinished[0]}: finish it, or write down the decision instead`);
    const suppression = SUPPRESSION.exec(value);
    if (suppression !== null && !/\s--\s+\S/.test(value))
      report.at(start, `${suppression[0]} without a reason: add " -- why"`);
  }
  const enumeration = (node: Node): void => report.at(node.start, 'enum: use a union of string literals');
  new Visitor({
    TSAnyKeyword: (node) => report.at(node.start, '`any`: use `unknown` and narrow it'),
    TSEnumDeclaration: enumeration,
    TSNonNullExpression: (node) => report.at(node.start, 'non-null `!`: handle the missing value'),
    PropertyDefinition: (node) =>
      node.definite === true && report.at(node.start, 'definite `!`: initialise the property'),
    ExportDefaultDeclaration: (node) => report.at(node.start, 'default export: export by name'),
  }).visit(file.program);
  return report.problems;
}

/** Rules of product code. */
export function productProblems(file: SourceFile): Problem[] {
  const report = reporter(file);
  const lines = file.lineAt(file.text.length - 1);
  if (lines > MAX_FILE_LINES) report.at(0, `${lines} lines, at most ${MAX_FILE_LINES}: split it by noun`);
  const checkLength = (node: Node): void => {
    const length = file.lineAt(node.end) - file.lineAt(node.start) + 1;
    if (length > MAX_FUNCTION_LINES)
      report.at(node.start, `function of ${length} lines, at most ${MAX_FUNCTION_LINES}: name its steps`);
  };
  new Visitor({
    FunctionDeclaration: checkLength,
    FunctionExpression: checkLength,
    ArrowFunctionExpression: checkLength,
    ThrowStatement: (node) =>
      isBareError(node.argument) && report.at(node.start, "bare Error: throw the folder's own error class with a code"),
    MemberExpression: (node) => {
      const onConsole = node.object.type === 'Identifier' && node.object.name === 'console';
      if (onConsole && topOf(file.path) !== 'cli') report.at(node.start, 'console: only the cli prints');
    },
  }).visit(file.program);
  return report.problems;
}

function isBareError(node: Node): boolean {
  return node.type === 'NewExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Error';
}

/** Rules of test files: a test that does not run, or hides the others, must not be committed. */
export function testProblems(file: SourceFile): Problem[] {
  const report = reporter(file);
  new Visitor({
    MemberExpression: (node) => {
      if (
        node.computed ||
        node.property.type !== 'Identifier' ||
        !['skip', 'only', 'todo', 'fails'].includes(node.property.name)
      )
        return;
      if (/^(test|it|describe|suite|bench)$/.test(rootName(node.object))) {
        report.at(node.start, `.${node.property.name}: run it, delete it, or use skipIf with a printed reason`);
      }
    },
  }).visit(file.program);
  return report.problems;
}

function rootName(node: Node): string {
  if (node.type === 'MemberExpression') return rootName(node.object);
  if (node.type === 'CallExpression') return rootName(node.callee);
  return node.type === 'Identifier' ? node.name : '';
}

function reporter(file: SourceFile): { readonly problems: Problem[]; at(offset: number, rule: string): void } {
  const problems: Problem[] = [];
  return { problems, at: (offset, rule) => void problems.push({ path: file.path, line: file.lineAt(offset), rule }) };
}
