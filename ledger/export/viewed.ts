/** An entry as far as the views show it. */
export interface ViewedEntry {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
  readonly timeMs: number;
  readonly kind: string;
  readonly call: string;
  readonly wid: string;
  /** Exact text of its facts. */
  readonly facts: string;
}

/** The last instant that has a date. */
const MAX_MS = 8_640_000_000_000_000;

/** A time as text, ISO 8601; a number beyond all dates as the last of them. @param ms unix ms, at least 0 */
export function isoTime(ms: number): string {
  return new Date(Math.min(ms, MAX_MS)).toISOString();
}
