import type postgres from 'postgres';
import type { Answer } from '../append/batch.ts';
import { LedgerError } from '../error.ts';

interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The last entry of each log that this process was told is durable: what a database that came back must still have. */
export class Acknowledged {
  readonly #sql: postgres.Sql;
  readonly #heads = new Map<string, Head>();
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
   * @param logs of the items, in order of the answers
   * @throws {LedgerError} `forked`
   */
  note(logs: readonly { readonly log: string }[], answers: readonly Answer[]): void {
    const newest = new Map<string, Head>();
    for (const [index, answer] of answers.entries()) {
      const log = logs[index]?.log;
      if (answer.is !== 'appended' || log === undefined) continue;
      const last = this.#heads.get(log);
      if (last !== undefined && answer.seq <= last.seq) throw lost(log, last.seq);
      // A batch that is sent again may answer out of order.
      if (answer.seq > (newest.get(log)?.seq ?? -1)) newest.set(log, answer);
    }
    for (const [log, { seq, hash }] of newest) this.#heads.set(log, { seq, hash });
  }

  /** After the connection was lost, nothing else: asks as `check` does. */
  async checkNewConnection(): Promise<void> {
    if (this.#isNewConnection) await this.check();
  }

  /** Asks whether all of them are still there. @throws {LedgerError} `forked` */
  async check(): Promise<void> {
    this.#isNewConnection = false;
    const missing = await this.#findMissing().catch((error: unknown) => {
      this.#isNewConnection = true;
      throw error;
    });
    if (missing !== null) throw lost(missing, this.#heads.get(missing)?.seq ?? 0);
  }

  async #findMissing(): Promise<string | null> {
    const sql = this.#sql;
    const heads = [...this.#heads];
    const [row] = await sql<{ log: string }[]>`
      select u.log from unnest(${heads.map(([log]) => log)}::text[], ${heads.map(([, { seq }]) => seq)}::bigint[],
        ${heads.map(([, { hash }]) => hash)}::text[]) u(log, seq, hash)
      where not exists (select 1 from ledger.entries e where e.log = u.log and e.seq = u.seq and encode(e.hash, 'hex') = u.hash)
      limit 1`;
    return row?.log ?? null;
  }
}

function lost(log: string, seq: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected entry ${String(seq)} of log ${log}, which was durable, found another or none; was the database restored?`,
  );
}
