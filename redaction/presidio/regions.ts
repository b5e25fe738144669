/**
 * Parts of a text where a recognizer's expression can match at all. Every match has a digit, or the separators of a
 * hardware or network address, within `REACH` of each of its characters; everything else need not be looked at.
 */

export interface Region {
  /** UTF-16 code units; never inside a surrogate pair. */
  readonly start: number;
  readonly end: number;
}

/** Code units between a character of a match and the nearest cue in that match. */
const REACH = 72;
const CUE = /\p{Nd}|[:-][0-9A-Fa-f]{0,4}[:-]|\.[0-9A-Fa-f]{4}\./gu;

/** Regions in order, without overlap. */
export function regionsOf(text: string): Region[] {
  const regions: Region[] = [];
  let start = -1;
  let end = -1;
  CUE.lastIndex = 0;
  for (let cue = CUE.exec(text); cue !== null; cue = CUE.exec(text)) {
    if (start >= 0 && cue.index - REACH > end) {
      regions.push({ start, end });
      start = -1;
    }
    if (start < 0) start = wholeBefore(text, Math.max(0, cue.index - REACH));
    end = wholeBefore(text, Math.min(text.length, CUE.lastIndex + REACH));
    // The separator that ends one cue may begin the next.
    if (cue[0].length > 2) CUE.lastIndex -= 1;
  }
  if (start >= 0) regions.push({ start, end });
  return regions;
}

/** The offset, or the one before it inside a surrogate pair. */
export function wholeBefore(text: string, offset: number): number {
  const code = text.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff && offset > 0 ? offset - 1 : offset;
}
