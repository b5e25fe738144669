import type postgres from 'postgres';
import { DEPLOYMENT } from '../entry.ts';
import { repeat, takeJob } from '../epoch/job.ts';
import type { RepeatedJob } from '../epoch/job.ts';
import { LedgerError } from '../error.ts';
import type { AnchorCheckpoint, AnchorTarget } from './target.ts';

/** What the anchoring job needs; times in ms. */
export interface AnchorJobOptions {
  /** With the rights of the gateway. */
  readonly sql: postgres.Sql;
  /** Names this process, e.g. its writer id. */
  readonly holder: string;
  readonly targets: readonly AnchorTarget[];
  /** How often it looks for a new checkpoint. */
  readonly pollMs: number;
  /** After every look, also when another process does the work. */
  readonly onLook: () => Promise<void>;
  /** Everything that went wrong, once per target and look. */
  readonly onError: (error: LedgerError, target: string | null) => void;
  /** Pause after a first failure; it doubles up to an hour. */
  readonly retryMs?: number;
}

const LEASE_SPARE_MS = 60_000;
const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 3_600_000;

/** Has every new checkpoint anchored, by one of all processes that run it. Targets that fail are asked again, each by itself. */
export function startAnchorJob(options: AnchorJobOptions): RepeatedJob {
  const { sql, holder, pollMs, onError, onLook } = options;
  const job = repeat(
    (error) => onError(error, null),
    async () => {
      if (await takeJob(sql, 'anchor', holder, pollMs + LEASE_SPARE_MS)) await anchorNewest(options);
      await onLook();
      return pollMs;
    },
    pollMs,
  );
  return {
    close: async () => {
      await job.close();
      // The next process asks at once: else checkpoints of the first minute after a restart would be known to nobody outside.
      await takeJob(sql, 'anchor', holder, 0).catch(() => false);
    },
  };
}

/**
 * Has the newest checkpoint anchored by every target that has not done so and is not being left alone after a failure. The
 * newest covers all before it. Archives come last, so that they keep what the others said.
 */
export async function anchorNewest(options: Omit<AnchorJobOptions, 'holder' | 'pollMs' | 'onLook'>): Promise<void> {
  const { sql, targets } = options;
  const checkpoint = await newestCheckpoint(sql);
  if (checkpoint === null) return;
  const paused = await sql<{ target: string }[]>`
    select target from ledger.anchor_tries where failures > 0 and next_try > clock_timestamp()`;
  const awake = targets.filter(({ id }) => paused.every(({ target }) => target !== id));
  const isArchive = ({ id }: AnchorTarget): boolean => id.startsWith('archive:');
  await Promise.all(
    awake.filter((target) => !isArchive(target)).map((target) => anchorAt(options, target, checkpoint)),
  );
  for (const target of awake.filter(isArchive)) await anchorAt(options, target, checkpoint);
}

async function anchorAt(
  { sql, onError, retryMs = FIRST_RETRY_MS }: Pick<AnchorJobOptions, 'sql' | 'onError' | 'retryMs'>,
  target: AnchorTarget,
  checkpoint: AnchorCheckpoint,
): Promise<void> {
  if (await target.isDone(sql, checkpoint)) return;
  const problem = await target.anchor(sql, checkpoint).then(
    () => null,
    (error: unknown) => failure(error, target.id),
  );
  // Somebody else was faster with a newer checkpoint: no failure, and no fork either.
  const isLate = problem?.code === 'forked' && (await newestCheckpoint(sql))?.size !== checkpoint.size;
  if (isLate) return;
  const text = problem === null ? null : problem.message.replaceAll(/\p{Cc}/gu, ' ').slice(0, 500);
  await sql`select ledger.note_anchor_try(${target.id}, ${text}, ${problem?.code === 'forked'}, ${retryMs}, ${LAST_RETRY_MS})`;
  if (problem !== null) onError(problem, target.id);
}

/** What others answer is never repeated; only our own words are kept. */
function failure(error: unknown, id: string): LedgerError {
  if (error instanceof LedgerError) return error;
  return new LedgerError('unavailable', `expected an answer of ${id}, found none; it is asked again`, { cause: error });
}

/** The newest checkpoint of the deployment's newest log; null before the first. */
export async function newestCheckpoint(sql: postgres.Sql): Promise<AnchorCheckpoint | null> {
  const [row] = await sql<{ log: string; size: string; note: string }[]>`
    select c.log, c.size, c.note from ledger.logs l join ledger.checkpoints c on c.log = l.log
    where l.tenant = ${DEPLOYMENT} order by l.inc desc, c.size desc limit 1`;
  return row === undefined ? null : { log: row.log, size: Number(row.size), note: row.note };
}
