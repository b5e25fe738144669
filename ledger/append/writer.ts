import type postgres from 'postgres';
import { Acknowledged } from '../fork/acknowledged.ts';
import type { RandomHex } from '../random.ts';
import { APPEND_SQL, decodeAnswer, encodeBatch } from './batch.ts';
import type { AppendPort } from './ports.ts';
import type { ReceiptBook } from './receipts.ts';

/** This process as a row of ledger.writers. */
export interface Writer extends AppendPort {
  readonly wid: string;
  /** False when this process is fenced; null while earlier attempts still wait for the database. */
  renew(): Promise<boolean | null>;
  /** Stores signatures for which no batch came along. */
  storeReceipts(): Promise<void>;
  retire(): Promise<void>;
  /** What this process was told is durable. */
  readonly acknowledged: Acknowledged;
}

const RECEIPTS_A_BATCH = 256;

/** Registers a new writer: a fresh id and a fresh lease for every process start. */
export async function registerWriter(options: {
  readonly sql: postgres.Sql;
  readonly writerSql: postgres.Sql;
  readonly receipts: ReceiptBook;
  readonly random: RandomHex;
  readonly leaseMs: number;
}): Promise<Writer> {
  const { sql, writerSql, receipts, leaseMs } = options;
  const wid = `w-${options.random(8)}`;
  let generation = '1';
  let nextWseq = 1;
  const renewer = createRenewer([sql, writerSql]);
  const acknowledged = new Acknowledged(writerSql);
  await sql`select ledger.register_writer(${wid}, ${receipts.publicKey}, ${leaseMs})`;

  return {
    wid,
    acknowledged,
    send: async (items, again) => {
      const riding = receipts.take(RECEIPTS_A_BATCH);
      try {
        const sealed = items.map((pending) => pending.sealed);
        await acknowledged.checkNewConnection();
        const parameters = encodeBatch({ wid, generation, nextWseq }, sealed, riding, again);
        const [row] = await writerSql.unsafe<{ answer: string }[]>(APPEND_SQL, parameters, { prepare: true });
        const answers = decodeAnswer(row?.answer ?? '', items.length);
        if (answers === null) throw new TypeError('ledger.append answered in another form than this build knows');
        acknowledged.note(items, answers);
        for (const answer of answers) if (answer.is === 'appended') nextWseq = Math.max(nextWseq, answer.wseq + 1);
        return answers;
      } catch (error) {
        receipts.giveBack(riding);
        throw error;
      }
    },
    resume: async () => {
      const [row] = await writerSql<{ generation: string | null }[]>`
        select ledger.resume_writer(${wid}, ${generation}, ${leaseMs}) as generation`;
      if (row?.generation === null || row?.generation === undefined) return false;
      generation = row.generation;
      await acknowledged.check();
      return true;
    },
    renew: async () => {
      const asked = generation;
      const alive = await renewer([wid, asked, String(leaseMs), String(nextWseq - 1)]);
      // Also a process that has nothing to append finds out.
      if (alive === true) await acknowledged.checkNewConnection();
      // A resume that overlapped raised the generation: the answer is about the old one.
      return alive === false ? asked !== generation : alive;
    },
    storeReceipts: async () => {
      const batch = receipts.take(RECEIPTS_A_BATCH);
      if (batch.length === 0) return;
      try {
        await sql`select ledger.store_receipts(${wid}, ${batch.map((each) => each.log)}, ${batch.map((each) => each.seq)}::bigint[],
          ${batch.map((each) => each.digest)}, ${batch.map((each) => each.signature)})`;
      } catch (error) {
        receipts.giveBack(batch);
        throw error;
      }
    },
    retire: async () => {
      await sql`select ledger.retire_writer(${wid}, ${nextWseq - 1})`;
    },
  };
}

/** Renews on every connection where no renewal is waiting yet: neither a full pool nor a held head may cost a live process its lease. */
function createRenewer(pools: readonly postgres.Sql[]): (parameters: string[]) => Promise<boolean | null> {
  const waiting = new Set<postgres.Sql>();
  const renewOn = async (pool: postgres.Sql, parameters: string[]): Promise<boolean> => {
    waiting.add(pool);
    try {
      const text = 'select ledger.renew_lease($1, $2, $3, $4) as alive';
      const [row] = await pool.unsafe<{ alive: boolean }[]>(text, parameters, { prepare: true });
      return row?.alive === true;
    } finally {
      waiting.delete(pool);
    }
  };
  return async (parameters) => {
    const answers = pools.filter((pool) => !waiting.has(pool)).map((pool) => renewOn(pool, parameters));
    return answers.length === 0 ? null : Promise.any(answers);
  };
}
