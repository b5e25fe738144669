import type postgres from 'postgres';
import type { AppendItem, Appended } from './entry.ts';
import type { HeadStore } from './epoch/head-store.ts';
import type { OutsideMemory } from './fork/outside.ts';
import type { KeyRing } from './keyring.ts';
import type { LedgerError } from './error.ts';
import type { Statement, StatementKind } from './statement.ts';

/** What a running ledger says about itself. Counters are since start. */
export interface LedgerStatus {
  readonly state: 'up' | 'down' | 'fenced' | 'forked' | 'closed';
  /** What is missing from the database; null unless `forked`. */
  readonly fork: string | null;
  readonly wid: string;
  /** Unix ms since when appends have been failing; null when they are not. */
  readonly downSinceMs: number | null;
  readonly queued: number;
  readonly inFlight: number;
  readonly appended: number;
  readonly batches: number;
  /** Items refused as `unavailable`. */
  readonly refused: number;
  /** Entries whose caller was told `unavailable` and that still wait to be appended. */
  readonly late: number;
  /** Calls this process holds open. */
  readonly openCalls: number;
  /** The last entry somebody was told of. */
  readonly last: { readonly log: string; readonly seq: number; readonly hash: string } | null;
}

/** The only writer of this process. */
export interface Ledger {
  /**
   * Appends one entry durably. Rejects with LedgerError: `unavailable` when it is not certain within appendTimeoutMs that the
   * entry is durable (a decision that turns out durable later is closed as `not_sent` by the ledger itself; an outcome stays
   * queued and is appended when the database returns), `budget_exceeded` and `unknown_scope` with the scope, `call_closed`,
   * `duplicate`, `fenced` (an outcome is then appended as `late_outcome` by the ledger itself), `closed`, `invalid_entry`,
   * `invalid_value`, `unknown_tenant`, `forked` (what was durable is missing: nothing is appended until an operator has looked).
   */
  append(item: AppendItem): Promise<Appended>;
  /** `<log>/<inc>/<seq>/<hash>/<wid>/<signature, base64url>`; `requestDigest` is 64 lower hex digits. Stored with a later batch. */
  signReceipt(entry: Appended, requestDigest: string): Promise<string>;
  readonly wid: string;
  /** Ed25519 by this process's key over `statementText`, base64url. @throws LedgerError `forked` */
  signStatement(kind: StatementKind, statement: Statement): string;
  /** Somebody was refused without an append because the database is away: counts in the gap entry like a refused append. */
  countRefused(): void;
  status(): LedgerStatus;
  /** Waits for what is queued (bounded by appendTimeoutMs), gives the lease back and stops the timers. The pools stay open. */
  close(): Promise<void>;
}

/** What openLedger needs; times in ms. */
export interface LedgerOptions {
  /** Pool for everything but the appends. */
  readonly sql: postgres.Sql;
  /** Pool of exactly one connection that nothing else uses. */
  readonly writerSql: postgres.Sql;
  readonly keys: KeyRing;
  /** Name of this deployment in the C2SP sense, e.g. `countersign.example.com/prod`; A-Z a-z 0-9 . _ : / -, up to 128. */
  readonly origin: string;
  /** What was published and acknowledged, outside the database: compared with it before anything is written; absent: memory only. */
  readonly heads?: HeadStore;
  /** Witnesses and archives that are asked before anything is written. */
  readonly outside?: readonly OutsideMemory[];
  /** The guard is not asked: a loss is being declared. */
  readonly isRecovery?: boolean;
  /** The entry that the deployment's log begins with, if it is of a later incarnation and has none yet. */
  readonly firstEntry?: (log: string) => AppendItem | null;
  /** Unix ms. */
  readonly now: () => number;
  /** Default 5000. */
  readonly appendTimeoutMs?: number;
  /** Most items waiting; more are refused at once. Default 10000. */
  readonly queueLimit?: number;
  /** A process silent for this long is closed by the others. Default 10000. */
  readonly leaseMs?: number;
  /** Default 2000, or a fifth of a short lease. */
  readonly renewMs?: number;
  /**
   * How often this process looks for dead ones, once it has held its own lease for the time of a whole one; 0 = never.
   * Default 3000, or a third of a short lease.
   */
  readonly recoverMs?: number;
  /** Called once when this process finds itself fenced: it must release nothing more to callers. */
  readonly onFenced?: () => void;
  /** Called once when the database turns out to be another history than the one this process wrote. */
  readonly onForked?: (error: LedgerError) => void;
  /** Failures of background work (renewal, recovery, storing receipts). */
  readonly onError?: (error: LedgerError) => void;
}
