/** Code points are what Presidio counts; JavaScript counts UTF-16 code units. */
export type CodePointOffset = number & { readonly unit: 'codepoint' };

/** Translates UTF-16 offsets of one text that do not cut a surrogate pair. */
export function codePointOffsets(text: string): (utf16: number) => CodePointOffset {
  const pairs = Array.from(text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g), ({ index }) => index);
  if (pairs.length === 0) return (utf16) => utf16 as CodePointOffset;
  return (utf16) => (utf16 - countBelow(pairs, utf16)) as CodePointOffset;
}

/** How many of the ascending numbers are smaller. */
function countBelow(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
