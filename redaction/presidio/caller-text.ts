/** A text as callers' expressions and words see it. */
import { WORD_CHARACTER } from './expression.ts';
import { codePointsOf, createReadBudget, matchAll } from './pattern-machine.ts';
import type { PatternProgram, ReadBudget } from './pattern-machine.ts';
import { IGNORE_CASE } from './python-pattern.ts';

/** Start and end in UTF-16 code units. */
type Span = readonly [start: number, end: number];

/** Runs the expressions of one request: each may read 32 times the text, all together 64 times. */
export interface CallerWork {
  matchesOf(program: PatternProgram, text: string): Generator<Span>;
}

export function createCallerWork(): CallerWork {
  let current: { text: string; points: Uint32Array; utf16: (point: number) => number; all: ReadBudget } | null = null;
  return {
    *matchesOf(program, text) {
      if (current?.text !== text) {
        const points = codePointsOf(text);
        current = { text, points, utf16: utf16Offsets(text, points), all: createReadBudget(points.length * 2) };
      }
      const { points, utf16, all } = current;
      const own = createReadBudget(points.length);
      const budget = {
        spend(reads: number): void {
          own.spend(reads);
          all.spend(reads);
        },
      };
      for (const [start, end] of matchAll(program, points, budget)) yield [utf16(start), utf16(end)];
    },
  };
}

function utf16Offsets(text: string, points: Uint32Array): (point: number) => number {
  if (points.length === text.length) return (point) => point;
  const offsets = new Uint32Array(points.length + 1);
  for (const [at, point] of points.entries()) offsets[at + 1] = (offsets[at] ?? 0) + (point > 0xffff ? 2 : 1);
  return (point) => offsets[point] ?? text.length;
}

/** Words that stand free of other word characters; of several at one place the first in the list. */
export function* findDenied(text: string, words: readonly string[], flags: number): Generator<Span> {
  if (words.length === 0) return;
  const fold = (flags & IGNORE_CASE) !== 0 ? foldCase : (value: string): string => value;
  const rank = new Map<string, number>();
  for (const [index, word] of words.entries()) if (!rank.has(fold(word))) rank.set(fold(word), index);
  const lengths = [...new Set(words.map(({ length }) => length))];
  const folded = fold(text);
  for (let at = 0; at < text.length; at++) {
    if (isWordBefore(text, at) || isLowSurrogate(text, at)) continue;
    let best = -1;
    let end = at;
    for (const length of lengths) {
      const index = rank.get(folded.slice(at, at + length));
      if (index === undefined || isWordAt(text, at + length) || (best >= 0 && index > best)) continue;
      best = index;
      end = at + length;
    }
    if (best < 0) continue;
    yield [at, end];
    at = end - 1;
  }
}

/** Lower case without change of length, so that offsets stay. */
function foldCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (one) => (one.toLowerCase().length === one.length ? one.toLowerCase() : one)).join('');
}

function isWordBefore(text: string, at: number): boolean {
  if (at === 0) return false;
  return isWordAt(text, isLowSurrogate(text, at - 1) && at > 1 ? at - 2 : at - 1);
}

function isWordAt(text: string, at: number): boolean {
  const code = text.codePointAt(at);
  return code !== undefined && WORD_CHARACTER.test(String.fromCodePoint(code));
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
