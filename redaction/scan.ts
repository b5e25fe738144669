/**
 * The one detection routine, used for whole texts and for streams. What it reports from an offset on depends on at most
 * `LEFT_CONTEXT` code units before that offset and on nothing else to the left: that is what makes both agree.
 */
import type { Changes, Reads } from './changes.ts';
import { CONTEXT_LENGTH, ContextWords, hasWord } from './context.ts';
import { compareFindings, utf16 } from './finding.ts';
import type { Finding } from './finding.ts';
import { OPEN_END } from './form-automaton.ts';
import type { Stretch } from './form-automaton.ts';
import { progress } from './recognizers/digits.ts';
import { DIGIT, KEYWORD } from './keywords.ts';
import type { CompiledRecognizer, Profile } from './profile.ts';
import type { Recognizer, TextCheck, Verdict } from './recognizers/recognizer.ts';
import { scanPrivateKeys } from './recognizers/private-key.ts';
import type { BlockState } from './recognizers/private-key.ts';

/** Findings below are not reported in the strict profile. */
export const THRESHOLD = 350;

/** Context words, one END line, boundaries: the longest look to the left. */
export const LEFT_CONTEXT = CONTEXT_LENGTH + 32;

/** Boundaries behind a match. */
const EDGE = 2;

export const WINDOW = 512;
/** A match has its keyword within this many code units of its anchor. */
const KEYWORD_REACH = 128;
/** A match without a keyword has a digit among its first units, so many at most. */
const DIGIT_REACH = 40;
/** No recognizer matches fewer code units. */
export const MIN_LENGTH = 6;

export interface ScanState {
  /** Findings start at or after this offset. */
  readonly from: number;
  readonly block: BlockState;
  /** Of a reading whose source is scanned too: what no change can reach need not be found again. */
  readonly changes?: Changes;
  /** To be filled in for a reading of the text. */
  readonly reads?: Reads;
}

export interface ScanResult {
  /** In report order, only such as start before `horizon`; may exceed `limit` by those of one window. */
  readonly findings: Finding[];
  /** What starts before is decided: no further text changes it. */
  readonly horizon: number;
  /** Up to where the text was looked at: its length, unless `limit` ended the scan. */
  readonly reached: number;
  /** Start of a private key's piece that is not decided yet; null when there is none. */
  readonly openKey: number | null;
  blockAt(offset: number): BlockState;
}

export const START: ScanState = { from: 0, block: { at: 0, inside: false } };

/** Scans `text` from `state.from`; stops early once more than `limit` findings were made. */
export function scan(profile: Profile, text: string, state: ScanState, isFinal: boolean, limit: number): ScanResult {
  const blocks = scanPrivateKeys(text, state.block, isFinal);
  const words = state.changes?.words ?? new ContextWords(text, profile.contextWords);
  const found: Found = { findings: [...blocks.findings], captures: [], words };
  let horizon = isFinal ? text.length : Math.min(blocks.horizon, profile.unfinishedFrom(text, state.from));
  // A stream that can release nothing yet need not know what it found.
  const isWorthwhile = horizon > state.from && text.length - state.from >= MIN_LENGTH;
  const reached = isWorthwhile ? scanWindows(profile, text, state, limit, found) : text.length;
  if (!isFinal) horizon = beforeCaptures(found.captures, horizon);
  const decided = isFinal ? found.findings : found.findings.filter((finding) => finding.start < horizon);
  decided.sort(compareFindings);
  return {
    findings: decided,
    horizon,
    reached,
    openKey: blocks.isOpen ? blocks.horizon : null,
    blockAt: (offset) => blocks.stateAt(offset),
  };
}

interface Found {
  readonly findings: Finding[];
  readonly words: ContextWords;
  /** For findings that are a part of their match: where the match begins. */
  readonly captures: { readonly matchStart: number; readonly start: number }[];
}

/** A later scan finds a captured part from the start of its match only, so the horizon must not separate the two. */
function beforeCaptures(captures: Found['captures'], horizon: number): number {
  const backwards = captures.toSorted((a, b) => b.start - a.start);
  return backwards.reduce(
    (limit, { matchStart, start }) => (start >= limit ? Math.min(limit, matchStart) : limit),
    horizon,
  );
}

/** Returns up to where the text was looked at. */
function scanWindows(
  profile: Profile,
  text: string,
  { from, changes, reads }: ScanState,
  limit: number,
  found: Found,
): number {
  /** Whether a match whose anchor is in the window can be another one than in the source. */
  const isReached = (start: number, end: number, head: number, tail: number): boolean =>
    changes === undefined || changes.isIn(start - head - LEFT_CONTEXT, end + tail + EDGE);
  // A head may lie before its anchor, but an anchor never lies before `from` when the match starts at or after it.
  for (let start = from; start < text.length; start += WINDOW) {
    if (found.findings.length > limit) return start;
    const end = Math.min(start + WINDOW, text.length);
    if (!isReached(start, end, profile.headLength, profile.tailLength)) continue;
    const seen = profile.survey(text, start, Math.min(end + KEYWORD_REACH, text.length));
    if ((seen & KEYWORD) !== 0)
      for (const one of profile.hits())
        if (isReached(start, end, one.headLength, one.tailLength)) locate(one, { text, start, end, from }, found);
    if ((seen & DIGIT) === 0) continue;
    const { firstDigit, lastDigit } = profile.seen;
    const stretch: Stretch = {
      text,
      start: Math.max(start, firstDigit - DIGIT_REACH),
      end: Math.min(end, lastDigit + 1),
      changes: changes ?? null,
      reads: reads ?? null,
    };
    scanForms(profile, stretch, found);
  }
  return text.length;
}

