/** Replacement of the code units [start, end) of a text. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with all replacements made. Order by start, an insertion before a replacement at the same place; of nested
 * replacements the outer one counts.
 */
export function applySplices(source: string, splices: readonly Splice[]): string {
  const ordered = splices.toSorted(
    (a, b) => a.start - b.start || Number(a.start < a.end) - Number(b.start < b.end) || b.end - a.end,
  );
  let result = '';
  let at = 0;
  for (const { start, end, text } of ordered) {
    if (start < at) continue;
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}
