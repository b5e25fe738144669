/** One recognizer over one text: matches, checks, duplicates. */
import { compileMatcher } from './expression.ts';
import type { PatternMatch, PresidioPattern, PresidioRecognizer } from './recognizer.ts';

/** A match that was not dropped; offsets in UTF-16 code units. */
export interface Candidate {
  readonly entity: string;
  readonly start: number;
  readonly end: number;
  score: number;
  readonly recognizer: PresidioRecognizer;
  readonly pattern: PresidioPattern;
  readonly isValid: boolean | null;
  readonly remark: string | null;
  /** Context word that raised the score; empty: none. */
  supportiveWord: string;
}

const PHONE_PATTERN: PresidioPattern = { name: '', expression: '', score: 0.4 };

/** Every result of the recognizer, without those inside another, in Presidio's order. */
export function recognize(recognizer: PresidioRecognizer, text: string): Candidate[] {
  return judgeAll(recognizer, text, recognizer.find?.(text) ?? findAll(recognizer, text));
}

/** The same for matches that are known. */
export function judgeAll(recognizer: PresidioRecognizer, text: string, matches: Iterable<PatternMatch>): Candidate[] {
  const found: Candidate[] = [];
  for (const match of matches) {
    const candidate = judge(recognizer, text, match);
    if (candidate !== null) found.push(candidate);
  }
  return removeDuplicates(found);
}

function judge(recognizer: PresidioRecognizer, text: string, match: PatternMatch): Candidate | null {
  const { pattern, start, end, remark = null } = match;
  const matched = recognizer.patterns[pattern] ?? PHONE_PATTERN;
  const value = text.slice(start, end);
  const isValid = recognizer.validate?.(value) ?? null;
  if (isValid === false || recognizer.invalidate?.(value) === true) return null;
  const score = isValid === true ? 1 : matched.score;
  return {
    entity: recognizer.entity,
    start,
    end,
    score,
    recognizer,
    pattern: matched,
    isValid,
    remark,
    supportiveWord: '',
  };
}

const compiled = new WeakMap<PresidioPattern, RegExp>();

function* findAll(recognizer: PresidioRecognizer, text: string): Generator<PatternMatch> {
  for (const [index, pattern] of recognizer.patterns.entries()) {
    let matcher = compiled.get(pattern);
    if (matcher === undefined) {
      matcher = compileMatcher(pattern.expression, recognizer.isCaseSensitive);
      compiled.set(pattern, matcher);
    }
    matcher.lastIndex = 0;
    for (let match = matcher.exec(text); match !== null; match = matcher.exec(text)) {
      if (match[0] === '') matcher.lastIndex += 1;
      else yield { pattern: index, start: match.index, end: matcher.lastIndex };
    }
  }
}

/** Presidio's order: score descending, then start, then the longer first. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return b.score - a.score || a.start - b.start || b.end - a.end;
}

/** Drops what lies inside a result of the same entity type that comes earlier in Presidio's order. */
export function removeDuplicates(candidates: Candidate[]): Candidate[] {
  if (candidates.length < 2) return candidates;
  const starts = [...new Set(candidates.map(({ start }) => start))].sort((a, b) => a - b);
  const rank = new Map(starts.map((start, at) => [start, at + 1]));
  const reaches = new Map<string, Reach>();
  return candidates.sort(compareCandidates).filter(({ entity, start, end }) => {
    let reach = reaches.get(entity);
    if (reach === undefined) reaches.set(entity, (reach = createReach(starts.length)));
    const at = rank.get(start) ?? 0;
    if (reach.upTo(at) >= end) return false;
    reach.raise(at, end);
    return true;
  });
}

/** Largest end of what was kept, over all starts up to a rank: a binary indexed tree. */
interface Reach {
  upTo(rank: number): number;
  raise(rank: number, end: number): void;
}

function createReach(size: number): Reach {
  const tree = new Float64Array(size + 1).fill(-1);
  return {
    upTo(rank) {
      let most = -1;
      for (let at = rank; at > 0; at &= at - 1) most = Math.max(most, tree[at] ?? -1);
      return most;
    },
    raise(rank, end) {
      for (let at = rank; at <= size; at += at & -at) tree[at] = Math.max(tree[at] ?? -1, end);
    },
  };
}
