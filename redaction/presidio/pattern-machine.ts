/**
 * Runs callers' expressions: all ways to match advance together, one character at a time (Thompson, Pike), so that no
 * expression costs more than its size times the length of the text for one match. Which of several matches wins is
 * Python's rule: leftmost, then the first alternative. All matches of a text can still cost its length squared, so what
 * is read is counted.
 */
import { RedactionError } from '../errors.ts';
import { WORD_CHARACTER } from './expression.ts';
import { parsePython } from './python-pattern.ts';
import type { Assertion, PatternNode } from './python-pattern.ts';
import type { CharacterTest } from './python-class.ts';

type Instruction =
  | { readonly op: 'character'; readonly test: CharacterTest }
  | { readonly op: 'assert'; readonly assertion: Assertion }
  /** Targets in order of preference. */
  | { op: 'split'; targets: number[] }
  | { readonly op: 'match' };

export type PatternProgram = readonly Instruction[];

/** Characters read may be this many times those of the text. */
const MOST_READ = 32;
/** A position with more ways than this counts more than once. */
const WAYS_PER_READ = 8;
const READS_PER_COUNT = 4096;
const LARGEST_PROGRAM = 2000;
const LONGEST_PATTERN = 2000;

/** Compiles an expression; `invalid_request` for what is no expression, `limit_exceeded` for one too large. */
export function compilePython(source: string, flags: number): PatternProgram {
  if (source.length > LONGEST_PATTERN) throw tooLarge(`${String(LONGEST_PATTERN)} characters`);
  const program: Instruction[] = [];
  emit(parsePython(source, flags), program);
  program.push({ op: 'match' });
  return program;
}

function tooLarge(limit: string): RedactionError {
  return new RedactionError('limit_exceeded', `Expressions are served up to ${limit}; found a larger one. Shorten it.`);
}

function emit(node: PatternNode, program: Instruction[]): void {
  if (program.length > LARGEST_PROGRAM) throw tooLarge(`${String(LARGEST_PROGRAM)} steps`);
  switch (node.kind) {
    case 'character':
      program.push({ op: 'character', test: node.test });
      return;
    case 'assertion':
      program.push({ op: 'assert', assertion: node.assertion });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, program);
      return;
    case 'choice':
      emitChoice(node.options, program);
      return;
    case 'repeat':
      emitRepeat(node, program);
  }
}

function emitChoice(options: readonly PatternNode[], program: Instruction[]): void {
  const split: Instruction = { op: 'split', targets: [] };
  program.push(split);
  const ends: { op: 'split'; targets: number[] }[] = [];
  for (const option of options) {
    split.targets.push(program.length);
    emit(option, program);
    const end = { op: 'split' as const, targets: [] };
    ends.push(end);
    program.push(end);
  }
  for (const end of ends) end.targets.push(program.length);
}

function emitRepeat({ node, min, max, isLazy }: PatternNode & { kind: 'repeat' }, program: Instruction[]): void {
  const choose = (inside: number, after: number): number[] => (isLazy ? [after, inside] : [inside, after]);
  if (max === Infinity) {
    for (let n = 1; n < min; n++) emit(node, program);
    // One or more, and for none a way around: a turn that matches nothing ends the loop.
    const around: Instruction = { op: 'split', targets: [] };
    if (min === 0) program.push(around);
    const start = program.length;
    emit(node, program);
    program.push({ op: 'split', targets: choose(start, program.length + 1) });
    around.targets = choose(start, program.length);
    return;
  }
  for (let n = 0; n < min; n++) emit(node, program);
  const skips: { split: { op: 'split'; targets: number[] }; inside: number }[] = [];
  for (let n = min; n < max; n++) {
    const split = { op: 'split' as const, targets: [] as number[] };
    program.push(split);
    skips.push({ split, inside: program.length });
    emit(node, program);
  }
  for (const { split, inside } of skips) split.targets = choose(inside, program.length);
}

/** Start and end of a match, in code points. */
export type MachineMatch = readonly [start: number, end: number];

/** How much of what a text allows has been read; one for all expressions of a request. */
export interface ReadBudget {
  spend(reads: number): void;
}

/** Throws `limit_exceeded` once more than 32 times `length` characters were read. */
export function createReadBudget(length: number): ReadBudget {
  let left = Math.max(length, 64) * MOST_READ;
  return {
    spend(reads) {
      left -= reads;
      if (left >= 0) return;
      const message = `An expression may read ${String(MOST_READ)} times the characters of the text; one needed more.`;
      throw new RedactionError('limit_exceeded', `${message} Make it more specific.`);
    },
  };
}

/**
 * All matches without overlap, leftmost first, empty ones left out. As in Python, a match that is not empty may begin where
 * an empty one was found.
 */
