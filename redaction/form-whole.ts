/** Whether a whole short text fits all patterns of one of several groups, by an automaton: each character is looked at once. */
import { classesFor } from './form-classes.ts';
import { Positions } from './form-positions.ts';
import { DEAD, ROW, States, UNKNOWN } from './form-states.ts';
import { parseTree } from './pattern.ts';

export interface WholeMatcher {
  /** True when the code units [from, to) as a whole match every pattern of some group. */
  matches(units: ArrayLike<number>, from: number, to: number): boolean;
}

/** Patterns in the language of recognizers. */
export function createWholeMatcher(groups: readonly (readonly string[])[]): WholeMatcher {
  const positions = new Positions();
  const parts = groups.flat().map((pattern) => positions.add(parseTree(pattern)));
  const classes = classesFor(positions.sources);
  const states = new States(positions, parts, classes);
  const all = parts.map((_, pattern) => pattern);
  let start = UNKNOWN;
  states.onReset = () => {
    start = UNKNOWN;
  };

  /** Where a text ends, every pattern of some group must end. */
  function isComplete(row: number): boolean {
    const ending = states.formsAt(row);
    let first = 0;
    return groups.some((group) => {
      const from = first;
      first += group.length;
      return group.every((_, i) => ending.includes(from + i));
    });
  }

  return {
    matches(units, from, to) {
      if (start === UNKNOWN) start = states.start(all);
      let row = start;
      for (let i = from; i < to; i++) {
        const column = classes.of[units[i] ?? 0] ?? 0;
        const known = states.next[row + column] ?? DEAD;
        const entry = known === UNKNOWN ? states.step(row, column) : known;
        if (entry === DEAD) return false;
        row = entry & ROW;
      }
      return isComplete(row);
    },
  };
}
