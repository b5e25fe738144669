import type { Offsets } from './offsets.ts';

/** A change may reach so far that looking for what is out of reach of all is not worth it when they stand closer. */
const REACH = 24;

export function isDense(changes: number, length: number): boolean {
  return changes * REACH > length;
}

/** A text, and the text that was derived from it as a whole. */
export interface Derivation {
  readonly source: string;
  readonly derived: string;
  readonly offsets: Offsets;
}

/**
 * Units of the derived text that differ from their source or have something left out before them, ascending; also those
 * that `before` names for the source. The lengths count as places: something may be left out at the end.
 */
export function changedPlaces({ source, derived, offsets }: Derivation, before: Int32Array): Int32Array {
  const places = new Int32Array(derived.length + 1);
  let count = 0;
  let next = 0;
  let sourceEnd = 0;
  offsets.forEachRow((at, until, start, end, isCopied) => {
    let isChanged = start !== sourceEnd;
    while ((before[next] ?? Infinity) < start) next += 1;
    for (let i = 0; i < until - at; i++) {
      if ((before[next] ?? Infinity) <= start + i) {
        isChanged = true;
        next += 1;
      }
      if (isChanged || !isCopied || source.charCodeAt(start + i) !== derived.charCodeAt(at + i))
        places[count++] = at + i;
      isChanged = false;
    }
    sourceEnd = end;
  });
  if (sourceEnd < source.length || next < before.length) places[count++] = derived.length;
  return places.subarray(0, count);
}
