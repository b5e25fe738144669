/**
 * The language of recognizer expressions: RE2's syntax with Python's meaning of the short forms, where letters, digits
 * and white space of every script count, and four assertions that stand for what Presidio's expressions look at around
 * a match. An expression compiles to a RE2 gate (assertions dropped, so it admits at least as much) and to a matcher for
 * positions; the matchers run on short slices only, and every one but the code-driven recognizers has a longest match.
 *
 *   \d \w \s   digit, word character, white space of any script (also inside a class)
 *   \b         word boundary; `\<` and `\>`: no word character before, after
 *   (?<!x) (?!x)  with one character class `x`, or a short literal prefix in `(?!…)`
 */

/** Python's `\w`: UTS #18 compatibility property "word". */
const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d`;
const NOT_BEFORE = `(?<![${WORD}])`;
const NOT_AFTER = `(?![${WORD}])`;
const BOUNDARY = `(?:${NOT_BEFORE}(?=[${WORD}])|(?<=[${WORD}])${NOT_AFTER})`;

const CLASSES: Readonly<Record<string, string>> = { d: String.raw`\p{Nd}`, w: WORD, s: String.raw`\p{White_Space}` };
const ASSERTIONS: Readonly<Record<string, string>> = { b: BOUNDARY, '<': NOT_BEFORE, '>': NOT_AFTER };

/** One word character of any script. */
export const WORD_CHARACTER = new RegExp(`[${WORD}]`, 'u');

/** The expression in JavaScript's syntax, for the flags `u` and, usually, `i`. */
export function translate(expression: string): string {
  let inClass = false;
  return expression.replace(/\\(.)|[[\]]/gsu, (token, escaped: string | undefined) => {
    if (token === '[') inClass = true;
    if (token === ']') inClass = false;
    if (escaped === undefined) return token;
    const members = CLASSES[escaped];
    if (members !== undefined) return inClass ? members : `[${members}]`;
    return ASSERTIONS[escaped] ?? token;
  });
}

/** Compiles for positions: global, Unicode, `.` matches everything, `^` and `$` at lines. */
export function compileMatcher(expression: string, isCaseSensitive = false): RegExp {
  return new RegExp(translate(expression), isCaseSensitive ? 'gmsu' : 'gimsu');
}
