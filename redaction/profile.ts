/**
 * Recognizers made ready to run: a survey for keywords and one expression for each recognizer that has some, one automaton for
 * all forms without, and one expression for what a stream must still hold back.
 */
import { createWordList } from './context.ts';
import type { WordList } from './context.ts';
import { createFormAutomaton } from './form-automaton.ts';
import type { FormAutomaton } from './form-automaton.ts';
import { createSurvey } from './keywords.ts';
import type { SurveyNotes } from './keywords.ts';
import { parsePattern } from './pattern.ts';
import { PRIVATE_KEY } from './recognizers/private-key.ts';
import { NEVER } from './recognizers/recognizer.ts';
import type { Recognizer } from './recognizers/recognizer.ts';

export interface CompiledRecognizer {
  readonly recognizer: Recognizer;
  /** Finds anchors; group 1 of the look-behind is the head, or of the pattern the captured part. */
  readonly matcher: RegExp;
  readonly headLength: number;
  /** Code units of the match behind its captured part. */
  readonly captureTail: number;
  /** Code units from the anchor to the end of the longest match. */
  readonly tailLength: number;
  /** What the captured part goes on with behind the match of `matcher`, which ends as soon as it can; null: it does not. */
  readonly runOn: RunOn | null;
}

interface RunOn {
  /** Sticky. */
  readonly units: RegExp;
  readonly most: number;
}

export interface Profile {
  readonly recognizers: readonly CompiledRecognizer[];
  readonly detectors: readonly string[];
  /** What the units [start, end) hold: DIGIT, KEYWORD, ODD, or 0 where nothing can match and nothing is disguised. */
  survey(text: string, start: number, end: number): number;
  /** Of the last survey: where digits are. */
  readonly seen: Readonly<Pick<SurveyNotes, 'firstDigit' | 'lastDigit'>>;
  /** Of the last survey: the recognizers one of whose keywords was seen. */
  hits(): readonly CompiledRecognizer[];
  /** Recognizers without keywords. */
  readonly formed: readonly CompiledRecognizer[];
  /** Context words, and those of `formed` alone. */
  readonly contextWords: WordList;
  readonly formedWords: WordList;
  /** The most of all recognizers. */
  readonly headLength: number;
  readonly tailLength: number;
  /** Finds where `formed` match, by their index there. */
  readonly automaton: FormAutomaton;
  /** Start, at or after `from`, of the first match that more text may complete or change; the text's length if none. */
  unfinishedFrom(text: string, from: number): number;
}

/** Compiles a profile; about 15 ms. Throws RedactionError `invalid_pattern` for a pattern outside the language. */
export function compileProfile(recognizers: readonly Recognizer[]): Profile {
  const compiled = recognizers.map(compileRecognizer);
  const formed = compiled.filter(({ recognizer }) => recognizer.keywords.length === 0);
  const survey = createSurvey([...recognizers.map((one) => one.keywords), [PRIVATE_KEY.keyword]]);
  const notes: SurveyNotes = { hits: new Uint8Array(recognizers.length + 1), firstDigit: 0, lastDigit: 0 };
  return {
    recognizers: compiled,
    detectors: [
      ...recognizers.map((one) => `${one.id}@${String(one.version)}`),
      `${PRIVATE_KEY.id}@${String(PRIVATE_KEY.version)}`,
    ],
    survey(text, start, end) {
      notes.hits.fill(0);
      return survey(text, start, end, notes);
    },
    seen: notes,
    hits: () => compiled.filter((_, i) => notes.hits[i] === 1),
    formed,
    headLength: Math.max(...compiled.map((one) => one.headLength)),
    tailLength: Math.max(...compiled.map((one) => one.tailLength)),
    contextWords: createWordList(recognizers.flatMap(({ context }) => context)),
    formedWords: createWordList(formed.flatMap(({ recognizer }) => recognizer.context)),
    automaton: createFormAutomaton(formed.map(({ recognizer }) => recognizer)),
    unfinishedFrom: unfinishedSearch(recognizers),
  };
}

function compileRecognizer(recognizer: Recognizer): CompiledRecognizer {
  const { head, pattern, notBefore, notAfter, captured } = recognizer;
  const run = captured === true && notAfter === NEVER ? RUN_AT_END.exec(pattern) : null;
  const [, before = pattern, units = '', least = '', most = ''] = run ?? [];
  const shortest = run === null ? pattern : `${before}${units}{${least}})`;
  return {
    recognizer,
    matcher: new RegExp(`${anchorOf(head, notBefore, shortest)}(?!${notAfter})`, 'g'),
    runOn: run === null ? null : { units: new RegExp(`${units}{0,${most}}`, 'y'), most: Number(most) - Number(least) },
    // The captured part is at the end, or a literal stands behind it.
    captureTail: pattern.length - 1 - pattern.lastIndexOf(')'),
    headLength: head === undefined ? 0 : parsePattern(head).maxLength,
    tailLength: parsePattern(pattern).maxLength,
  };
}

/** A captured part that ends the pattern with repetitions of one class. */
const RUN_AT_END = /^(.*?)(\[(?:\\.|[^\]\\])+\])\{([0-9]+),([0-9]+)\}\)$/s;

/**
 * A head is looked for behind the first character of the pattern: with a literal in front the engine skips to it at memory
 * speed, with a look-behind in front it would try every position.
 */
function anchorOf(head: string | undefined, notBefore: string, pattern: string): string {
  if (head === undefined) return `(?<!${notBefore})${pattern}`;
  const literal = pattern.charAt(0);
  return `${literal}(?<=(${head})${literal})${pattern.slice(1)}`;
}

interface Opening {
  readonly notBefore: string;
  readonly pattern: string;
}

/**
 * More text can change what is found from a position exactly when the text from there to its end is a prefix of some match
 * with the boundary behind it. Few forms contain white space; the others are looked for in the last word only.
 */
function unfinishedSearch(recognizers: readonly Recognizer[]): (text: string, from: number) => number {
  const openings = recognizers.map(({ head, pattern, notBefore, notAfter }): Opening => {
    const boundary = notAfter === NEVER ? '' : `(?:${notAfter})`;
    return { notBefore, pattern: `${head ?? ''}${pattern}${boundary}` };
  });
  openings.push({ notBefore: NEVER, pattern: PRIVATE_KEY.begin });
  const spaced = searchOf(openings.filter((one) => parsePattern(one.pattern).allowsSpace));
  const unspaced = searchOf(openings.filter((one) => !parsePattern(one.pattern).allowsSpace));
  return (text, from) => Math.min(spaced(text, from), unspaced(text, lastWord(text, from)));
}

function searchOf(openings: readonly Opening[]): (text: string, from: number) => number {
  const starts = openings.map(({ notBefore, pattern }) => `(?<!${notBefore})${parsePattern(pattern).prefixes}`);
  const expression = new RegExp(`(?:${starts.join('|')})$`, 'g');
  const reach = Math.max(...openings.map(({ pattern }) => parsePattern(pattern).maxLength));
  return (text, from) => {
    // Only what is shorter than the longest match can be the beginning of one.
    expression.lastIndex = Math.max(from, text.length - reach);
    return expression.exec(text)?.index ?? text.length;
  };
}

/** Start of the run without white space at the end of the text, not before `from`. */
function lastWord(text: string, from: number): number {
  let at = text.length;
  while (at > from) {
    const code = text.charCodeAt(at - 1);
    if (code === 32 || code === 10 || code === 13 || code === 9) break;
    at -= 1;
  }
  return at;
}
