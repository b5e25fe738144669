import { sizeOf } from './pending.ts';
import type { Pending } from './pending.ts';

/** Items that are sent together. `again`: an earlier call with them may have been committed. */
export interface Batch {
  readonly items: readonly Pending[];
  readonly again: boolean;
}

export interface BacklogLimits {
  readonly items: number;
  readonly chars: number;
  readonly batchItems: number;
  readonly batchChars: number;
}

/** What waits to be sent: items in the order they came, and before them batches that were formed already. */
export class Backlog {
  readonly #limits: BacklogLimits;
  #waiting: Pending[] = [];
  #formed: Batch[] = [];
  #chars = 0;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.length + this.#formed.reduce((sum, batch) => sum + batch.items.length, 0);
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#limits.items || this.#chars >= this.#limits.chars;
  }

  all(): Pending[] {
    return [...this.#formed.flatMap((batch) => batch.items), ...this.#waiting];
  }

  takeAll(): Pending[] {
    const all = this.all();
    this.#formed = [];
    this.#waiting = [];
    this.#chars = 0;
    return all;
  }

  push(pending: Pending): void {
    this.#chars += sizeOf(pending);
    this.#waiting.push(pending);
  }

  /** Before everything else. */
  putFirst(...batches: Batch[]): void {
    this.#formed.unshift(...batches);
  }

  /** The next batch; null when nothing waits. */
  next(): Batch | null {
    return this.#formed.shift() ?? this.#form();
  }

  /** Drops items past their deadline for which `expired` says so; in a batch whose fate is open every item stays until it is known. */
  expire(nowMs: number, expired: (pending: Pending) => void): void {
    const stays = (pending: Pending, again: boolean): boolean => {
      if (pending.deadlineMs > nowMs) return true;
      expired(pending);
      return pending.keep || again;
    };
    this.#formed = this.#formed
      .map((batch) => ({ again: batch.again, items: batch.items.filter((pending) => stays(pending, batch.again)) }))
      .filter((batch) => batch.items.length > 0);
    if (!this.#waiting.some((pending) => pending.deadlineMs <= nowMs)) return;
    this.#waiting = this.#waiting.filter((pending) => stays(pending, false));
    this.#chars = this.#waiting.reduce((sum, pending) => sum + sizeOf(pending), 0);
  }

  #form(): Batch | null {
    let count = 0;
    let chars = 0;
    for (const pending of this.#waiting) {
      chars += sizeOf(pending);
      if (count > 0 && (count === this.#limits.batchItems || chars > this.#limits.batchChars)) break;
      count += 1;
    }
    if (count === 0) return null;
    const items = this.#waiting.splice(0, count);
    for (const pending of items) this.#chars -= sizeOf(pending);
    return { items: sortByLog(items), again: false };
  }
}

/** Stable, so that the order within a log stays. */
function sortByLog(items: readonly Pending[]): readonly Pending[] {
  const [first] = items;
  if (items.every((pending) => pending.sealed.log === first?.sealed.log)) return items;
  return items.toSorted((a, b) => (a.sealed.log < b.sealed.log ? -1 : Number(a.sealed.log > b.sealed.log)));
}
