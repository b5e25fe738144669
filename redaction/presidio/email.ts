/**
 * Where e-mail addresses stand. An expression with this meaning is quadratic in every engine (a long local part is tried
 * again from each of its characters), so the search goes from each `@` to both sides.
 */
import { compileMatcher, WORD_CHARACTER } from './expression.ts';
import type { PatternMatch } from './recognizer.ts';

/** How Presidio writes the expression; shown in the decision process only. */
export const PUBLISHED_EMAIL = String.raw`\b((([!#$%&'*+\-/=?^_${'`'}{|}~\w])|([!#$%&'*+\-/=?^_${'`'}{|}~\w][!#$%&'*+\-/=?^_${'`'}{|}~\.\w]{0,}[!#$%&'*+\-/=?^_${'`'}{|}~\w]))[@]\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)+)\b`;

const SIGNS = "!#$%&'*+-/=?^_`{|}~";
const LABEL = String.raw`\w+(?:-+\w+)*`;
const DOMAIN = new RegExp(compileMatcher(String.raw`^@${LABEL}(?:\.${LABEL})+`), 'isu');
/** Far more than any name server takes. */
const LONGEST_DOMAIN = 4096;

/** Every address, leftmost first. Linear in the length of the text. */
export function* findEmails(text: string): Generator<PatternMatch> {
  let resume = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = at < resume ? -1 : localStart(text, at, resume);
    if (start < 0) continue;
    const domain = DOMAIN.exec(text.slice(at, at + LONGEST_DOMAIN))?.[0];
    if (domain === undefined) continue;
    resume = at + domain.length;
    yield { pattern: 0, start, end: resume };
  }
}

/** Leftmost place from which the local part up to `at` begins at a word boundary; -1: none. */
function localStart(text: string, at: number, resume: number): number {
  let start = -1;
  for (let end = at; end > resume;) {
    const character = characterBefore(text, end);
    const isDot = character === '.';
    if (isDot ? end === at : !isLocal(character)) break;
    const begin = end - character.length;
    if (!isDot && isWord(character) !== isWord(characterBefore(text, begin))) start = begin;
    end = begin;
  }
  return start;
}

/** The whole character that ends before `offset`; empty at the start. */
function characterBefore(text: string, offset: number): string {
  const low = text.charCodeAt(offset - 1);
  const isPair = low >= 0xdc00 && low <= 0xdfff && offset > 1;
  return text.slice(Math.max(0, offset - (isPair ? 2 : 1)), offset);
}

function isLocal(character: string): boolean {
  return SIGNS.includes(character) || isWord(character);
}

function isWord(character: string): boolean {
  return WORD_CHARACTER.test(character);
}
