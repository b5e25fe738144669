/**
 * Where in a text the forms of numbers begin, and where they end. A form has a boundary in front, so it is tried at few
 * places; all forms are tried at once, by one deterministic automaton that is built as texts ask for its states. Long before
 * any expression runs it has refused nearly all that only looks like a number for a while.
 */
import type { Changes, Reads } from './changes.ts';
import { classesFor, NO_UNIT } from './form-classes.ts';
import type { UnitClasses } from './form-classes.ts';
import { Positions } from './form-positions.ts';
import { COLUMNS, DEAD, OPENS, ROW, States, UNKNOWN } from './form-states.ts';
import { RedactionError } from './errors.ts';
import { parsePattern, parseTree } from './pattern.ts';
import { NEVER } from './recognizers/recognizer.ts';

export interface Form {
  readonly pattern: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** How every match begins: the form is followed no further, and all its ends are open. */
  readonly opening?: string;
  readonly needsContext?: boolean;
}

export interface FormAutomaton {
  /** Code units of the stretch at hand and as many more as the longest form has; 0 behind the text. */
  readonly codes: Uint16Array;
  /**
   * Reports every form (`hasContext`: also those that need a context word) that matches from a start in the stretch, starts in order and forms in order at each; `end` is where
   * the expression's own match ends, or `OPEN_END` where several ends are possible and the expression has to be asked.
   */
  scan(stretch: Stretch, hasContext: boolean, report: FormReport): void;
}

/** The units [start, end) of a text. */
export interface Stretch {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** To be filled in. */
  readonly reads: Reads | null;
  /** Where the text differs from one that was scanned: only what can be found there is looked for. */
  readonly changes: Changes | null;
}

/** `at`: where the start is in `codes`. Returns up to where it read them behind an opening; 0: not at all. */
export type FormReport = (form: number, start: number, end: number, at: number) => number;

export const OPEN_END = -1;

/** Compiles forms; about 5 ms. At most 31 boundaries may differ. */
export function createFormAutomaton(forms: readonly Form[]): FormAutomaton {
  const positions = new Positions();
  const parts = forms.map(({ pattern, opening = pattern }) => positions.add(parseTree(opening)));
  const openings = forms.flatMap(({ opening }, form) => (opening === undefined ? [] : form));
  const edges = forms.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]).filter((edge) => edge !== NEVER);
  const edgeSets = new Positions();
  for (const edge of new Set(edges)) edgeSets.add(parseTree(edge));
  const classes = classesFor([...positions.sources, ...edgeSets.sources]);
  if (classes.count > COLUMNS)
    throw new RedactionError(
      'invalid_pattern',
      `Recognizer patterns: expected at most ${String(COLUMNS)} classes of characters, found ${String(classes.count)}.`,
    );
  return new FormScan({
    states: new States(positions, parts, classes, openings),
    classes,
    forms,
    reach: Math.max(...forms.map(({ pattern }) => parsePattern(pattern).maxLength)),
    shortest: Math.min(...forms.map(({ pattern, opening }) => (opening === undefined ? parsePattern(pattern).minLength : Infinity))),
    mayBegin: edgeTest(forms.map(({ notBefore }) => `(?:${notBefore})$`), classes),
    mayEnd: edgeTest(forms.map(({ notAfter }) => `^(?:${notAfter})`), classes),
  }); // prettier-ignore
}

/** Two classes of units. */
const PAIRS = COLUMNS * COLUMNS;

type EdgeTest = (form: number, pair: number) => boolean;

/** Whether the two code units beside it let a form begin, or end; an expression is asked once for every pair of classes. */
function edgeTest(edges: readonly string[], { examples }: UnitClasses): EdgeTest {
  const distinct = [...new Set(edges)];
  const tests = distinct.map((edge) => new RegExp(edge));
  const rows = edges.map((edge) => distinct.indexOf(edge));
  const known = new Uint8Array(distinct.length * PAIRS);
  return (form, pair) => {
    const row = rows[form] ?? 0;
    const at = row * PAIRS + pair;
    if (known[at] === 0) {
      const units = (examples[Math.floor(pair / COLUMNS)] ?? '') + (examples[pair % COLUMNS] ?? '');
      known[at] = tests[row]?.test(units) === true ? 1 : 2;
    }
    return known[at] === 2;
  };
}

