/** The epoch job of a gateway process. The key that signs checkpoints is not here: the notary is another process, or another part. */
import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { makeEpoch, startEpochJob, type Epoch, type Ledger, type RepeatedJob } from '../ledger/index.ts';
import type { Config } from './config.ts';
import type { CallLog } from './log.ts';

export interface Epochs extends RepeatedJob {
  /** An epoch at once, for whoever waits for a proof. */
  readonly makeEpoch: () => Promise<Epoch | null>;
}

export function startEpochs(sql: Sql, ledger: Ledger, { ledger: settings }: Config, log: CallLog): Epochs {
  const maker = { sql, ledger, random: randomBytes };
  const job = startEpochJob({
    ...maker,
    holder: ledger.wid,
    busyMs: settings.epochBusyMs,
    idleMs: settings.epochIdleMs,
    onError: (error) => log.error('epochs', error),
  });
  return { ...job, makeEpoch: () => makeEpoch(maker, true) };
}
