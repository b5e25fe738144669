/**
 * The small regular language recognizers are written in, and what follows mechanically from a pattern: its longest
 * match, and the pattern of all its prefixes. The prefixes are what a stream must hold back: while the end of the
 * received text is a prefix of some match, more text may still decide it.
 */
import { RedactionError } from './errors.ts';

/** The syntax tree of a pattern; `source` is one character, an escape or a class. */
export type PatternNode =
  | { readonly kind: 'char'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number };

export interface Pattern {
  /** Code units of the longest match, and of the shortest. */
  readonly maxLength: number;
  readonly minLength: number;
  /** Some match contains white space. */
  readonly allowsSpace: boolean;
  /** Expression for every prefix of every match, the empty one and whole matches included. */
  readonly prefixes: string;
}

/** Parses a recognizer pattern; `invalid_pattern` for anything outside the language or without a bound. */
export function parsePattern(source: string): Pattern {
  const node = parseTree(source);
  return {
    maxLength: lengthOf(node, Math.max),
    minLength: lengthOf(node, Math.min),
    allowsSpace: allowsSpace(node),
    prefixes: prefixesOf(node),
  };
}

/** The tree alone. @throws RedactionError as `parsePattern` */
export function parseTree(source: string): PatternNode {
  const parser = createParser(source);
  const node = parser.choice();
  parser.expectEnd();
  return node;
}

interface Parser {
  choice(): PatternNode;
  expectEnd(): void;
}

function createParser(source: string): Parser {
  let at = 0;

  function fail(expected: string): never {
    throw new RedactionError('invalid_pattern', `Recognizer pattern: expected ${expected} at offset ${String(at)}.`);
  }

  function choice(): PatternNode {
    const options = [sequence()];
    while (source[at] === '|') {
      at += 1;
      options.push(sequence());
    }
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  function sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(atom()));
    return { kind: 'sequence', parts };
  }

  function atom(): PatternNode {
    const char = source[at];
    if (char === '(') return group();
    if (char === '[') return { kind: 'char', source: take(/\[\^?(?:\\.|[^\]\\])+\]/y) };
    if (char === '\\') return { kind: 'char', source: take(/\\(?:[^0-9A-Za-z]|s)/y) };
    if (char === undefined || '.^$?*+{}]'.includes(char)) return fail('a literal, class or group');
    at += 1;
    return { kind: 'char', source: char };
  }

  function group(): PatternNode {
    at += source.startsWith('(?:', at) ? 3 : 1;
    const inner = choice();
    if (source[at] !== ')') fail('")"');
    at += 1;
    return inner;
  }

  function repeated(node: PatternNode): PatternNode {
    if (source[at] === '?') {
      at += 1;
      return { kind: 'repeat', node, min: 0, max: 1 };
    }
    if (source[at] === '*' || source[at] === '+') fail('a bounded repetition {n,m}');
    if (source[at] !== '{') return node;
    const [min, max] = take(/\{[0-9]+(?:,[0-9]+)?\}/y)
      .slice(1, -1)
      .split(',')
      .map(Number);
    if (min === undefined) return fail('a count');
    return { kind: 'repeat', node, min, max: max ?? min };
  }

  function take(token: RegExp): string {
    token.lastIndex = at;
    const match = token.exec(source);
    if (match === null) return fail('a well-formed class, escape or count');
    at += match[0].length;
    return match[0];
  }

  return {
    choice,
    expectEnd: () => {
      if (at < source.length) fail('the end');
    },
  };
}

/** Of the lengths that are possible somewhere the one that `choose` takes. */
function lengthOf(node: PatternNode, choose: (...lengths: number[]) => number): number {
  switch (node.kind) {
    case 'char':
      return 1;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + lengthOf(part, choose), 0);
    case 'choice':
      return choose(...node.options.map((option) => lengthOf(option, choose)));
    case 'repeat':
      return choose(node.min, node.max) * lengthOf(node.node, choose);
  }
}

function allowsSpace(node: PatternNode): boolean {
  switch (node.kind) {
    case 'char':
      return [' ', '\t', '\n', '\r'].some((space) => new RegExp(`^${node.source}$`).test(space));
    case 'sequence':
      return node.parts.some(allowsSpace);
    case 'choice':
      return node.options.some(allowsSpace);
    case 'repeat':
      return allowsSpace(node.node);
  }
}

function sourceOf(node: PatternNode): string {
  switch (node.kind) {
    case 'char':
      return node.source;
    case 'sequence':
      return node.parts.map(sourceOf).join('');
    case 'choice':
      return `(?:${node.options.map(sourceOf).join('|')})`;
    case 'repeat':
      return `(?:${sourceOf(node.node)}){${String(node.min)},${String(node.max)}}`;
  }
}

/** P(abc) = P(a) or a·P(bc); P(x{n,m}) = x{0,m-1}·P(x). Over-approximates nothing: there are no assertions to drop. */
function prefixesOf(node: PatternNode): string {
  switch (node.kind) {
    case 'char':
      return `(?:${node.source})?`;
    case 'sequence':
      return sequencePrefixes(node.parts);
    case 'choice':
      return `(?:${node.options.map(prefixesOf).join('|')})`;
    case 'repeat':
      if (node.node.kind === 'char') return `(?:${node.node.source}){0,${String(node.max)}}`;
      return node.max === 0 ? '' : `(?:${sourceOf(node.node)}){0,${String(node.max - 1)}}${prefixesOf(node.node)}`;
  }
}

function sequencePrefixes(parts: readonly PatternNode[]): string {
  let rest = '';
  for (const part of parts.toReversed()) {
    if (rest === '') rest = prefixesOf(part);
    else if (part.kind === 'char') rest = `(?:${part.source}${rest})?`;
    else rest = `(?:${sourceOf(part)}${rest}|${prefixesOf(part)})`;
  }
  return rest;
}
