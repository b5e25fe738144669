/**
 * Reads the expressions of callers: Python's syntax with the meaning its `regex` module gives them, as far as an automaton
 * can say it. Errors are worded as that module words them. Offsets in messages count code points.
 */
import { RedactionError } from '../errors.ts';
import { characterTest, classMembers } from './python-class.ts';
import type { CharacterTest } from './python-class.ts';

export const IGNORE_CASE = 2;
export const MULTILINE = 8;
export const DOT_ALL = 16;

export type Assertion =
  | { readonly at: 'start' | 'end' | 'last' | 'lineStart' | 'lineEnd' | 'word' | 'notWord' }
  | { readonly at: 'before' | 'after'; readonly test: CharacterTest; readonly isNegated: boolean };

export type PatternNode =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    }
  | { readonly kind: 'assertion'; readonly assertion: Assertion };

const MOST_REPEATS = 1000;
const DEEPEST = 100;
const FLAG_BITS: Readonly<Record<string, number>> = { i: IGNORE_CASE, m: MULTILINE, s: DOT_ALL };
const ANCHORS: Readonly<Record<string, Assertion>> = {
  A: { at: 'start' },
  Z: { at: 'end' },
  z: { at: 'end' },
  b: { at: 'word' },
  B: { at: 'notWord' },
};

/** Parses an expression; `invalid_request` with Python's message, or with ours for what no automaton can do. */
export function parsePython(source: string, flags: number): PatternNode {
  const reader = new PatternReader(Array.from(source), flags);
  const node = reader.choice(0);
  if (!reader.isAtEnd) throw reader.failure('unbalanced parenthesis');
  return node;
}

class PatternReader {
  private readonly source: readonly string[];
  private flags: number;
  private at = 0;

  constructor(source: readonly string[], flags: number) {
    this.source = source;
    this.flags = flags;
  }

  get isAtEnd(): boolean {
    return this.at >= this.source.length;
  }

  failure(what: string, at: number = this.at): RedactionError {
    return new RedactionError('invalid_request', `${what} at position ${String(at)}`);
  }

  choice(depth: number): PatternNode {
    if (depth > DEEPEST) throw this.failure('groups nested too deeply');
    const options = [this.sequence(depth)];
    while (this.take('|')) options.push(this.sequence(depth));
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
  }

