import type postgres from 'postgres';
import { LedgerError } from '../error.ts';
import { makeEpoch } from './build.ts';
import type { EpochMaker } from './build.ts';
import { publishCheckpoint } from './notary.ts';
import type { NotaryOptions } from './notary.ts';

/** Work that repeats until it is closed. */
export interface RepeatedJob {
  /** Waits for a run in progress. */
  close(): Promise<void>;
}

/** What the epoch job needs; times in ms. */
export interface EpochJobOptions extends EpochMaker {
  /** Names this process, e.g. its writer id. */
  readonly holder: string;
  /** From one epoch to the next while entries come. */
  readonly busyMs: number;
  /** Longest time between two looks while none come. */
  readonly idleMs: number;
  readonly onError: (error: LedgerError) => void;
}

/** What the notary job needs. */
export interface NotaryJobOptions extends NotaryOptions {
  /** How often it looks for a new epoch. */
  readonly pollMs: number;
  readonly onError: (error: LedgerError) => void;
}

/** How long past its next look a silent process keeps the job. */
const LEASE_SPARE_MS = 30_000;

/**
 * Makes epochs while this process holds the job; all processes of a deployment may run it. After an epoch it looks again in
 * busyMs; while nothing is new it waits twice as long each time, up to idleMs.
 */
export function startEpochJob(options: EpochJobOptions): RepeatedJob {
  const { sql, holder, busyMs, idleMs } = options;
  let waitMs = busyMs;
  const job = repeat(
    options.onError,
    async () => {
      const isMine = await takeJob(sql, 'epoch', holder, idleMs + LEASE_SPARE_MS);
      const epoch = isMine ? await makeEpoch(options) : null;
      waitMs = epoch === null ? Math.min(idleMs, waitMs * 2) : busyMs;
      return waitMs;
    },
    busyMs,
  );
  return {
    close: async () => {
      await job.close();
      // Somebody else may take it at once. A database that is away gives it away by itself.
      await takeJob(sql, 'epoch', holder, 0).catch(() => false);
    },
  };
}

/** Publishes checkpoints; several notaries of one key do no harm. */
export function startNotary(options: NotaryJobOptions): RepeatedJob {
  return repeat(
    options.onError,
    async () => {
      await publishCheckpoint(options);
      return options.pollMs;
    },
    0,
  );
}

/** True while the caller holds the job, from now on for that long; 0 gives it away. */
export async function takeJob(sql: postgres.Sql, name: string, holder: string, leaseMs: number): Promise<boolean> {
  const [row] = await sql<{ mine: boolean }[]>`select ledger.take_job(${name}, ${holder}, ${leaseMs}) as mine`;
  return row?.mine === true;
}

/** Runs work again and again, never twice at once; it answers when it wants to run next. */
export function repeat(
  onError: (error: LedgerError) => void,
  work: () => Promise<number>,
  firstMs: number,
): RepeatedJob {
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;
  let running = Promise.resolve();
  let lastWaitMs = Math.max(firstMs, 1000);
  const run = async (): Promise<void> => {
    try {
      lastWaitMs = await work();
    } catch (error) {
      const known = error instanceof LedgerError;
      onError(
        known
          ? error
          : new LedgerError('unavailable', 'background work on epochs failed; it is tried again', { cause: error }),
      );
    }
    if (isOpen) schedule(lastWaitMs);
  };
  const schedule = (ms: number): void => {
    timer = setTimeout(() => (running = run()), ms).unref();
  };
  schedule(firstMs);
  return {
    close: async () => {
      isOpen = false;
      clearTimeout(timer);
      await running;
    },
  };
}
