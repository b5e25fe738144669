/**
 * What other processes change in the database, followed: a notification says that there is something new, a poll looks in case one
 * was lost, and what could not be read for too long is not believed.
 */
import type { Sql } from 'postgres';

export interface ChangeWatchOptions {
  readonly sql: Sql;
  /** Notified on every change. */
  readonly channel: string;
  /** Monotonic clock, ms, which a wall clock set back would not stop. */
  readonly clock: () => number;
  /** Reads everything that is newer than what it read last. */
  readonly read: () => Promise<void>;
  /** What follows from what was read; it is known whether or not this is done. */
  readonly follow?: () => Promise<void>;
  /** Called when a look in the background fails; it goes on looking. */
  readonly onError: (error: unknown) => void;
  readonly pollMs?: number;
  /** Oldest state that is still believed. With `pollMs` and a notification's delay it bounds how long a change is not heard of. */
  readonly maxAgeMs?: number;
}

const DEFAULT_POLL_MS = 1000;
/** With the poll and a notification's delay below 5 s. */
const DEFAULT_MAX_AGE_MS = 3500;
/** A caller waits no longer for a database that may be gone. */
const WAIT_SLICES = 8;
const WAIT_SLICE_MS = 250;

export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  readonly #maxAgeMs: number;
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | null = null;
  #again = false;
  #timer: NodeJS.Timeout | null = null;
  #unlisten: (() => Promise<void>) | null = null;

  constructor(options: ChangeWatchOptions) {
    this.#options = options;
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
  }

  /** Since everything was known, ms. */
  get ageMs(): number {
    return this.#options.clock() - this.#refreshedMs;
  }

  get isFresh(): boolean {
    return this.ageMs <= this.#maxAgeMs;
  }

  /** Reads what changed; concurrent calls share one read. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null) {
      // The read under way may have missed what this caller wants to see.
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#readUntilCurrent().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /**
   * Whether it is known what is in force, after a read of bounded time. In slices: where something else blocked the process, one
   * long wait would be over before the answer was looked at.
   */
  async refreshed(): Promise<boolean> {
    let read = false;
    for (let slice = 0; slice < WAIT_SLICES && !read; slice += 1) {
      const late = new Promise<void>((resolve) => setTimeout(resolve, WAIT_SLICE_MS).unref());
      const done = (): void => void (read = true);
      await Promise.race([this.refresh().then(done, () => late), late]);
    }
    return this.isFresh;
  }

  /** Looks from now on until closed. */
  async start(): Promise<void> {
    const { sql, channel, onError, pollMs } = this.#options;
    const look = (): void => {
      this.refresh().catch(onError);
    };
    this.#timer = setInterval(look, pollMs ?? DEFAULT_POLL_MS);
    this.#timer.unref();
    // Called again after the connection was lost and made anew, when notifications may have been missed.
    const subscription = await sql.listen(channel, look, look);
    this.#unlisten = () => subscription.unlisten();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    // Not waited for: without a database it would not come back, and the pool closes the connection anyway.
    this.#unlisten?.().catch(() => undefined);
    await this.#refreshing?.catch(() => undefined);
  }

  async #readUntilCurrent(): Promise<void> {
    do {
      this.#again = false;
      const startedMs = this.#options.clock();
      await this.#options.read();
      // Counted from before the read: a change made during it may be missing.
      this.#refreshedMs = startedMs;
      await this.#options.follow?.();
    } while (this.#again);
  }
}
