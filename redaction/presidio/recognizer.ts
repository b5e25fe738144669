/** The form of a recognizer: data, and code only where an expression cannot say it. */

/** What a check says about a match: right (score 1), wrong (dropped), or nothing (the pattern's score stands). */
export type Verdict = boolean | null;

export interface PresidioPattern {
  readonly name: string;
  /** See `expression.ts` for the language. */
  readonly expression: string;
  /** 0..1. */
  readonly score: number;
  /** What the decision process shows when it is not the expression itself. */
  readonly published?: string;
}

/** A match of pattern number `pattern`, in UTF-16 code units. */
export interface PatternMatch {
  readonly pattern: number;
  readonly start: number;
  readonly end: number;
  /** What the decision process says where no expression was matched. */
  readonly remark?: string;
}

export interface PresidioRecognizer {
  readonly name: string;
  readonly entity: string;
  readonly languages: readonly string[];
  /** Presidio's standing: switched on, listed but off, or not listed; or a caller's own. */
  readonly standing: 'on' | 'off' | 'unlisted' | 'caller';
  readonly patterns: readonly PresidioPattern[];
  /** Default: letters of either case are equal. */
  readonly isCaseSensitive?: boolean;
  /** Python's flags as the decision process shows them, where they are the caller's. */
  readonly flags?: number;
  /** Lower-case words that raise the score. */
  readonly context: readonly string[];
  readonly validate?: (match: string) => Verdict;
  /** True drops the match. */
  readonly invalidate?: (match: string) => boolean;
  /** Instead of running the expressions: every match, pattern by pattern, leftmost first and without overlap. */
  readonly find?: (text: string) => Iterable<PatternMatch>;
  /** `find` looks at the neighbourhood of digits only, and finds the same when given just that. */
  readonly isNearDigits?: boolean;
  /** A specimen that must be found. */
  readonly example: string;
  /** Where the identifier is defined. */
  readonly source: string;
}

/** Splits a list written with commas. */
export function words(list: string): readonly string[] {
  return list.split(',').map((word) => word.trim());
}

/** Shorthand for the tables. */
export function pattern(name: string, expression: string, score: number): PresidioPattern {
  return { name, expression, score };
}
