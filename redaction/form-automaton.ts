/**
 * Where in a text the forms of numbers begin, and where they end. A form has a boundary in front, so it is tried at few
 * places; all forms are tried at once, by one deterministic automaton that is built as texts ask for its states. Long before
 * any expression runs it has refused nearly all that only looks like a number for a while.
 */
import { classesFor, NO_UNIT } from './form-classes.ts';
import type { UnitClasses } from './form-classes.ts';
import { Positions } from './form-positions.ts';
import { COLUMNS, DEAD, ENDS, States, UNKNOWN } from './form-states.ts';
import { parsePattern, parseTree } from './pattern.ts';
import { NEVER } from './recognizers/recognizer.ts';

export interface Form {
  readonly pattern: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly isLongest?: boolean;
  readonly minLength?: number;
  readonly needsContext?: boolean;
}

export interface FormAutomaton {
  /**
   * Reports every form (`hasContext`: also those that need a context word) that matches from a start in [from, to), starts in order and forms in order at each; `end` is where
   * the expression's own match ends, or `OPEN_END` where several ends are possible and the expression has to be asked.
   */
  scan(text: string, from: number, to: number, hasContext: boolean, report: FormReport): void;
}

export type FormReport = (form: number, start: number, end: number) => void;

export const OPEN_END = -1;

/** Compiles forms; about 5 ms. At most 31 boundaries may differ. */
export function createFormAutomaton(forms: readonly Form[]): FormAutomaton {
  const positions = new Positions();
  const parts = forms.map(({ pattern }) => positions.add(parseTree(pattern)));
  const edges = forms.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]).filter((edge) => edge !== NEVER);
  const edgeSets = new Positions();
  for (const edge of new Set(edges)) edgeSets.add(parseTree(edge));
  const classes = classesFor([...positions.sources, ...edgeSets.sources]);
  return createScan({
    states: new States(positions, parts, classes),
    classes,
    forms,
    reach: Math.max(...forms.map(({ pattern }) => parsePattern(pattern).maxLength)),
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
  /** Code units of the longest match. */
  readonly reach: number;
  readonly mayBegin: EdgeTest;
  readonly mayEnd: EdgeTest;
}

function createScan({ states, classes, forms, reach, mayBegin, mayEnd }: Machine): FormAutomaton {
  const isLongest = forms.map((one, form) => one.isLongest === true || states.isDeterministic(form));
  /** The state to begin in by the classes of the two units before, and again for all forms, also such as need context. */
  const starts = new Int32Array(2 * PAIRS).fill(UNKNOWN);
  let isReset = false;
  states.onReset = () => {
    starts.fill(UNKNOWN);
    isReset = true;
  };
  /** Ends passed on the way from one start: state and place of each. */
  const passed = new Int32Array(2 * (reach + 1));
  let passes = 0;
  /** Place where a form ends; 0: nowhere. */
  const ends = new Int32Array(forms.length);
  const matched = new Uint8Array(forms.length);
  const seconds = Array.from({ length: classes.count }, (_, column) => column);
  const least = Int32Array.from(forms, ({ minLength = 0 }) => minLength);
  /** Classes no form may end before: letters and digits. */
  const isBarrier = Uint8Array.from({ length: COLUMNS }, (_, column) =>
    forms.some((_one, form) => seconds.some((second) => mayEnd(form, column * COLUMNS + second))) ? 0 : 1,
  );
  let matches = 0;
  let units = new Uint8Array(0);

  function startRow(pair: number): number {
    const known = starts[pair] ?? DEAD;
    if (known !== UNKNOWN) return known;
    const isPossible = (one: Form, form: number): boolean =>
      mayBegin(form, pair % PAIRS) && (pair >= PAIRS || one.needsContext !== true);
    const row = states.start(forms.flatMap((one, form) => (isPossible(one, form) ? form : [])));
    starts[pair] = row;
    return row;
  }

  /** Classes of the units from two before `from` to two behind the longest match; none beyond the text. */
  function classify(text: string, from: number, to: number): void {
    const size = to - from + reach + 5;
    if (units.length < size) units = new Uint8Array(size);
    const table = classes.of;
    for (let i = 0, at = from - 2; i < size; i++, at++)
      units[i] = at >= 0 && at < text.length ? (table[text.charCodeAt(at)] ?? NO_UNIT) : NO_UNIT;
  }

  /** From the last end back: what is met first is the longest match. */
  function settle(start: number): void {
    let settled: readonly number[] | null = null;
    for (let i = passes - 2; i >= 0; i -= 2) {
      const ending = states.formsAt(passed[i] ?? DEAD);
      if (ending === settled) continue;
      const at = passed[i + 1] ?? 0;
      const pair = (units[at] ?? NO_UNIT) * COLUMNS + (units[at + 1] ?? NO_UNIT);
      settled = ending;
      for (const form of ending) {
        const known = ends[form] ?? 0;
        if (known !== 0 && isLongest[form] === true) continue;
        settled = isLongest[form] === true ? settled : null;
        if (at - start < (least[form] ?? 0) || !mayEnd(form, pair)) {
          settled = null;
          continue;
        }
        if (known === 0) insert(form);
        ends[form] = known === 0 ? at : OPEN_END;
      }
    }
    passes = 0;
  }

  /** Keeps the forms that match in their order. */
  function insert(form: number): void {
    let i = matches++;
    for (; i > 0 && (matched[i - 1] ?? 0) > form; i--) matched[i] = matched[i - 1] ?? 0;
    matched[i] = form;
  }

  /** Follows all forms from `at`; again when that made too many states, because those on the way are void then. */
  function walk(at: number, pair: number): void {
    do {
      isReset = false;
      passes = 0;
      let row = startRow(pair);
      let next = states.next;
      for (let i = at; row !== DEAD; i++) {
        const column = units[i] ?? NO_UNIT;
        let entry = next[row + column] ?? DEAD;
        if (entry === UNKNOWN) {
          entry = states.step(row, column);
          next = states.next;
        }
        row = entry & ~ENDS;
        if (entry === row || isBarrier[units[i + 1] ?? NO_UNIT] === 1) continue;
        passed[passes++] = row;
        passed[passes++] = i + 1;
      }
    } while (isReset);
  }

  return {
    scan(text, from, to, hasContext, report) {
      classify(text, from, to);
      const table = hasContext ? PAIRS : 0;
      const shift = from - 2;
      for (let i = 2; i < to - shift; i++) {
        const pair = table + (units[i - 2] ?? NO_UNIT) * COLUMNS + (units[i - 1] ?? NO_UNIT);
        if (starts[pair] === DEAD) continue;
        walk(i, pair);
        if (passes === 0) continue;
        settle(i);
        for (let k = 0; k < matches; k++) {
          const form = matched[k] ?? 0;
          const end = ends[form] ?? 0;
          ends[form] = 0;
          report(form, i + shift, end === OPEN_END ? OPEN_END : end + shift);
        }
        matches = 0;
      }
    },
  };
}
