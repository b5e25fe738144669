import type { Pending } from './pending.ts';

/** How soon a late outcome looks again whether its call was closed, and how often. */
const PAUSE_MS = 500;
const TRIES = 120;

/**
 * Late outcomes of a fenced process whose calls are still open: the survivor fences first and closes the calls one by
 * one, so the unknown that a late outcome corrects may be about to come.
 */
export class Postponed {
  readonly #again: (pending: Pending) => void;
  readonly #giveUp: (pending: Pending) => void;
  readonly #waiting = new Map<Pending, NodeJS.Timeout>();

  constructor(again: (pending: Pending) => void, giveUp: (pending: Pending) => void) {
    this.#again = again;
    this.#giveUp = giveUp;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False when it has been tried often enough. */
  add(pending: Pending): boolean {
    if (pending.tries >= TRIES) return false;
    pending.tries += 1;
    const timer = setTimeout(() => {
      this.#waiting.delete(pending);
      this.#again(pending);
    }, PAUSE_MS);
    this.#waiting.set(pending, timer.unref());
    return true;
  }

  end(): void {
    for (const [pending, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#giveUp(pending);
    }
    this.#waiting.clear();
  }
}
