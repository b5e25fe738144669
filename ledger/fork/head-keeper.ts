import type { HeadStore } from '../epoch/head-store.ts';
import type { Acknowledged } from './acknowledged.ts';
import { MAX_HEADS } from './kept-heads.ts';
import type { KeptHead } from './kept-heads.ts';

/** What is kept of whom, and where. */
export interface HeadKeeperOptions {
  readonly heads: HeadStore;
  /** The deployment's, as configured. */
  readonly name: string;
  readonly writer: { readonly wid: string; readonly acknowledged: Acknowledged };
  /** A write failed; it is tried again. */
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 1000;
/** Looks left out after a write that failed. */
const PAUSE_LOOKS = 60;

/**
 * Keeps outside the database what this process was told is durable, from time to time and never while a call waits for it: a
 * restore to a moment after the last checkpoint shows by it. What was acknowledged since the last write does not.
 */
export class HeadKeeper {
  readonly #options: HeadKeeperOptions;
  /** In the order in which the logs were written to. */
  readonly #heads = new Map<string, KeptHead>();
  #timer: NodeJS.Timeout | null = null;
  #isDirty = false;
  #pause = 0;
  #writing: Promise<void> | null = null;

  constructor(options: HeadKeeperOptions) {
    this.#options = options;
  }

  /** Takes over what processes before this one kept, and begins. */
  async begin(): Promise<void> {
    const { heads, name, writer, onError } = this.#options;
    const kept = await heads.takeOver(name, writer.wid).catch((error: unknown) => {
      onError(error);
      return [];
    });
    for (const [log, head] of kept) this.#heads.set(log, head);
    this.#timer = setInterval(() => void this.#look(), EVERY_MS).unref();
  }

  /** After the last write of this process. */
  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  async #look(): Promise<void> {
    this.#pause -= 1;
    if (this.#writing === null && this.#pause <= 0) await this.#write();
  }

  async #write(): Promise<void> {
    this.#note();
    if (!this.#isDirty) return;
    const { heads, name, writer, onError } = this.#options;
    this.#isDirty = false;
    this.#writing = heads.keepAcknowledged(name, writer.wid, this.#heads).catch((error: unknown) => {
      this.#isDirty = true;
      this.#pause = PAUSE_LOOKS;
      onError(error);
    });
    await this.#writing;
    this.#writing = null;
  }

  #note(): void {
    for (const [log, head] of this.#options.writer.acknowledged.takeChanged()) {
      this.#heads.delete(log);
      this.#heads.set(log, head);
      this.#isDirty = true;
    }
    for (const log of this.#heads.keys()) {
      if (this.#heads.size <= MAX_HEADS) break;
      this.#heads.delete(log);
    }
  }
}
