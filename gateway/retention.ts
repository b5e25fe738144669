/**
 * The retention job: one process of a deployment at a time destroys the keys of months that are over for long enough, and then removes
 * what they sealed.
 */
import type { Sql } from 'postgres';
import {
  carryOutPrunes,
  enforceRetention,
  findPrunable,
  pruneBodies,
  type KeyRing,
  type Ledger,
} from '../ledger/index.ts';
import type { Config } from './config.ts';
import type { CallLog } from './log.ts';

export interface RetentionParts {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly keys: KeyRing;
  readonly current: () => { readonly config: Pick<Config, 'tenants'> };
  /** Unix ms. */
  readonly now: () => number;
  readonly log: CallLog;
}

/** Months are what counts, so it need not look often. */
const EVERY_MS = 3_600_000;
/** Longer than to the next look: the job stays with one process while that lives. */
const LEASE_MS = EVERY_MS + 600_000;
const FIRST_MS = 30_000;

/** @returns ends the job */
export function startRetention(parts: RetentionParts): () => void {
  const looked = new Set<string>();
  const look = (): void =>
    void runRetention(parts, looked).catch((error: unknown) => parts.log.error('retention', error));
  const first = setTimeout(look, FIRST_MS).unref();
  const timer = setInterval(look, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
    // Somebody else may take it at once. A database that is away gives it away by itself.
    void takeJob(parts, 0).catch(() => false);
  };
}

/** Once over all tenants that have a retention; nothing while another process has the job. */
export async function runRetention(
  { sql, ledger, keys, current, now, log }: RetentionParts,
  looked: Set<string>,
): Promise<{ readonly keys: number; readonly bodies: number }> {
  const due = [...current().config.tenants.values()].flatMap(({ id, retention }) =>
    retention.decisionDays === null && retention.outcomeDays === null ? [] : [{ tenant: id, ...retention }],
  );
  if (!(await takeJob({ sql, ledger }, LEASE_MS))) return { keys: 0, bodies: 0 };
  // Of a process that died, or of a tenant without a retention by now: what is ordered is carried out.
  const done = { keys: 0, bodies: await carryOutPrunes(sql) };
  for (const each of due) {
    const options = { sql, ledger, keys, now };
    done.keys += await enforceRetention(options, each);
    done.bodies += await pruneBodies(options, each, await findPrunable(options, each, looked));
  }
  if (done.keys + done.bodies > 0) log.info('retention', done);
  return done;
}

async function takeJob({ sql, ledger }: Pick<RetentionParts, 'sql' | 'ledger'>, leaseMs: number): Promise<boolean> {
  const [job] = await sql<{ mine: boolean }[]>`
    select ledger.take_job('retention', ${ledger.wid}, ${leaseMs}) as mine`;
  return job?.mine === true;
}
