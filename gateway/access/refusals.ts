/**
 * Refusals that get no entry of their own: those before authentication, and repeated `rate_limited` of one key. They are
 * counted per minute and reason and written as one entry each, so that a flood cannot fill the ledger.
 */
import type { RecordEvent } from './events.ts';
import { DEPLOYMENT_TENANT } from './principal.ts';

export interface RefusalCount {
  /** Start of the minute, unix ms. */
  readonly minuteMs: number;
  readonly reason: string;
  readonly count: number;
}

export interface RefusalCounter {
  /** @param reason a word of the product's own vocabulary, never text of the caller */
  count(reason: string): void;
  /** Writes the minutes that are over (all of them with `final`). Never rejects: what could not be written is kept. */
  flush(final?: boolean): Promise<void>;
}

export interface RefusalOptions {
  readonly now: () => number;
  /** Writes one `refusals` entry; rejects when it is not durable. */
  readonly write: (refusals: RefusalCount) => Promise<void>;
}

const MINUTE_MS = 60_000;
/** Reasons are a closed vocabulary and minutes are flushed, so this is only reached while the ledger is away for hours. */
const MAX_PENDING = 10_000;

export function createRefusalCounter({ now, write }: RefusalOptions): RefusalCounter {
  const pending = new Map<string, { minuteMs: number; reason: string; count: number }>();
  let flushing: Promise<void> | null = null;

  const writeFinished = async (final: boolean): Promise<void> => {
    const currentMinuteMs = now() - (now() % MINUTE_MS);
    for (const [key, entry] of pending) {
      if (!final && entry.minuteMs >= currentMinuteMs) continue;
      const written = { ...entry };
      try {
        await write(written);
      } catch {
        return; // The ledger is away: the rest would fail the same way. Counts stay for the next flush.
      }
      // Refusals counted while the entry was being written belong to the same minute and stay.
      entry.count -= written.count;
      if (entry.count === 0) pending.delete(key);
    }
  };

  return {
    count(reason) {
      const minuteMs = now() - (now() % MINUTE_MS);
      const key = `${minuteMs} ${reason}`;
      const entry = pending.get(key);
      if (entry !== undefined) entry.count += 1;
      else if (pending.size < MAX_PENDING) pending.set(key, { minuteMs, reason, count: 1 });
      else addToOldest(pending, reason);
    },
    flush(final = false) {
      flushing ??= writeFinished(final).finally(() => {
        flushing = null;
      });
      return flushing;
    },
  };
}

/** Past the bound the minute becomes inexact, the number stays right. */
function addToOldest(pending: ReadonlyMap<string, { reason: string; count: number }>, reason: string): void {
  for (const entry of pending.values()) {
    if (entry.reason !== reason) continue;
    entry.count += 1;
    return;
  }
}

/** The entry about one minute and reason, in the log of the deployment. */
export async function recordRefusals(record: RecordEvent, { minuteMs, reason, count }: RefusalCount): Promise<void> {
  const facts = { minute_ms: minuteMs, reason, count };
  await record({ kind: 'refusals', tenant: DEPLOYMENT_TENANT, facts, detail: {} });
}
