import { birthOf } from './lock.ts';
import type { Postmaster } from './postmaster.ts';

const LOOK_MS = 500;

/**
 * Starts the server again after it died (killed for want of memory, say). While it is gone the gateway refuses calls and
 * sends nothing; what was acknowledged is recovered from the write-ahead log.
 */
export class Keeper {
  #current: Postmaster;
  readonly #restart: () => Promise<Postmaster>;
  #timer: NodeJS.Timeout | null = null;
  #restarting: Promise<void> | null = null;

  constructor(current: Postmaster, restart: () => Promise<Postmaster>) {
    this.#current = current;
    this.#restart = restart;
  }

  /** Begins to look after the server; the answer ends it. */
  watch(log: (line: string) => void): () => void {
    this.#timer ??= setInterval(() => {
      this.#look(log);
    }, LOOK_MS).unref();
    return () => {
      this.#stopLooking();
    };
  }

  /** Ends looking, waits for a restart in progress, and names the server that is running now. */
  async end(): Promise<Postmaster> {
    this.#stopLooking();
    await this.#restarting;
    return this.#current;
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(log: (line: string) => void): void {
    if (this.#restarting !== null || birthOf(this.#current.pid) !== null) return;
    log('PostgreSQL has died; starting it again…');
    this.#restarting = this.#restart()
      .then((postmaster) => {
        this.#current = postmaster;
        log('PostgreSQL is running again.');
      })
      .catch((error: unknown) => {
        log(error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        this.#restarting = null;
      });
  }
}
