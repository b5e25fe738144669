import type { Offsets } from './offsets.ts';
import type { Stage } from './stage.ts';

/** A change reaches so far that what is out of reach of all is not worth looking for when they stand closer. */
const REACH = 24;

/**
 * Units of the last text that differ from the first after all stages, each of which made the next text of the one before;
 * null when there are too many to be of use.
 */
export function changesThrough(stages: readonly Stage[], texts: readonly string[]): Int32Array | null {
  let count = 0;
  for (const { replacements } of stages) count += replacements;
  if (count * REACH > (texts.at(-1)?.length ?? 0)) return null;
  let places: Int32Array = new Int32Array(0);
  for (const [i, { replacements, offsets }] of stages.entries()) {
    const derivation = { source: texts[i] ?? '', derived: texts[i + 1] ?? '', offsets };
    if (replacements > 0) places = changedPlaces(derivation, places);
  }
  return places;
}

/** A text, and the text that was derived from it as a whole. */
interface Derivation {
  readonly source: string;
  readonly derived: string;
  readonly offsets: Offsets;
}

/**
 * Units of the derived text that differ from their source or have something left out before them, ascending; also those
 * that `before` names for the source. The lengths count as places: something may be left out at the end.
 */
function changedPlaces({ source, derived, offsets }: Derivation, before: Int32Array): Int32Array {
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
