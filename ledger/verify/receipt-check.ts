import type { LogCheck } from './log-check.ts';
import type { KeptReceipt } from './trust.ts';

/** Receipts that callers kept, held against the logs: an entry they name has to be there, and to be that entry. */
export class ReceiptCheck {
  readonly #logs = new Map<string, LogReceipts>();
  #seen = 0;
  readonly #total: number;

  constructor(receipts: readonly KeptReceipt[]) {
    this.#total = receipts.length;
    for (const { log, seq, hash } of receipts) {
      const known = this.#logs.get(log) ?? new LogReceipts(() => (this.#seen += 1));
      this.#logs.set(log, known);
      known.add(seq, hash);
    }
  }

  /** Null when there are none of this log. */
  of(log: string): LogReceipts | null {
    return this.#logs.get(log) ?? null;
  }

  /** Receipts nothing could be said about. */
  get elsewhere(): number {
    return this.#total - this.#seen;
  }
}

/** Receipts of one log. */
class LogReceipts {
  readonly #hashes = new Map<number, string[]>();
  readonly #onSeen: () => void;

  constructor(onSeen: () => void) {
    this.#onSeen = onSeen;
  }

  add(seq: number, hash: string): void {
    const known = this.#hashes.get(seq);
    if (known === undefined) this.#hashes.set(seq, [hash]);
    else known.push(hash);
  }

  /** After each good entry. @param hash of the last one */
  see(hash: string, check: LogCheck): void {
    const seq = check.length - 1;
    for (const kept of this.#hashes.get(seq) ?? []) {
      this.#onSeen();
      if (kept === hash) continue;
      const problem = 'a receipt that you were given is about another entry at this place';
      check.fail(seq, { problem, shows: 'FORKED' }, check.writer);
    }
    this.#hashes.delete(seq);
  }

  /** Behind the last entry: a receipt about a later one proves that it was left out. @param end of a part, null for a whole log */
  end(check: LogCheck, end: number | null): void {
    const later = [...this.#hashes.keys()].filter((seq) => seq >= check.length && (end === null || seq < end));
    if (later.length === 0) return;
    const last = later.reduce((a, b) => Math.max(a, b));
    const problem = `the end of the log is missing: a receipt that you were given is about entry ${String(last)}`;
    for (const seq of later) for (const _ of this.#hashes.get(seq) ?? []) this.#onSeen();
    check.fail(check.length, { problem, shows: 'INCOMPLETE' });
  }
}
