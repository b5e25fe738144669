/**
 * What can be wrong with a configuration file, said so that it can be repaired without reading this code: where
 * (file, line, key path), what was expected, what was found. A found value is only ever described by its type or its
 * length, because the value in the wrong place may be a secret.
 */
import type { core } from 'zod';

export type ConfigErrorCode = 'file_unreadable' | 'yaml_invalid' | 'variable_missing' | 'value_invalid';

export interface ConfigProblem {
  /** Dotted key path, e.g. `models[0].deployments[1].provider`; empty for the document itself. */
  readonly path: string;
  /** 1-based line in the file, or null when the key is absent from it. */
  readonly line: number | null;
  readonly expected: string;
  readonly found: string;
}

const SHOWN_PROBLEMS = 20;

export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, file: string, problems: readonly ConfigProblem[]) {
    super([`${file} cannot be used:`, ...problems.slice(0, SHOWN_PROBLEMS).map(formatProblem)].join('\n'));
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

function formatProblem(problem: ConfigProblem): string {
  const where = problem.line === null ? '' : `line ${problem.line}, `;
  return `  ${where}${problem.path || '(document)'}: expected ${problem.expected}, found ${problem.found}`;
}

/** `['models', 0, 'name']` → `models[0].name`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${describeKey(String(step))}`;
  }
  return text;
}

/** A key is chosen by the writer of the file; one that does not look like a key is not repeated. */
function describeKey(key: string): string {
  return /^[\w./:@-]{1,64}$/.test(key) ? key : `(a key of ${key.length} characters)`;
}

/** A value by its type and size, never by its content. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  return Array.isArray(value) ? `a list of ${value.length}` : 'a mapping';
}

/** A choice that is wrong is nearly always a typing mistake, so a short plain word is repeated; anything else is not. */
function describeChoice(value: unknown): string {
  return typeof value === 'string' && /^[a-z][a-z-]{0,15}$/.test(value) ? `"${value}"` : describeValue(value);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/**
 * One schema issue as problems with full paths. `valueAt` reads the parsed document, `lineOf` finds a path in the file.
 */
export function explainIssue(
  issue: core.$ZodIssue,
  valueAt: (path: readonly PropertyKey[]) => unknown,
  lineOf: (path: readonly PropertyKey[]) => number | null,
): ConfigProblem[] {
  const problem = (path: readonly PropertyKey[], expected: string, found: string): ConfigProblem => ({
    path: formatPath(path),
    line: lineOf(path),
    expected,
    found,
  });
  const value = valueAt(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => problem([...issue.path, key], 'no such key here', 'an unknown key'));
    case 'invalid_type':
      return [problem(issue.path, TYPE_NAMES[issue.expected] ?? issue.expected, describeValue(value))];
    case 'invalid_value':
      return [problem(issue.path, `one of ${issue.values.map(String).join(', ')}`, describeChoice(value))];
    case 'invalid_union':
      return [problem(issue.path, unionExpectation(issue), describeChoice(value))];
    case 'invalid_key':
      return [problem(issue.path, issue.issues[0]?.message ?? 'another key', 'this key')];
    case 'too_small':
      return [problem(issue.path, limit('at least', issue.minimum, issue.origin), describeValue(value))];
    case 'too_big':
      return [problem(issue.path, limit('at most', issue.maximum, issue.origin), describeValue(value))];
    default:
      // Formats and refinements carry what they expect as their message.
      return [problem(issue.path, issue.message, describeValue(value))];
  }
}

function unionExpectation(issue: core.$ZodIssueInvalidUnion): string {
  const options: unknown = 'options' in issue ? issue.options : undefined;
  return Array.isArray(options) ? `one of ${options.map(String).join(', ')}` : 'one of the documented forms';
}

function limit(word: string, bound: number | bigint, origin: string): string {
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? ' elements' : '';
  return `${word} ${bound}${unit}`;
}

/** Reports a problem at a key path: what was expected and what was found. */
export type Report = (path: readonly PropertyKey[], expected: string, found: string) => void;
