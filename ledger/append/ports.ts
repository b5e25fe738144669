import type { LedgerError } from '../error.ts';
import type { Answer } from './batch.ts';
import type { Gap } from './gap.ts';
import type { Pending } from './pending.ts';

/** The database side of the queue. */
export interface AppendPort {
  /** One append call. `again` is set when an earlier call with these items may have been committed. */
  send(items: readonly Pending[], again: { ask: readonly boolean[] } | null): Promise<Answer[]>;
  /** Makes sure that no earlier call of this process can still commit; false when this process is fenced. */
  resume(): Promise<boolean>;
}

export interface QueueHooks {
  /** Durable. `pending.told` says that the caller had been answered `unavailable` before. */
  readonly onAppended: (pending: Pending, answer: Extract<Answer, { is: 'appended' }>) => void;
  readonly onFenced: () => void;
  /** The database is not the one that was written to: nothing goes on. */
  readonly onForked: (error: LedgerError) => void;
  /** An outcome that this process may not append any more. */
  readonly onOutcomeFenced: (pending: Pending) => void;
  /** Items were refused as `unavailable` since the last time, and the database is back. */
  readonly onReturn: (gap: Gap) => void;
}
