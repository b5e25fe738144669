/**
 * All recognizers of a language over one text at once: regions with cues, then one RE2 set that says which expressions a
 * region can hold, then positions by the platform's engine on the region only. Gives exactly what each recognizer gives
 * by itself over the whole text.
 */
import { ENGINE } from '../engine.ts';
import type { Engine, PatternSet } from '../engine.ts';
import { compileMatcher, translateGate } from './expression.ts';
import type { PatternMatch, PresidioPattern, PresidioRecognizer } from './recognizer.ts';
import { regionsOf, wholeBefore } from './regions.ts';
import type { Region } from './regions.ts';

/** Matches by recognizer; recognizers without any are left out. */
export type Matches = ReadonlyMap<PresidioRecognizer, readonly PatternMatch[]>;

export interface Scanner {
  scan(text: string, isWanted: (recognizer: PresidioRecognizer) => boolean): Matches;
}

interface Entry {
  readonly recognizer: PresidioRecognizer;
  readonly pattern: PresidioPattern;
  readonly index: number;
  readonly matcher: RegExp;
}

/** What the assertions around a match look at. */
const PADDING = 4;
const NOT_ASCII = /[\u0080-\uffff]/;

/** Compiles the recognizers; the sets are compiled when first needed. */
export function createScanner(recognizers: readonly PresidioRecognizer[], engine: Engine = ENGINE): Scanner {
  const entries = recognizers.filter(({ find }) => find === undefined).flatMap(entriesOf);
  const sets = new Map<boolean, PatternSet>();
  const setFor = (isAscii: boolean): PatternSet => {
    const set = sets.get(isAscii) ?? compileSet(engine, entries, isAscii);
    sets.set(isAscii, set);
    return set;
  };
  return {
    scan(text, isWanted) {
      const matches = new Map<PresidioRecognizer, PatternMatch[]>();
      const regions = regionsOf(text);
      for (const recognizer of recognizers) {
        if (recognizer.find === undefined || !isWanted(recognizer)) continue;
        const found = [...findIn(recognizer, text, regions)];
        if (found.length > 0) matches.set(recognizer, found);
      }
      // Where each expression goes on: matches of one do not overlap.
      const resume = new Map<Entry, number>();
      for (const region of regions) {
        const inner = text.slice(region.start, region.end);
        for (const id of setFor(!NOT_ASCII.test(inner)).match(inner)) {
          const entry = entries[id];
          if (entry === undefined || !isWanted(entry.recognizer)) continue;
          resume.set(entry, locate(entry, text, region, resume.get(entry) ?? 0, matches));
        }
      }
      return matches;
    },
  };
}

function entriesOf(recognizer: PresidioRecognizer): Entry[] {
  return recognizer.patterns.map((pattern, index) => ({
    recognizer,
    pattern,
    index,
    matcher: compileMatcher(pattern.expression, recognizer.isCaseSensitive),
  }));
}

function compileSet(engine: Engine, entries: readonly Entry[], isAscii: boolean): PatternSet {
  return engine.compileSet(
    entries.map(({ pattern, recognizer }) => translateGate(pattern.expression, isAscii, recognizer.isCaseSensitive)),
  );
}

function* findIn(recognizer: PresidioRecognizer, text: string, regions: readonly Region[]): Generator<PatternMatch> {
  if (recognizer.find === undefined) return;
  if (recognizer.isNearDigits !== true) {
    yield* recognizer.find(text);
    return;
  }
  for (const { start, end } of regions)
    for (const match of recognizer.find(text.slice(start, end)))
      yield { ...match, start: match.start + start, end: match.end + start };
}

/** Adds the matches of one expression in a region; says where its search goes on. */
function locate(
  { recognizer, index, matcher }: Entry,
  text: string,
  { start, end }: Region,
  resume: number,
  into: Map<PresidioRecognizer, PatternMatch[]>,
): number {
  const base = wholeBefore(text, Math.max(0, start - PADDING));
  const slice = text.slice(base, wholeBefore(text, Math.min(text.length, end + PADDING)));
  let next = resume;
  matcher.lastIndex = Math.max(start, resume) - base;
  for (let match = matcher.exec(slice); match !== null; match = matcher.exec(slice)) {
    next = base + matcher.lastIndex;
    const found = { pattern: index, start: base + match.index, end: next };
    const list = into.get(recognizer);
    if (list === undefined) into.set(recognizer, [found]);
    else list.push(found);
  }
  return next;
}
