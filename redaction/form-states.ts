/** The states of the automaton of forms, made when a text first asks for them. */
import type { UnitClasses } from './form-classes.ts';
import type { Positions } from './form-positions.ts';

/** Entries of the table: the row of a state, with `ENDS` added where a form ends there and `OPENS` where an opening does; or one of the other two. */
export const DEAD = 0;
const ENDS = 2 ** 30;
export const OPENS = 2 ** 29;
/** The row alone. */
export const ROW = OPENS - 1;
export const UNKNOWN = -1;

/** Columns of the table, a power of two so that rows are found by adding. */
const COLUMN_BITS = 6;
export const COLUMNS = 1 << COLUMN_BITS;

/** States kept; a text that needs more makes the automaton start anew. */
const MAX_STATES = 8192;
const FIRST_ROWS = 256;

interface Ends {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** A state is the set of positions that may come next, and the forms that may end here. */
export class States {
  /** At the row of a state plus a class: the entry for the next state, `UNKNOWN` where nobody asked yet. Replaced as it grows. */
  next: Int32Array;
  readonly #positions: Positions;
  readonly #openings: ReadonlySet<number>;
  readonly #firsts: readonly (readonly number[])[];
  /** Row of a position, column of a class. */
  readonly #members: Uint8Array;
  /** The form each position ends; -1: none. */
  readonly #ends: Int16Array;
  #ids = new Map<string, number>();
  readonly #lists = new Map<string, readonly number[]>();
  #coming: (readonly number[])[] = [];
  #forms: (readonly number[])[] = [];
  /** Called when all states were forgotten. */
  onReset: () => void = () => undefined;

  /** `openings`: forms that are known by their opening alone. */
  constructor(
    positions: Positions,
    parts: readonly Ends[],
    { examples }: UnitClasses,
    openings: readonly number[] = [],
  ) {
    this.#positions = positions;
    this.#openings = new Set(openings);
    this.#firsts = parts.map(({ first }) => first);
    const sets = new Map<string, readonly boolean[]>();
    for (const source of new Set(positions.sources)) {
      const set = new RegExp(`^${source}$`);
      sets.set(source, examples.map((example) => set.test(example))); // prettier-ignore
    }
    this.#members = new Uint8Array(positions.sources.length * COLUMNS);
    for (const [position, source] of positions.sources.entries())
      for (const [column, isMember] of (sets.get(source) ?? []).entries())
        if (isMember) this.#members[position * COLUMNS + column] = 1;
    this.#ends = new Int16Array(positions.sources.length).fill(-1);
    for (const [form, { last }] of parts.entries()) for (const position of last) this.#ends[position] = form;
    this.next = new Int32Array(0);
    this.#reset();
  }

  /** Forms that end in the state of a row, ascending. */
  formsAt(row: number): readonly number[] {
    return this.#forms[row >> COLUMN_BITS] ?? [];
  }

  /** The row of the state in which any of the forms may begin. */
  start(forms: readonly number[]): number {
    if (forms.length === 0) return DEAD;
    return this.#add(forms.flatMap((form) => this.#firsts[form] ?? []), []); // prettier-ignore
  }

  /** The entry after one more code unit. Rows of before are void when `onReset` was called. */
  step(row: number, column: number): number {
    const ids = this.#ids;
    const reached = (this.#coming[row >> COLUMN_BITS] ?? []).filter((position) => this.#isMember(position, column));
    const next =
      reached.length === 0
        ? DEAD
        : this.#add(
            reached.flatMap((position) => this.#positions.follow[position] ?? []),
            reached.map((position) => this.#ends[position] ?? -1).filter((form) => form >= 0),
          );
    if (ids === this.#ids) this.next[row + column] = next;
    return next;
  }

  /** Every match of the form has one way through its positions; then the longest of its ends is the expression's own. */
  isDeterministic(form: number): boolean {
    const sets: (readonly number[])[] = [this.#firsts[form] ?? []];
    const seen = new Set<number>();
    for (let set = sets.pop(); set !== undefined; set = sets.pop()) {
      const distinct = [...new Set(set)];
      for (let column = 0; column < COLUMNS; column++)
        if (distinct.filter((position) => this.#isMember(position, column)).length > 1) return false;
      for (const position of distinct) {
        if (seen.has(position)) continue;
        seen.add(position);
        sets.push(this.#positions.follow[position] ?? []);
      }
    }
    return true;
  }

  /** Equal lists are one list. */
  #interned(forms: readonly number[]): readonly number[] {
    const key = forms.join();
    const known = this.#lists.get(key) ?? forms;
    this.#lists.set(key, known);
    return known;
  }

  #isMember(position: number, column: number): boolean {
    return this.#members[position * COLUMNS + column] === 1;
  }

  #add(coming: readonly number[], forms: readonly number[]): number {
    const nextSet = [...new Set(coming)].sort((a, b) => a - b);
    const formSet = [...new Set(forms)].sort((a, b) => a - b);
    const key = `${formSet.join()}:${nextSet.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#coming.length === MAX_STATES) this.#reset();
    const row = (this.#coming.push(nextSet) - 1) * COLUMNS;
    const opens = formSet.some((form) => this.#openings.has(form)) ? OPENS : 0;
    const entry = formSet.length > 0 ? row | ENDS | opens : row;
    this.#forms.push(this.#interned(formSet));
    this.#ids.set(key, entry);
    this.#makeRoom();
    return entry;
  }

  #makeRoom(): void {
    const needed = this.#coming.length * COLUMNS;
    if (needed <= this.next.length) return;
    const larger = new Int32Array(Math.max(FIRST_ROWS * COLUMNS, 2 * this.next.length)).fill(UNKNOWN);
    larger.set(this.next);
    this.next = larger;
  }

  #reset(): void {
    this.#ids = new Map();
    this.#coming = [[]];
    this.#forms = [[]];
    this.next = new Int32Array(0);
    this.#makeRoom();
    this.next.fill(DEAD, 0, COLUMNS);
    this.onReset();
  }
}
