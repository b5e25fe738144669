import type { FindingKind } from '../finding.ts';

/** What a recognizer's own check says about a candidate: how much of it, from its start, is the entity, and how sure. */
export interface Verdict {
  /** Code units of the candidate, from its start. */
  readonly length: number;
  /** Integer 0..1000. */
  readonly score: number;
}

/** Looks at matches [start, end) of one text; nothing is kept behind `end()`. */
export interface TextCheck {
  verify(start: number, end: number): Verdict | null;
  end(): void;
}

/**
 * A recognizer is data. Patterns are written in the part of RE2's syntax that means the same in RE2 and in JavaScript:
 * literals, `[...]`, groups, alternation, `? * +` only with a bound (`{n,m}`); no `\d \w \s \b`, no look-around, no
 * back-references. Boundaries stand apart, so that the pattern alone gives prefilter, prefix language and length.
 *
 * A match is decided by its own text, one boundary on either side and the context words before it, never by other
 * matches. That locality is what makes a stream give the same findings as the whole text.
 */
export interface Recognizer {
  readonly id: string;
  readonly version: number;
  readonly entity: string;
  readonly kind: FindingKind;
  /** Literals; every match has one of them within 128 code units of its anchor. None: every match has a digit among its first 40. */
  readonly keywords: readonly string[];
  /** A quick look at the match [start, end) of a text; true: it is not the entity, and `verify` need not be asked. */
  readonly rejects?: (text: string, start: number, end: number) => boolean;
  /** With keywords: every match that counts holds a digit. */
  readonly needsDigit?: boolean;
  /** The form never counts without a context word, so that one is looked for first. */
  readonly needsContext?: boolean;
  /** Part of the match before its anchor (local part before `@`); then `pattern` begins with a plain literal. */
  readonly head?: string;
  /** The match from its anchor on. */
  readonly pattern: string;
  /** The finding is capture group 1 of `pattern` instead of the whole match. */
  readonly captured?: boolean;
  /** What must not stand directly before the match; at most 2 characters long. */
  readonly notBefore: string;
  /** What must not follow directly; at most 2 characters long. */
  readonly notAfter: string;
  /** Integer 0..1000; used when there is no `verify`. */
  readonly score: number;
  /** Lower-case words that raise the score when one stands shortly before the match. */
  readonly context: readonly string[];
  /** Sees the candidate only (never what follows it), so its answer cannot change when more text arrives. */
  readonly verify?: (candidate: string) => Verdict | null;
  /** Instead of `verify`: looks at the match [start, end) of a text without taking it out. */
  readonly verifyAt?: (text: string, start: number, end: number) => Verdict | null;
  /** How every match begins, where `verifyFrom` finds its end among the code units of a stretch of text: the form is followed no further. */
  readonly opening?: string;
  readonly verifyFrom?: (units: Uint16Array, start: number) => Verdict | null;
  /** Instead of `verify`, where matches reach into each other: a check for all of a text, which come from left to right. */
  readonly checkIn?: (text: string) => TextCheck;
  /** A public specimen that must be found. */
  readonly example: string;
  /** Where the form is defined. */
  readonly source: string;
}

/** ASCII letters, digits and underscore: `\w` spelled out, because RE2 and JavaScript disagree on `\b` outside ASCII. */
export const WORD = '[0-9A-Za-z_]';

/** Nothing: an empty class never matches. */
export const NEVER = '[]';