interface Machine {
  readonly states: States;
  readonly classes: UnitClasses;
  readonly forms: readonly Form[];
  /** Code units of the longest match, and of the shortest that is followed to its end. */
  readonly reach: number;
  readonly shortest: number;
  readonly mayBegin: EdgeTest;
  readonly mayEnd: EdgeTest;
}

class FormScan implements FormAutomaton {
  readonly #machine: Machine;
  readonly #isLongest: readonly boolean[];
  readonly #isOpening: readonly boolean[];
  /** Classes no form may end before: letters and digits. */
  readonly #isBarrier: Uint8Array;
  /** The state to begin in by the classes of the two units before, and again for all forms, also such as need context. */
  readonly #starts = new Int32Array(2 * PAIRS).fill(UNKNOWN);
  #isReset = false;
  /** Classes of the units at hand, from two before the first start. */
  #units = new Uint8Array(0);
  codes = new Uint16Array(0);
  /** Ends passed on the way from one start: state and place of each. */
  readonly #passed: Int32Array;
  #passes = 0;
  /** Place where a form ends; 0: nowhere. */
  readonly #ends: Int32Array;
  readonly #matched: Uint8Array;
  #matches = 0;

  constructor(machine: Machine) {
    const { states, classes, forms, reach, mayEnd } = machine;
    this.#machine = machine;
    this.#isLongest = forms.map((_one, form) => states.isDeterministic(form));
    this.#isOpening = forms.map(({ opening }) => opening !== undefined);
    const seconds = Array.from({ length: classes.count }, (_, column) => column);
    this.#isBarrier = Uint8Array.from({ length: COLUMNS }, (_, column) =>
      forms.some((_one, form) => seconds.some((second) => mayEnd(form, column * COLUMNS + second))) ? 0 : 1,
    );
    this.#passed = new Int32Array(2 * (reach + 1));
    this.#ends = new Int32Array(forms.length);
    this.#matched = new Uint8Array(forms.length);
    states.onReset = () => {
      this.#starts.fill(UNKNOWN);
      this.#isReset = true;
    };
  }

  scan({ text, start, end, reads, changes }: Stretch, hasContext: boolean, report: FormReport): void {
    this.#classify(text, start, end);
    const { reach } = this.#machine;
    const starts = this.#starts;
    const units = this.#units;
    const table = hasContext ? PAIRS : 0;
    const shift = start - 2;
    for (let i = 2; i < end - shift; i++) {
      const pair = table + (units[i - 2] ?? NO_UNIT) * COLUMNS + (units[i - 1] ?? NO_UNIT);
      if (starts[pair] === DEAD) continue;
      let read = changes?.readOf(i + shift, reach, hasContext) ?? 0;
      if (read === 0) read = this.#try(i, pair, shift, report) - i;
      if (reads !== null) reads[i + shift] = Math.min(read, 255);
    }
  }

  /** Reports what begins at `at`; returns how far was read, boundaries included. */
  #try(at: number, pair: number, shift: number, report: FormReport): number {
    const stop = this.#walk(at, pair);
    if (this.#passes > 0) this.#settle();
    const read = this.#matches > 0 ? this.#report(at, shift, report) : 0;
    return Math.max(read, stop) + 3;
  }

  /** Classes of the units from two before `from` to two behind the longest match; none beyond the text. */
  #classify(text: string, from: number, to: number): void {
    const size = to - from + this.#machine.reach + 5;
    if (this.#units.length < size) {
      this.#units = new Uint8Array(size);
      this.codes = new Uint16Array(size);
    }
    const units = this.#units;
    const codes = this.codes;
    const table = this.#machine.classes.of;
    const base = from - 2;
    const first = Math.max(0, -base);
    const last = Math.max(first, Math.min(size, text.length - base));
    for (let i = 0; i < first; i++) codes[i] = units[i] = NO_UNIT;
    for (let i = first; i < last; i++) {
      const code = text.charCodeAt(base + i);
      codes[i] = code;
      units[i] = table[code] ?? NO_UNIT;
    }
    for (let i = last; i < size; i++) codes[i] = units[i] = NO_UNIT;
  }

  #startRow(pair: number): number {
    const known = this.#starts[pair] ?? DEAD;
    if (known !== UNKNOWN) return known;
    const { states, forms, mayBegin } = this.#machine;
    const isPossible = (one: Form, form: number): boolean =>
      mayBegin(form, pair % PAIRS) && (pair >= PAIRS || one.needsContext !== true);
    const row = states.start(forms.flatMap((one, form) => (isPossible(one, form) ? form : [])));
    this.#starts[pair] = row;
    return row;
  }

  /**
   * Follows all forms from `at`; again when that made too many states, because those on the way are void then. Returns the
   * place of the first unit after which none goes on.
   */
  #walk(at: number, pair: number): number {
    const { states } = this.#machine;
    const units = this.#units;
    const passed = this.#passed;
    const isBarrier = this.#isBarrier;
    const soonest = at + this.#machine.shortest - 1;
    let passes = 0;
    let i = at;
    do {
      this.#isReset = false;
      passes = 0;
      i = at;
      let row = this.#startRow(pair);
      let next = states.next;
      for (; row !== DEAD; i++) {
        const column = units[i] ?? NO_UNIT;
        let entry = next[row + column] ?? DEAD;
        if (entry === UNKNOWN) {
          entry = states.step(row, column);
          next = states.next;
        }
        row = entry & ROW;
        if (entry === row) continue;
        if ((entry & OPENS) === 0 && (i < soonest || isBarrier[units[i + 1] ?? NO_UNIT] === 1)) continue;
        passed[passes++] = row;
        passed[passes++] = i + 1;
      }
    } while (this.#isReset);
    this.#passes = passes;
    return i - 1;
  }

  /** From the last end back: what is met first is the longest match. */
  #settle(): void {
    const { states, mayEnd } = this.#machine;
    const units = this.#units;
    const ends = this.#ends;
    let settled: readonly number[] | null = null;
    for (let i = this.#passes - 2; i >= 0; i -= 2) {
      const ending = states.formsAt(this.#passed[i] ?? DEAD);
      if (ending === settled) continue;
      const at = this.#passed[i + 1] ?? 0;
      const pair = (units[at] ?? NO_UNIT) * COLUMNS + (units[at + 1] ?? NO_UNIT);
      settled = ending;
      for (let k = 0; k < ending.length; k++) {
        const form = ending[k] ?? 0;
        const known = ends[form] ?? 0;
        const isOpening = this.#isOpening[form] === true;
        const isLongest = this.#isLongest[form] === true;
        if (known !== 0 && (isLongest || isOpening)) continue;
        const isEnd = isOpening || mayEnd(form, pair);
        if (!isEnd || !(isLongest || isOpening)) settled = null;
        if (!isEnd) continue;
        if (known === 0) this.#insert(form);
        ends[form] = known === 0 && !isOpening ? at : OPEN_END;
      }
    }
  }

  /** Keeps the forms that match in their order. */
  #insert(form: number): void {
    const matched = this.#matched;
    let i = this.#matches++;
    for (; i > 0 && (matched[i - 1] ?? 0) > form; i--) matched[i] = matched[i - 1] ?? 0;
    matched[i] = form;
  }

  /** Returns the furthest that was read. */
  #report(start: number, shift: number, report: FormReport): number {
    const count = this.#matches;
    this.#matches = 0;
    let read = 0;
    for (let i = 0; i < count; i++) {
      const form = this.#matched[i] ?? 0;
      const end = this.#ends[form] ?? 0;
      this.#ends[form] = 0;
      read = Math.max(read, report(form, start + shift, end === OPEN_END ? OPEN_END : end + shift, start));
    }
    return read;
  }
}
