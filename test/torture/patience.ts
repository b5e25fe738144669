import { setTimeout as sleep } from 'node:timers/promises';

/** An invariant that did not hold; the message says how to repeat it. */
export class TortureFailure extends Error {
  override readonly name = 'TortureFailure';
}

/** Long enough for a machine that has other work. */
export const PATIENCE_MS = 60_000;

/** Asks until the answer is yes. A TortureFailure of the check ends it; any other error means "not yet". */
export async function until(what: () => string, check: () => Promise<boolean>): Promise<void> {
  for (const watch = new Stopwatch(); ; await sleep(25)) {
    const isDone = await check().catch((error: unknown) => {
      if (error instanceof TortureFailure) throw error;
      return false;
    });
    if (isDone) return;
    if (watch.elapsedMs() > PATIENCE_MS)
      throw new TortureFailure(`waited ${String(PATIENCE_MS / 1000)} s for ${what()}`);
  }
}

/** A pause this long between two looks was not ours. */
const FROZEN_MS = 1000;

/** Measures the time in which this process ran: while it is stopped, so may be those it waits for. */
export class Stopwatch {
  #lastMs = performance.now();
  #elapsedMs = 0;

  /** To be asked often. */
  elapsedMs(): number {
    const nowMs = performance.now();
    this.#elapsedMs += Math.min(nowMs - this.#lastMs, FROZEN_MS);
    this.#lastMs = nowMs;
    return this.#elapsedMs;
  }
}