/** Adds the findings of recognizers without keywords that start in the stretch. */
function scanForms(profile: Profile, stretch: Stretch, found: Found): void {
  const { automaton, formed, formedWords } = profile;
  const { text, start, end } = stretch;
  const hasContext = hasWord(text, Math.max(0, start - CONTEXT_LENGTH), end, formedWords);
  const options = { words: found.words, mayHaveContext: hasContext, at: 0, units: automaton.codes };
  automaton.scan(stretch, hasContext, (form, matchStart, matchEnd, at) => {
    const compiled = formed[form];
    if (compiled === undefined) return 0;
    const { recognizer } = compiled;
    const isOpen = matchEnd === OPEN_END && recognizer.verifyFrom === undefined;
    const stop = isOpen ? ownEnd(compiled, text, matchStart) : matchEnd;
    options.units = automaton.codes;
    options.at = at;
    const finding = judge(recognizer, text, matchStart, stop, options);
    if (finding !== null) found.findings.push(finding);
    return recognizer.verifyFrom === undefined ? 0 : progress.read;
  });
}

/** Where the expression's own choice among several possible matches ends. */
function ownEnd({ matcher, tailLength }: CompiledRecognizer, text: string, start: number): number {
  const base = Math.max(0, start - 2);
  matcher.lastIndex = start - base;
  return start + (matcher.exec(text.slice(base, start + tailLength + 2))?.[0].length ?? 0);
}

interface Window {
  readonly text: string;
  /** Anchors in [start, end) belong to this window. */
  readonly start: number;
  readonly end: number;
  /** Findings start at or after this offset. */
  readonly from: number;
}

/** Adds the findings whose anchor lies in the window. The expression sees only as much text as a match can need. */
function locate(compiled: CompiledRecognizer, { text, start, end, from }: Window, found: Found): void {
  const { recognizer, matcher, headLength, tailLength } = compiled;
  if (recognizer.needsDigit === true && !hasDigit(text, start, end + tailLength)) return;
  const base = Math.max(0, start - headLength - 2);
  const slice = text.slice(base, end + tailLength + 2);
  matcher.lastIndex = start - base;
  let match = matcher.exec(slice);
  if (match === null) return;
  const check = recognizer.checkIn?.(text);
  const options = { words: found.words, check };
  const run = createRun(compiled, text);
  for (; match !== null; match = matcher.exec(slice)) {
    if (base + match.index >= end) break;
    const [at, length] = spanOf(compiled, match);
    const finding = judge(recognizer, text, base + at, run(base + at + length), options);
    if (finding !== null && finding.start >= from) {
      found.findings.push(finding);
      if (recognizer.captured === true) found.captures.push({ matchStart: base + match.index, start: finding.start });
    }
    // Every start is tried, also inside the last match: a finding must not depend on the one before it.
    matcher.lastIndex = match.index + 1;
  }
  check?.end();
}

/** Where a captured part that `end` is the least end of goes on to; each unit is looked at once for all matches. */
function createRun({ runOn }: CompiledRecognizer, text: string): (end: number) => number {
  if (runOn === null) return (end) => end;
  const { units, most } = runOn;
  /** All of [from, to) belongs to a run. */
  let from = 0;
  let to = 0;
  return (end) => {
    if (end < from || end > to) {
      from = end;
      to = end;
    }
    const limit = end + most;
    if (to < limit) {
      units.lastIndex = to;
      units.test(text);
      to = units.lastIndex;
    }
    return Math.min(to, limit);
  };
}

function verdictOf(recognizer: Recognizer, text: string, start: number, end: number): Verdict | null {
  const { verify, verifyAt, score } = recognizer;
  if (verifyAt !== undefined) return verifyAt(text, start, end);
  return verify === undefined ? { length: end - start, score } : verify(text.slice(start, end));
}

function hasDigit(text: string, from: number, to: number): boolean {
  const stop = Math.min(to, text.length);
  for (let at = from; at < stop; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 48 && unit <= 57) return true;
  }
  return false;
}

interface JudgeOptions {
  readonly words: ContextWords;
  /** False: no context word is near. */
  readonly mayHaveContext?: boolean;
  readonly check?: TextCheck | undefined;
  /** The code units around the match, which begins `at` there. */
  readonly units?: Uint16Array;
  readonly at?: number;
}

/** What the match [start, end) is worth. */
function judge(
  recognizer: Recognizer,
  text: string,
  start: number,
  end: number,
  options: JudgeOptions,
): Finding | null {
  const { rejects, needsContext, verifyFrom } = recognizer;
  const { words, mayHaveContext = true, check, units, at = 0 } = options;
  if (rejects?.(text, start, end) === true) return null;
  if (needsContext === true && !words.isOneBefore(start, recognizer.context)) return null;
  const verdict =
    verifyFrom !== undefined && units !== undefined
      ? verifyFrom(units, at)
      : check === undefined
        ? verdictOf(recognizer, text, start, end)
        : check.verify(start, end);
  if (verdict === null) return null;
  const score = mayHaveContext ? words.score(start, recognizer, verdict.score) : verdict.score;
  if (score < THRESHOLD) return null;
  return {
    type: recognizer.entity,
    kind: recognizer.kind,
    start: utf16(start),
    end: utf16(start + verdict.length),
    score,
    recognizer: recognizer.id,
  };
}

/** Offset and length of what is reported: head and match, the captured part, or the match. */
function spanOf(
  { recognizer, captureTail }: CompiledRecognizer,
  match: RegExpExecArray,
): readonly [at: number, length: number] {
  const [whole, group = ''] = match;
  if (recognizer.head !== undefined) return [match.index - group.length, group.length + whole.length];
  if (recognizer.captured !== true) return [match.index, whole.length];
  return [match.index + whole.length - captureTail - group.length, group.length];
}
