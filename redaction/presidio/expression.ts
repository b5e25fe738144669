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

const ASCII_TOKENS: Readonly<Record<string, string>> = { d: '0-9', w: '0-9A-Za-z_', s: String.raw`\t-\r ` };
const UNICODE_TOKENS: Readonly<Record<string, string>> = {
  d: String.raw`\p{Nd}`,
  w: String.raw`\p{L}\p{M}\p{N}\p{Pc}\x{200c}\x{200d}`,
  s: String.raw`\t-\r \x{85}\p{Z}`,
};

/**
 * The expression in RE2's syntax, admitting at least what the matcher does: look-around is left out. For ASCII texts word
 * boundaries stay, for others they are left out too, because RE2 knows only ASCII ones.
 */
export function translateGate(expression: string, isAscii: boolean, isCaseSensitive = false): string {
  const tokens = isAscii ? ASCII_TOKENS : UNICODE_TOKENS;
  const plain = withoutLookAround(expression);
  let inClass = false;
  const gate = plain.replace(/\\(.)|[[\]]/gsu, (token, escaped: string | undefined) => {
    if (token === '[') inClass = true;
    if (token === ']') inClass = false;
    if (escaped === undefined) return token;
    const members = tokens[escaped];
    if (members !== undefined) return inClass ? members : `[${members}]`;
    if (!(escaped in ASSERTIONS)) return token;
    return isAscii ? String.raw`\b` : '';
  });
  return `${isCaseSensitive ? '(?s)' : '(?is)'}${gate}`;
}

const LOOK_AROUND = /\(\?(?:<!|!|<=|=)(?:\[(?:\\.|[^\]])*\]|\\.|[^()[\]])*\)/gsu;

/** Innermost first, until none is left. */
function withoutLookAround(expression: string): string {
  const shorter = expression.replace(LOOK_AROUND, '');
  return shorter === expression ? shorter : withoutLookAround(shorter);
}

/** Compiles for positions: global, Unicode, `.` matches everything, `^` and `$` at lines. */
export function compileMatcher(expression: string, isCaseSensitive = false): RegExp {
  return new RegExp(translate(expression), isCaseSensitive ? 'gmsu' : 'gimsu');
}
