/**
 * Reads the YAML text of a configuration: `${NAME}` references are replaced in string values (never in keys, never in
 * comments), and every value keeps its place in the file so that a problem can name its line.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';
import { ConfigError, formatPath, type ConfigProblem } from './problem.ts';

/** Environment variables by name; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigDocument {
  readonly value: unknown;
  /** Key paths whose whole value is one reference, with the variable's name. */
  readonly referenced: ReadonlyMap<string, string>;
  readonly valueAt: (path: readonly PropertyKey[]) => unknown;
  readonly lineOf: (path: readonly PropertyKey[]) => number | null;
}

const MAX_TEXT = 4 * 1024 * 1024;
const MAX_DEPTH = 32;
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;
const WHOLE_REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** @throws ConfigError `yaml_invalid` or `variable_missing` */
export function readConfigDocument(file: string, text: string, env: Environment): ConfigDocument {
  const lines = new LineCounter();
  const document = parseYaml(file, text, lines);
  const reader: Reader = { env, lines, problems: [], yamlProblems: [], referenced: new Map() };
  const value = readNode(document.contents, [], reader);
  if (reader.yamlProblems.length > 0) throw new ConfigError('yaml_invalid', file, reader.yamlProblems);
  if (reader.problems.length > 0) throw new ConfigError('variable_missing', file, reader.problems);
  return {
    value,
    referenced: reader.referenced,
    valueAt: (path) => valueAt(value, path),
    lineOf: (path) => lineOf(document, path, lines),
  };
}

function parseYaml(file: string, text: string, lines: LineCounter): Document {
  const refuse = (line: number | null, expected: string, found: string): ConfigError =>
    new ConfigError('yaml_invalid', file, [{ path: '', line, expected, found }]);
  if (text.length > MAX_TEXT) throw refuse(null, 'at most 4 MiB', `${text.length} characters`);
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, stringKeys: true });
  const first = document.errors[0] ?? document.warnings[0];
  // The parser's own message quotes the source, which may hold a secret: only its code and place are repeated.
  if (first)
    throw refuse(lines.linePos(first.pos[0]).line, 'valid YAML', first.code.toLowerCase().replaceAll('_', ' '));
  return document;
}

interface Reader {
  readonly env: Environment;
  readonly lines: LineCounter;
  readonly problems: ConfigProblem[];
  readonly yamlProblems: ConfigProblem[];
  readonly referenced: Map<string, string>;
}

function readNode(node: unknown, path: readonly PropertyKey[], reader: Reader): unknown {
  if (isAlias(node)) return refuseNode(reader, path, 'the value itself', 'an alias (aliases are not used)');
  if (path.length > MAX_DEPTH) return refuseNode(reader, path, `at most ${MAX_DEPTH} levels`, 'more');
  if (isMap(node)) {
    // Without a prototype; and a key that would set one is refused here, because the schema would silently drop it.
    const value: Record<string, unknown> = Object.create(null);
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (key === '__proto__') refuseNode(reader, [...path, key], 'another key', 'this key');
      else value[key] = readNode(pair.value, [...path, key], reader);
    }
    return value;
  }
  if (isSeq(node)) return node.items.map((item, index) => readNode(item, [...path, index], reader));
  if (!isScalar(node)) return null;
  return typeof node.value === 'string' ? substitute(node.value, node, path, reader) : node.value;
}

function refuseNode(reader: Reader, path: readonly PropertyKey[], expected: string, found: string): null {
  reader.yamlProblems.push({ path: formatPath(path), line: null, expected, found });
  return null;
}

function substitute(text: string, node: Node, path: readonly PropertyKey[], reader: Reader): string {
  const whole = WHOLE_REFERENCE.exec(text)?.[1];
  if (whole !== undefined) reader.referenced.set(formatPath(path), whole);
  return text.replace(REFERENCE, (match: string, name: string | undefined) => {
    if (match === '$${') return '${';
    const value = name === undefined ? undefined : reader.env[name];
    if (value !== undefined) return value;
    reader.problems.push({
      path: formatPath(path),
      line: node.range ? reader.lines.linePos(node.range[0]).line : null,
      expected: name === undefined ? 'a reference of the form ${NAME}' : `the environment variable ${name} to be set`,
      found:
        name === undefined
          ? '${ without a name and }'
          : `no variable ${name} (write $\${ for the characters themselves)`,
    });
    return '';
  });
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** Line of the deepest part of `path` that stands in the file. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      return node.range ? lines.linePos(node.range[0]).line : null;
    }
  }
  return null;
}
