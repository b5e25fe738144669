export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly recoverMs: number;
}

/** A lease is renewed several times over before it ends, however short it is. */
export function leaseTimes(options: Partial<LeaseTimes>): LeaseTimes {
  const { leaseMs = 10_000 } = options;
  const { renewMs = Math.min(2000, leaseMs / 5), recoverMs = Math.min(3000, leaseMs / 3) } = options;
  return { leaseMs, renewMs, recoverMs };
}

/**
 * How steadily this process holds its own lease. After an outage of the database, or on a machine that was suspended,
 * every lease is over at once, and whoever looked first would fence all the others. So a process fences others only
 * when it has itself been in contact for the time of a whole lease: a process that lives has renewed by then.
 */
export class LeaseWatch {
  readonly #leaseMs: number;
  readonly #clocks: readonly (() => number)[];
  #renewedAt: readonly number[];
  #steadySinceMs: number;

  /**
   * @param clock monotonic, ms
   * @param now unix ms: it goes on while a machine is suspended, which a monotonic clock may not
   */
  constructor(leaseMs: number, clock: () => number, now: () => number) {
    this.#leaseMs = leaseMs;
    this.#clocks = [clock, now];
    this.#renewedAt = this.#read();
    this.#steadySinceMs = clock();
  }

  /** Notes how a renewal went, and passes its answer on; null says nothing, because earlier attempts still wait. */
  async renew(attempt: () => Promise<boolean | null>): Promise<boolean | null> {
    try {
      const alive = await attempt();
      if (alive === null) return null;
      if (this.#lapsed()) this.#begin();
      this.#renewedAt = this.#read();
      return alive;
    } catch (error) {
      this.#begin();
      throw error;
    }
  }

  get isSteady(): boolean {
    return !this.#lapsed() && (this.#read()[0] ?? 0) - this.#steadySinceMs >= this.#leaseMs;
  }

  #begin(): void {
    this.#steadySinceMs = this.#read()[0] ?? 0;
  }

  #read(): number[] {
    return this.#clocks.map((clock) => clock());
  }

  #lapsed(): boolean {
    return this.#read().some((time, index) => time - (this.#renewedAt[index] ?? 0) > this.#leaseMs);
  }
}
