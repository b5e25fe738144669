/** The retention job: one process of a deployment at a time destroys the keys of months that are over for long enough. */
import type { Sql } from 'postgres';
import { enforceRetention, type KeyRing, type Ledger } from '../ledger/index.ts';
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
  const look = (): void => void runRetention(parts).catch((error: unknown) => parts.log.error('retention', error));
  const first = setTimeout(look, FIRST_MS).unref();
  const timer = setInterval(look, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}

/** Once over all tenants that have a retention; nothing while another process has the job. Answers how many keys were destroyed. */
export async function runRetention({ sql, ledger, keys, current, now, log }: RetentionParts): Promise<number> {
  const due = [...current().config.tenants.values()].flatMap(({ id, retention }) =>
    retention.contentDays === null ? [] : [{ tenant: id, contentDays: retention.contentDays }],
  );
  if (due.length === 0) return 0;
  const [job] = await sql<{ mine: boolean }[]>`
    select ledger.take_job('retention', ${ledger.wid}, ${LEASE_MS}) as mine`;
  if (job?.mine !== true) return 0;
  let destroyed = 0;
  for (const each of due) destroyed += await enforceRetention({ sql, ledger, keys, now }, each);
  if (destroyed > 0) log.info('retention', { keys: destroyed });
  return destroyed;
}