  private sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.isAtEnd && this.peek() !== '|' && this.peek() !== ')') {
      const node = this.atom(depth);
      if (node !== null) parts.push(this.repeated(node));
    }
    return { kind: 'sequence', parts };
  }

  /** Null: flags for what follows. */
  private atom(depth: number): PatternNode | null {
    const character = this.next();
    switch (character) {
      case '(':
        return this.group(depth);
      case '[':
        return this.characterClass();
      case '.':
        return this.character((this.flags & DOT_ALL) !== 0 ? '\\s\\S' : '^\\n', false);
      case '^':
        return assertion((this.flags & MULTILINE) !== 0 ? { at: 'lineStart' } : { at: 'start' });
      case '$':
        return assertion((this.flags & MULTILINE) !== 0 ? { at: 'lineEnd' } : { at: 'last' });
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw this.failure('nothing to repeat', this.at - 1);
      default:
        return this.character(classMembers.literal(character), true);
    }
  }

  private character(members: string, mayFold: boolean): PatternNode {
    return { kind: 'character', test: characterTest(members, mayFold && (this.flags & IGNORE_CASE) !== 0) };
  }

  private escape(): PatternNode {
    if (this.isAtEnd) throw this.failure('bad escape (end of pattern)');
    const anchor = ANCHORS[this.peek()];
    if (anchor !== undefined) {
      this.next();
      return assertion(anchor);
    }
    if (/[1-9]/.test(this.peek())) throw this.failure('back-references are not supported', this.at - 1);
    return this.character(this.members(), true);
  }

  /** Members of a class for the escape that begins after the backslash. */
  private members(): string {
    const { members, length } = classMembers.escaped(this.source, this.at);
    if (members === null) throw this.failure(`bad escape \\${this.peek()}`, this.at - 1);
    this.at += length;
    return members;
  }

  private characterClass(): PatternNode {
    const isNegated = this.take('^');
    let members = '';
    for (let isFirst = true; isFirst || this.peek() !== ']'; isFirst = false) {
      if (this.isAtEnd) throw this.failure('unterminated character set');
      const low = this.classMember();
      const isRange = this.peek() === '-' && ![']', undefined].includes(this.source[this.at + 1]);
      if (!isRange) {
        members += low;
        continue;
      }
      this.next();
      const high = this.classMember();
      if (!classMembers.isRange(low, high)) throw this.failure('bad character range');
      members += `${low}-${high}`;
    }
    this.next();
    return this.character(isNegated ? `^${members}` : members, true);
  }

  private classMember(): string {
    const character = this.next();
    if (character !== '\\') return classMembers.literal(character);
    if (this.isAtEnd) throw this.failure('bad escape (end of pattern)');
    if (!this.take('b')) return this.members();
    return '\\x08';
  }

  private group(depth: number): PatternNode | null {
    if (!this.take('?')) return this.closed(this.choice(depth + 1));
    if (this.take(':')) return this.closed(this.choice(depth + 1));
    if (this.take('P')) return this.named(depth);
    if (this.take('<')) {
      if (this.peek() === '=' || this.peek() === '!') return this.look('before', depth);
      return this.named(depth, true);
    }
    if (this.peek() === '=' || this.peek() === '!') return this.look('after', depth);
    return this.flagGroup(depth);
  }

  private named(depth: number, isOpen = false): PatternNode {
    if (!isOpen && !this.take('<')) throw this.failure('named back-references are not supported');
    while (/\w/.test(this.peek())) this.next();
    if (!this.take('>')) throw this.failure('missing >');
    return this.closed(this.choice(depth + 1));
  }

  private look(at: 'before' | 'after', depth: number): PatternNode {
    const isNegated = this.next() === '!';
    const inner = this.closed(this.choice(depth + 1));
    const only = inner.kind === 'sequence' && inner.parts.length === 1 ? inner.parts[0] : inner;
    if (only?.kind !== 'character')
      throw this.failure('look-around is supported for one character or class; found another', this.at);
    return assertion({ at, test: only.test, isNegated });
  }

  private flagGroup(depth: number): PatternNode | null {
    const before = this.flags;
    let isOff = false;
    for (;;) {
      const letter = this.next();
      const bit = FLAG_BITS[letter];
      if (bit !== undefined) this.flags = isOff ? this.flags & ~bit : this.flags | bit;
      else if (letter === '-') isOff = true;
      else if (letter === ')') return null;
      else if (letter === ':') break;
      else if (letter !== 'u') throw this.failure('unknown extension', this.at - 1);
    }
    const node = this.closed(this.choice(depth + 1));
    this.flags = before;
    return node;
  }

  private closed(node: PatternNode): PatternNode {
    if (!this.take(')')) throw this.failure('missing )');
    return node;
  }

  private repeated(node: PatternNode): PatternNode {
    const start = this.at;
    const range = this.repeatRange();
    if (range === null) return node;
    const [min, max] = range;
    if (max < min) throw this.failure('min repeat greater than max repeat', start + 1);
    if (min > MOST_REPEATS || (max !== Infinity && max > MOST_REPEATS))
      throw new RedactionError('limit_exceeded', `Repetitions up to ${String(MOST_REPEATS)} are served; found more.`);
    const isLazy = this.take('?');
    if (!isLazy && this.take('+')) throw this.failure('possessive repeats are not supported', start);
    if (this.repeatRange() !== null) throw this.failure('multiple repeat', start);
    return { kind: 'repeat', node, min, max, isLazy };
  }

  private repeatRange(): readonly [number, number] | null {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    if (this.peek() !== '{') return null;
    const [whole, low = '', comma, high = ''] =
      /^\{(\d{0,9})(?:(,)(\d{0,9}))?\}/.exec(this.source.slice(this.at, this.at + 24).join('')) ?? [];
    if (whole === undefined || (low === '' && comma === undefined)) return null;
    this.at += whole.length;
    const min = low === '' ? 0 : Number(low);
    return [min, comma === undefined ? min : high === '' ? Infinity : Number(high)];
  }

  private peek(): string {
    return this.source[this.at] ?? '';
  }

  private next(): string {
    const character = this.peek();
    this.at += 1;
    return character;
  }

  private take(character: string): boolean {
    const isThere = this.peek() === character && !this.isAtEnd;
    if (isThere) this.at += 1;
    return isThere;
  }
}

function assertion(one: Assertion): PatternNode {
  return { kind: 'assertion', assertion: one };
}
