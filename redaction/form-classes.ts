/** Code units in classes: two of one class are in the same of the given sets, so an automaton need not tell them apart. */

/** No code unit: before the beginning and behind the end of a text. */
export const NO_UNIT = 0;

export interface UnitClasses {
  /** Class of every code unit, from 1 on. */
  readonly of: Uint8Array;
  /** Classes including `NO_UNIT`. */
  readonly count: number;
  /** One code unit of each class; '' for `NO_UNIT`. */
  readonly examples: readonly string[];
}

/** A code unit that no set names: every other one outside ASCII is treated as it is. */
const OTHER = '\ue000';

/** Classes for the sets written as `sources` (a character, an escape or `[...]`); each set is named in full or within ASCII. */
export function classesFor(sources: Iterable<string>): UnitClasses {
  const sets = [...new Set(sources)].map((source) => new RegExp(`^${source}$`));
  const classes = new Map<string, number>();
  const examples = [''];
  const classOf = (unit: string): number => {
    const signature = sets.map((set) => (set.test(unit) ? '1' : '0')).join('');
    let known = classes.get(signature);
    if (known === undefined) {
      known = examples.push(unit) - 1;
      classes.set(signature, known);
    }
    return known;
  };
  const table = new Uint8Array(0x10000).fill(classOf(OTHER));
  for (const unit of [...Array.from({ length: 128 }, (_, i) => String.fromCharCode(i)), ...namedUnits(sources)])
    table[unit.charCodeAt(0)] = classOf(unit);
  return { of: table, count: examples.length, examples };
}

/** Code units outside ASCII that the sources name, ranges written out. */
function* namedUnits(sources: Iterable<string>): Generator<string> {
  for (const source of sources) {
    for (const [, from = '', to = from] of source.matchAll(/([\u0080-\uffff])(?:-([\u0080-\uffff]))?/g))
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) yield String.fromCharCode(code);
  }
}
