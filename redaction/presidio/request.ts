import type { JsonValue } from '../document.ts';

export interface JsonObject {
  [key: string]: JsonValue;
}

/** What Presidio's `/analyze` takes, with parsed types. Offsets and scores are Presidio's: code points, 0..1. */
export interface PresidioRequest {
  readonly text: string;
  readonly language: string;
  /** Entity types to look for; absent or empty: all of the language. */
  readonly entities?: readonly string[];
  readonly scoreThreshold?: number;
  /** Words that count as standing near every match. */
  readonly context?: readonly string[];
  /** Recognizers in Presidio's JSON form, for this request only. */
  readonly adHocRecognizers?: readonly unknown[];
  readonly allowList?: readonly string[];
  readonly allowListMatch?: 'exact' | 'regex';
  /** Python's flag bits for the allow list's expressions: 2 ignore case, 8 multiline, 16 dot matches all. */
  readonly regexFlags?: number;
  readonly returnDecisionProcess?: boolean;
  /** Only for the caller's own logs. */
  readonly correlationId?: string;
}

/** One finding in Presidio's terms. */
export interface PresidioResult {
  readonly entity_type: string;
  /** Code points. */
  readonly start: number;
  /** Code points, exclusive. */
  readonly end: number;
  readonly score: number;
  /** Null unless the request asked for the decision process. */
  readonly analysis_explanation: JsonObject | null;
  readonly recognition_metadata: { recognizer_name: string; recognizer_identifier: string };
}
