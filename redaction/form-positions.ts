/**
 * A pattern as positions (Glushkov's construction): every character of every match stands at one position, and a position
 * knows which may come next. Repetitions are written out, so a pattern has as many positions as its longest match has places.
 */
import type { PatternNode } from './pattern.ts';

/** The positions of all patterns, numbered together. */
export class Positions {
  /** Source of the class of each position. */
  readonly sources: string[] = [];
  /** Positions that may come next. */
  readonly follow: number[][] = [];

  /** Adds a pattern; its matches begin at `first` and end at `last`. None is empty. */
  add(node: PatternNode): { readonly first: readonly number[]; readonly last: readonly number[] } {
    const { first, last } = this.#build(node);
    return { first, last };
  }

  #build(node: PatternNode): Part {
    switch (node.kind) {
      case 'char':
        return this.#char(node.source);
      case 'sequence':
        return node.parts.reduce<Part>((before, part) => this.#join(before, this.#build(part)), EMPTY);
      case 'choice':
        return node.options.map((option) => this.#build(option)).reduce(either);
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max);
    }
  }

  #char(source: string): Part {
    const position = this.sources.push(source) - 1;
    this.follow.push([]);
    return { first: [position], last: [position], isNullable: false };
  }

  /** x{2,4} is x x (x (x)?)?: the further copies are nested, so that every text has one way through them. */
  #repeat(node: PatternNode, min: number, max: number): Part {
    let rest = EMPTY;
    for (let count = max; count > min; count--) rest = { ...this.#join(this.#build(node), rest), isNullable: true };
    for (let count = min; count > 0; count--) rest = this.#join(this.#build(node), rest);
    return rest;
  }

  #join(a: Part, b: Part): Part {
    for (const position of a.last) this.follow[position]?.push(...b.first);
    return {
      first: a.isNullable ? [...a.first, ...b.first] : a.first,
      last: b.isNullable ? [...a.last, ...b.last] : b.last,
      isNullable: a.isNullable && b.isNullable,
    };
  }
}

interface Part {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly isNullable: boolean;
}

const EMPTY: Part = { first: [], last: [], isNullable: true };

function either(a: Part, b: Part): Part {
  return { first: [...a.first, ...b.first], last: [...a.last, ...b.last], isNullable: a.isNullable || b.isNullable };
}
