/** Counts calls in progress: refuses beyond the bound, and waits for them when the process stops. */
import { GatewayError } from './errors.ts';

export class Gate {
  readonly #limit: () => number;
  #waiters: (() => void)[] = [];
  inFlight = 0;
  draining = false;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Why no more work is taken, or null. */
  refusal(): GatewayError | null {
    if (this.draining) {
      const message = 'This gateway is stopping. Try again: another instance will answer.';
      return new GatewayError('draining', message, { retryAfterS: 1 });
    }
    if (this.inFlight < this.#limit()) return null;
    const message = 'This gateway is handling as many calls as it accepts. Try again shortly.';
    return new GatewayError('rate_limited', message, { retryAfterS: 1 });
  }

  /** Starts work that never rejects. */
  run(work: () => Promise<unknown>): void {
    this.inFlight += 1;
    void work().finally(() => {
      this.inFlight -= 1;
      if (this.inFlight === 0) this.#waiters.splice(0).forEach((resolve) => resolve());
    });
  }

  /** No more work from now on; resolves when the running work is done. */
  drain(): Promise<void> {
    this.draining = true;
    return this.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }
}