export function* matchAll(program: PatternProgram, text: Uint32Array, budget: ReadBudget): Generator<MachineMatch> {
  const run = createRun(program, text);
  let empty = -1;
  for (let from = 0; from <= text.length;) {
    const match = run(from, budget, empty);
    if (match === null) return;
    const [start, end] = match;
    if (end > start) yield match;
    else empty = end;
    from = end;
  }
}

/** The leftmost match, be it empty. */
export function firstMatch(program: PatternProgram, text: Uint32Array, budget: ReadBudget): MachineMatch | null {
  return createRun(program, text)(0, budget, -1);
}

/** Code points of a text. */
export function codePointsOf(text: string): Uint32Array {
  return Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** Places in the program reached so far, in order of preference, and where each way began. */
interface Ways {
  readonly places: Int32Array;
  readonly starts: Int32Array;
  count: number;
}

/** A search for the first match at or after an offset; none that is empty at `notEmptyAt`. */
type Run = (from: number, budget: ReadBudget, notEmptyAt: number) => MachineMatch | null;

function createRun(program: PatternProgram, text: Uint32Array): Run {
  const seen = new Int32Array(program.length);
  const pending: number[] = [];
  const lists = [createWays(program.length), createWays(program.length)] as const;
  let generation = 0;

  /** Adds what can be reached without reading. */
  function follow(ways: Ways, first: number, start: number, at: number): void {
    pending.push(first);
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (seen[place] === generation) continue;
      seen[place] = generation;
      const instruction = program[place];
      if (instruction?.op === 'split') {
        const { targets } = instruction;
        for (let index = targets.length - 1; index >= 0; index--) pending.push(targets[index] ?? 0);
      } else if (instruction?.op !== 'assert') {
        ways.places[ways.count] = place;
        ways.starts[ways.count] = start;
        ways.count += 1;
      } else if (holds(instruction.assertion, text, at)) pending.push(place + 1);
    }
  }

  /** Advances every way over one character; says whether one of them ended, and where it began (-1: none did). */
  function advance(ways: Ways, next: Ways, codePoint: number, at: number, notEmptyAt: number): number {
    for (let index = 0; index < ways.count; index++) {
      const place = ways.places[index] ?? 0;
      const instruction = program[place];
      // Ways after this one are less preferred.
      if (instruction?.op === 'match' && (at !== notEmptyAt || ways.starts[index] !== at))
        return ways.starts[index] ?? -1;
      if (instruction?.op === 'character' && codePoint >= 0 && instruction.test(codePoint))
        follow(next, place + 1, ways.starts[index] ?? 0, at + 1);
    }
    return -1;
  }

  return (from, budget, notEmptyAt) => {
    let match: MachineMatch | null = null;
    let [ways, next]: readonly [Ways, Ways] = lists;
    let read = 0;
    ways.count = 0;
    generation += 1;
    for (let at = from; at <= text.length; at++) {
      if (match === null) follow(ways, 0, at, at);
      if (ways.count === 0 && match !== null) break;
      read += 1 + Math.floor(ways.count / WAYS_PER_READ);
      if (read > READS_PER_COUNT) {
        budget.spend(read);
        read = 0;
      }
      next.count = 0;
      generation += 1;
      const start = advance(ways, next, at < text.length ? (text[at] ?? 0) : -1, at, notEmptyAt);
      if (start >= 0) match = [start, at];
      [ways, next] = [next, ways];
    }
    budget.spend(read);
    return match;
  };
}

function createWays(size: number): Ways {
  return { places: new Int32Array(size), starts: new Int32Array(size), count: 0 };
}

const ASCII_WORD = Uint8Array.from({ length: 128 }, (_, code) =>
  WORD_CHARACTER.test(String.fromCharCode(code)) ? 1 : 0,
);

function holds(assertion: Assertion, text: Uint32Array, at: number): boolean {
  const before = at > 0 ? (text[at - 1] ?? -1) : -1;
  const after = at < text.length ? (text[at] ?? -1) : -1;
  switch (assertion.at) {
    case 'start':
      return at === 0;
    case 'end':
      return at === text.length;
    case 'last':
      return at === text.length || (after === 10 && at === text.length - 1);
    case 'lineStart':
      return at === 0 || before === 10;
    case 'lineEnd':
      return at === text.length || after === 10;
    case 'word':
      return isWord(before) !== isWord(after);
    case 'notWord':
      return isWord(before) === isWord(after);
    case 'before':
      return (before >= 0 && assertion.test(before)) !== assertion.isNegated;
    case 'after':
      return (after >= 0 && assertion.test(after)) !== assertion.isNegated;
  }
}

function isWord(codePoint: number): boolean {
  if (codePoint < 0) return false;
  if (codePoint < 128) return ASCII_WORD[codePoint] === 1;
  return WORD_CHARACTER.test(String.fromCodePoint(codePoint));
}
