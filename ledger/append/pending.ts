import { LedgerError } from '../error.ts';
import type { AppendItem, Appended } from '../entry.ts';
import type { CallKeys } from '../keyring.ts';
import type { Answer, SealedItem } from './batch.ts';
import type { LogRef } from './logs.ts';

/** An item between `append` and its answer. */
export interface Pending {
  readonly item: AppendItem;
  readonly sealed: SealedItem;
  readonly keys: CallKeys;
  readonly log: LogRef;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Stays queued after its deadline: evidence of something that happened already. */
  readonly keep: boolean;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: LedgerError) => void;
  /** The caller was told `unavailable`. */
  told: boolean;
  /** How often a late outcome found its call still open. */
  tries: number;
}

/** Characters a pending item keeps in memory, roughly. */
export function sizeOf({ sealed }: Pending): number {
  const { body } = sealed;
  return 1000 + body.facts.length + (body.sealed?.length ?? 0) + (body.content?.length ?? 0);
}

export function unavailable(reason: string, cause?: unknown): LedgerError {
  return new LedgerError(
    'unavailable',
    `expected a durable entry within the time allowed, found none (${reason}); try again later`,
    { cause },
  );
}

export function fencedError(): LedgerError {
  return new LedgerError(
    'fenced',
    'expected a live lease, found that another process fenced this one; it must be restarted',
  );
}

/** The error of an item the append function did not append. */
export function refusal(
  answer: Exclude<Answer, { is: 'appended' }>,
  { kind, class: entryClass }: SealedItem,
): LedgerError {
  switch (answer.is) {
    case 'budget_exceeded':
      return new LedgerError('budget_exceeded', `expected room in budget ${answer.scope}, found too little`, {
        scope: answer.scope,
      });
    case 'unknown_scope':
      return new LedgerError(
        'unknown_scope',
        `expected a budget named ${answer.scope}, found none; set its limits first`,
        { scope: answer.scope },
      );
    case 'call_closed':
      return new LedgerError(
        'call_closed',
        `expected a call that a ${kind} can close, found none; append a late_outcome if its outcome is unknown`,
      );
    case 'duplicate':
      return new LedgerError('duplicate', `expected no ${entryClass} entry of this call yet, found one`);
    case 'absent':
      return unavailable('not appended');
  }
}

export function isolationError(): LedgerError {
  return new LedgerError(
    'isolation',
    'expected a READ COMMITTED connection, found another level; check the database URL',
  );
}

export function refusedEntry(sqlState: string): LedgerError {
  return new LedgerError('invalid_entry', `expected an entry the database accepts, found one it refuses (${sqlState})`);
}
