/**
 * Where host names and URLs stand: a run of letters, digits, dots and hyphens up to its last dot that a top-level domain
 * follows, then an optional path. Found from the dots, in time linear in the length of the text.
 */
import { parse } from 'tldts';
import type { PatternMatch } from './recognizer.ts';
import { GENERIC_TOP_LEVEL } from './top-level.ts';

const STANDARD = 0;
const BARE = 1;
const QUOTED = 2;
const QUOTED_BARE = 3;

const RUN = /[a-z0-9.-]*/iuy;
const SCHEME = /https?:\/\/$/iu;
const PATH = /(?:\/[^\p{White_Space}()<>"']*)?/uy;
const TOP_LEVEL = /[a-z]{2,24}/iy;

interface Host {
  readonly start: number;
  readonly end: number;
}

/** Every URL of the four kinds; each kind without overlap. */
export function* findUrls(text: string): Generator<PatternMatch> {
  const resume = [0, 0, 0, 0];
  let pathEnd = 0;
  for (let dot = text.indexOf('.'); dot >= 0;) {
    const run = runAround(text, dot);
    const host = hostIn(text, run, run.start);
    if (host !== null) {
      // A host inside a path shares that path's end; looking for it again would cost the path's length each time.
      const isInPath = host.end < pathEnd && text.charAt(host.end) === '/';
      const end = isInPath ? pathEnd : endOfPath(text, host.end);
      pathEnd = Math.max(pathEnd, end);
      for (const match of formsOf(text, host, end)) {
        if (match.start < (resume[match.pattern] ?? 0)) continue;
        resume[match.pattern] = match.end;
        yield match;
      }
    }
    dot = text.indexOf('.', run.end);
  }
}

function endOfPath(text: string, start: number): number {
  PATH.lastIndex = start;
  PATH.test(text);
  return PATH.lastIndex;
}

function* formsOf(text: string, { start, end: hostEnd }: Host, end: number): Generator<PatternMatch> {
  const scheme = SCHEME.exec(text.slice(Math.max(0, start - 8), start));
  const schemeStart = scheme === null ? -1 : start - scheme[0].length;
  if (schemeStart >= 0) yield { pattern: STANDARD, start: schemeStart, end };
  yield { pattern: BARE, start, end };
  const closed = closedEnd(text, hostEnd, end);
  if (closed < 0) return;
  if (schemeStart > 0 && isQuote(text.charAt(schemeStart - 1)))
    yield { pattern: QUOTED, start: schemeStart - 1, end: closed };
  if (isQuote(text.charAt(start - 1))) yield { pattern: QUOTED_BARE, start: start - 1, end: closed };
}

/** Behind the quote that closes a URL; one may be closed behind a longer name of its top level only. -1: not closed. */
function closedEnd(text: string, hostEnd: number, end: number): number {
  if (isQuote(text.charAt(end))) return end + 1;
  const dot = text.lastIndexOf('.', hostEnd);
  TOP_LEVEL.lastIndex = dot + 1;
  const letters = TOP_LEVEL.exec(text)?.[0].toLowerCase() ?? '';
  const longer = endOfPath(text, dot + 1 + letters.length);
  return GENERIC_TOP_LEVEL.has(letters) && isQuote(text.charAt(longer)) ? longer + 1 : -1;
}

/** The longest run of host characters around a dot. */
function runAround(text: string, dot: number): Host {
  let start = dot;
  while (start > 0 && isHostCharacter(text.charCodeAt(start - 1))) start -= 1;
  RUN.lastIndex = dot;
  RUN.test(text);
  return { start, end: RUN.lastIndex };
}

/** The part of a run up to its last dot with a top-level domain behind it; letters may follow that. */
function hostIn(text: string, { start, end }: Host, from: number): Host | null {
  for (let dot = text.lastIndexOf('.', end - 1); dot > from; dot = text.lastIndexOf('.', dot - 1)) {
    const length = topLevelLength(text, dot + 1);
    if (length > 0) return { start, end: dot + 1 + length };
    if (dot === 0) return null;
  }
  return null;
}

/** Length of the first top-level domain, in Presidio's order, that the text has at `at`; 0: none. Its end is not looked at. */
function topLevelLength(text: string, at: number): number {
  TOP_LEVEL.lastIndex = at;
  const letters = TOP_LEVEL.exec(text)?.[0].toLowerCase() ?? '';
  // A short name hides the longer ones that begin with it; `sh` stands among the generic ones.
  if (letters.startsWith('sh')) return 2;
  for (let length = 3; length <= letters.length; length++)
    if (GENERIC_TOP_LEVEL.has(letters.slice(0, length))) return length;
  return isCountry(letters.slice(0, 2)) ? 2 : 0;
}

/** At most 676 pairs of letters. */
const countries = new Map<string, boolean>([
  ['an', true],
  ['tp', true],
  ['za', true],
  ['ss', false],
]);

function isCountry(name: string): boolean {
  if (name.length < 2) return false;
  const answer = countries.get(name) ?? parse(`a.b.${name}`, { allowPrivateDomains: false }).isIcann === true;
  countries.set(name, answer);
  return answer;
}

/** Of ASCII. */
function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

/** Also the two letters that fold to ASCII ones. */
function isHostCharacter(code: number): boolean {
  return (
    isLetter(code) || (code >= 48 && code <= 57) || code === 45 || code === 46 || code === 0x17f || code === 0x212a
  );
}

function isQuote(character: string): boolean {
  return character === '"' || character === "'";
}
