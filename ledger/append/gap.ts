import { DEPLOYMENT, type AppendItem } from '../entry.ts';
import type { LedgerStatus } from '../ledger.ts';

/** A time in which items were refused as `unavailable`. */
export interface Gap {
  readonly cause: string;
  readonly refused: number;
  /** Monotonic time of the first refusal. */
  readonly sinceMs: number;
}

/** The gap entry. @param last the last entry somebody was told of */
export function gapItem(
  call: string,
  { cause, refused, sinceMs }: Gap,
  { nowMs, clockMs }: { nowMs: number; clockMs: number },
  last: LedgerStatus['last'],
): AppendItem {
  const facts = { cause, refused, from_ms: nowMs - Math.round(clockMs - sinceMs), to_ms: nowMs, last };
  return { tenant: DEPLOYMENT, kind: 'gap', class: 'event', call, subject: null, sections: { facts } };
}

/** Counts refusals until the database is back. */
export class GapCounter {
  #cause = 'timeout';
  #refused = 0;
  #sinceMs = 0;

  get cause(): string {
    return this.#cause;
  }

  /** Why appends fail, as long as nothing has been refused for an earlier reason. */
  blame(cause: string): void {
    if (this.#refused === 0) this.#cause = cause;
  }

  count(nowMs: number): void {
    if (this.#refused === 0) this.#sinceMs = nowMs;
    this.#refused += 1;
  }

  /** What to record now that an append worked; null when nothing was refused. */
  take(): Gap | null {
    if (this.#refused === 0) return null;
    const gap = { cause: this.#cause, refused: this.#refused, sinceMs: this.#sinceMs };
    this.#refused = 0;
    this.#cause = 'timeout';
    return gap;
  }
}
