import type postgres from 'postgres';
import type { Answer } from '../append/batch.ts';
import type { Pending } from '../append/pending.ts';
import { LedgerError } from '../error.ts';
import type { KeptHead, KeptHeads } from './kept-heads.ts';

/** The last entry of each log that this process was told is durable: what a database that came back must still have. */
export class Acknowledged {
  readonly #sql: postgres.Sql;
  readonly #heads = new Map<string, KeptHead>();
  readonly #changed = new Set<string>();
  #isNewConnection = false;

  /** @param sql the pool of one connection that appends */
  constructor(sql: postgres.Sql) {
    this.#sql = sql;
    // The driver connects again by itself, perhaps to a database that was restored meanwhile: nothing is sent to it unasked.
    Object.assign(sql.options, { onclose: () => (this.#isNewConnection = true) });
  }

  /**
   * Notes what a batch came to. A log only grows: an answer at or before a place that is taken comes from another history.
   *
   * @param items in order of the answers
   * @throws {LedgerError} `forked`
   */
  note(items: readonly Pick<Pending, 'log'>[], answers: readonly Answer[]): void {
    const newest = new Map<string, KeptHead>();
    for (const [index, answer] of answers.entries()) {
      const item = items[index];
      if (answer.is !== 'appended' || item === undefined) continue;
      const { log, inc, slot } = item.log;
      const last = this.#heads.get(log);
      if (last !== undefined && answer.seq <= last.seq) throw lost(log, last.seq);
      // A batch that is sent again may answer out of order.
      const { seq, hash } = answer;
      if (seq > (newest.get(log)?.seq ?? -1)) newest.set(log, { inc, slot: Number(slot), seq, hash });
    }
    for (const [log, head] of newest) {
      this.#heads.set(log, head);
      this.#changed.add(log);
    }
  }

  /** The heads that changed since this was asked the last time. */
  takeChanged(): KeptHeads {
    const changed = new Map<string, KeptHead>();
    for (const log of this.#changed) {
      const head = this.#heads.get(log);
      if (head !== undefined) changed.set(log, head);
    }
    this.#changed.clear();
    return changed;
  }

  /** After the connection was lost, nothing else: asks as `check` does. */
  async checkNewConnection(): Promise<void> {
    if (this.#isNewConnection) await this.check();
  }

  /** Asks whether all of them are still there. @throws {LedgerError} `forked` */
  async check(): Promise<void> {
    this.#isNewConnection = false;
    const missing = await findMissing(this.#sql, this.#heads).catch((error: unknown) => {
      this.#isNewConnection = true;
      throw error;
    });
    if (missing !== null) throw lost(missing, this.#heads.get(missing)?.seq ?? 0);
  }
}

/** A log of which an entry that was durable is not there; null when all are. A log that was declared ended is not asked about. */
export async function findMissing(sql: postgres.Sql, kept: KeptHeads): Promise<string | null> {
  const heads = [...kept];
  if (heads.length === 0) return null;
  const [row] = await sql<{ log: string }[]>`
    select u.log from unnest(${heads.map(([log]) => log)}::text[], ${heads.map(([, { seq }]) => seq)}::bigint[],
      ${heads.map(([, { hash }]) => hash)}::text[]) u(log, seq, hash)
    where not exists (select 1 from ledger.entries e where e.log = u.log and e.seq = u.seq and encode(e.hash, 'hex') = u.hash)
      and not exists (select 1 from ledger.closed_logs c where c.log = u.log)
    limit 1`;
  return row?.log ?? null;
}

function lost(log: string, seq: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected entry ${String(seq)} of log ${log}, which was durable, found another or none; was the database restored?`,
  );
}
