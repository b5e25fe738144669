/**
 * The first filter: one pass over a stretch of text that says which recognizers could match in it. A literal is looked for
 * by its rarest pair of characters, one table look-up for every unit of the text.
 */

/** What a stretch of text holds. */
export const DIGIT = 1;
export const KEYWORD = 2;
/** Something another reading could differ in: an escape, a character outside ASCII. */
export const ODD = 4;

/** What a survey found besides. */
export interface SurveyNotes {
  /** 1 for every list with a keyword that lies in the stretch. */
  readonly hits: Uint8Array;
  /** The first digit and the last, when there are any. */
  firstDigit: number;
  lastDigit: number;
}

/** Looks at the units [start, end) and makes its notes. Returns DIGIT, KEYWORD and ODD as far as they hold. */
export type Survey = (text: string, start: number, end: number, notes: SurveyNotes) => number;

/** Letters from the most to the least frequent in prose; what is missing is rarer. */
const COMMON = ' etaoinshrdlucmfwgypbv.,kxjqz-:/"\'';

function rarity(char: string): number {
  const at = COMMON.indexOf(char);
  return at === -1 ? COMMON.length : at;
}

interface Entry {
  readonly keyword: string;
  /** Where the second character of the looked-for pair stands in it. */
  readonly anchor: number;
  readonly list: number;
}

/** Values of the table; from `FIRST_BUCKET` on they are numbers of lists of entries. */
const NOTHING = 0;
const IS_DIGIT = 1;
const IS_ODD = 2;
const FIRST_BUCKET = 3;

/** Keywords are ASCII. A list is what one recognizer has; an empty list is never hit. */
export function createSurvey(lists: readonly (readonly string[])[]): Survey {
  const table = new Uint16Array(128 * 128).fill(NOTHING);
  const buckets: Entry[][] = [];
  const add = (pair: number, entry: Entry): void => {
    const known = table[pair] ?? NOTHING;
    if (known >= FIRST_BUCKET) buckets[known - FIRST_BUCKET]?.push(entry);
    else table[pair] = buckets.push([entry]) - 1 + FIRST_BUCKET;
  };
  for (let before = 0; before < 128; before++) {
    for (const digit of '0123456789') table[(before << 7) | digit.charCodeAt(0)] = IS_DIGIT;
    for (const escape of '%&\\') table[(before << 7) | escape.charCodeAt(0)] = IS_ODD;
  }
  for (const [list, keywords] of lists.entries()) {
    for (const keyword of keywords) {
      const anchor = anchorOf(keyword);
      const code = keyword.charCodeAt(anchor);
      if (anchor > 0) add((keyword.charCodeAt(anchor - 1) << 7) | code, { keyword, anchor, list });
      else for (let before = 0; before < 128; before++) add((before << 7) | code, { keyword, anchor, list });
    }
  }

  return (text, start, end, notes) => {
    let found = 0;
    let before = 0;
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) {
        found |= ODD;
        before = 0;
        continue;
      }
      const kind = table[(before << 7) | code] ?? NOTHING;
      before = code;
      if (kind === NOTHING) continue;
      if (kind === IS_DIGIT) {
        if ((found & DIGIT) === 0) notes.firstDigit = i;
        notes.lastDigit = i;
        found |= DIGIT;
      } else if (kind === IS_ODD) found |= ODD;
      else if (collect(buckets[kind - FIRST_BUCKET] ?? [], text, i, start, end, notes.hits)) found |= KEYWORD;
    }
    return found;
  };
}

function collect(
  entries: readonly Entry[],
  text: string,
  at: number,
  start: number,
  end: number,
  hits: Uint8Array,
): boolean {
  let isHit = false;
  for (const { keyword, anchor, list } of entries) {
    const from = at - anchor;
    if (from < start || from + keyword.length > end || !text.startsWith(keyword, from)) continue;
    hits[list] = 1;
    isHit = true;
  }
  return isHit;
}

/** End of the rarest pair; its second character is no digit and no escape, which have an entry of their own. */
function anchorOf(keyword: string): number {
  let best = 0;
  let most = -1;
  for (let i = 1; i < keyword.length; i++) {
    const char = keyword.charAt(i);
    const worth = rarity(char) + rarity(keyword.charAt(i - 1));
    if (/[0-9%&\\]/.test(char) || worth <= most) continue;
    best = i;
    most = worth;
  }
  return best;
}
