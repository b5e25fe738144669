import type postgres from 'postgres';
import type { Answer } from '../append/batch.ts';
import { LedgerError } from '../error.ts';

interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The last entry of each log that this process was told is durable: what a database that came back must still have. */
export class Acknowledged {
  readonly #heads = new Map<string, Head>();

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

  /** Asks whether all of them are still there. @throws {LedgerError} `forked` */
  async check(sql: postgres.Sql): Promise<void> {
    const heads = [...this.#heads];
    const rows = await sql<{ log: string }[]>`
      select u.log from unnest(${heads.map(([log]) => log)}::text[], ${heads.map(([, { seq }]) => seq)}::bigint[],
        ${heads.map(([, { hash }]) => hash)}::text[]) u(log, seq, hash)
      where not exists (select 1 from ledger.entries e where e.log = u.log and e.seq = u.seq and encode(e.hash, 'hex') = u.hash)
      limit 1`;
    const [missing] = rows;
    if (missing !== undefined) throw lost(missing.log, this.#heads.get(missing.log)?.seq ?? 0);
  }
}

function lost(log: string, seq: number): LedgerError {
  return new LedgerError(
    'forked',
    `expected entry ${String(seq)} of log ${log}, which was durable, found another or none; was the database restored?`,
  );
}
