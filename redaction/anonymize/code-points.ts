/** A text addressed by code points, as Presidio's offsets count. */
export interface CodePointText {
  readonly source: string;
  /** In code points. */
  readonly length: number;
  /** Both bounds in code points, `start <= end <= length`. */
  readonly slice: (start: number, end: number) => string;
}

const SURROGATE = /[\ud800-\udfff]/;
/** With the flag, halves of a pair are not seen. */
const UNPAIRED = /\p{Surrogate}/u;

/** Builds an index only for texts that have characters beyond the basic plane; all others need none. */
export function codePointText(source: string): CodePointText {
  if (!SURROGATE.test(source)) {
    return { source, length: source.length, slice: (start, end) => source.slice(start, end) };
  }
  const { offsets, length } = indexOf(source);
  return { source, length, slice: (start, end) => source.slice(offsets[start] ?? 0, offsets[end] ?? source.length) };
}

/** From code points to UTF-16 code units; null beyond the end of the text. */
export function codePointOffsets(source: string): (codePoints: number) => number | null {
  if (!SURROGATE.test(source)) return (at) => (at >= 0 && at <= source.length ? at : null);
  const { offsets, length } = indexOf(source);
  return (at) => (at <= length ? (offsets[at] ?? null) : null);
}

function indexOf(source: string): { offsets: Uint32Array; length: number } {
  const offsets = new Uint32Array(source.length + 1);
  let length = 0;
  for (let at = 0; at < source.length; length += 1) {
    offsets[length] = at;
    at += (source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  offsets[length] = source.length;
  return { offsets, length };
}

/** Number of code points; an unpaired surrogate counts as one, as in Python. */
export function codePointLength(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** False for texts with an unpaired surrogate, which have no UTF-8 form. */
export function isWellFormed(text: string): boolean {
  return !UNPAIRED.test(text);
}
