/** Opens the governance of one process, before the policies it decides with are built. */
import { hash } from 'node:crypto';
import type { Sql } from 'postgres';
import type { KeyRing, Ledger } from '../../ledger/index.ts';
import { countDecided, LedgerError } from '../../ledger/index.ts';
import { findBundle } from '../../policies/index.ts';
import type { CurrentOptions } from '../current.ts';
import type { CallLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { DriftWatch } from './drift.ts';
import type { Governance } from './governance.ts';
import { openGovernance } from './governance.ts';

/** An id of an entry has 64 characters at most. */
const DRIFT_DIGITS = 48;

export interface GovernanceParts {
  readonly sql: Sql;
  readonly keys: KeyRing;
  readonly options: CurrentOptions;
  readonly log: Pick<CallLog, 'error'>;
  readonly now: () => number;
  readonly clock: () => number;
}

export async function startGovernance(
  parts: GovernanceParts,
): Promise<{ readonly governance: Governance; readonly currentOptions: CurrentOptions }> {
  const { sql, keys, options, log, now, clock } = parts;
  const governance = await openGovernance({
    sql,
    keys,
    now,
    clock,
    onError: (error) => log.error('governance', error),
  });
  const { shippedBundles, resolvePath } = options;
  const releases = {
    state: () => governance.state,
    find: (digest: string, name: string) => findBundle(sql, digest, name),
  };
  return { governance, currentOptions: { shippedBundles, resolvePath, releases } };
}

export interface DriftParts {
  readonly sql: Sql;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly metrics: Pick<Metrics, 'drift'>;
  readonly log: Pick<CallLog, 'warn'>;
  readonly now: () => number;
}

/** A watch whose alarms are an entry in the tenant's log, and of whoever wrote it a metric and a line in the log. */
export function watchDrift({ sql, ledger, metrics, log, now }: DriftParts): DriftWatch {
  return new DriftWatch({
    now,
    count: (tenant, range) => countDecided(sql, tenant, range),
    alarm: async ({ tenant, key, facts }) => {
      const call = `drift.${hash('sha256', key, 'hex').slice(0, DRIFT_DIGITS)}`;
      const sections = { facts: { ...facts }, detail: {} };
      try {
        await ledger.append({ tenant, kind: 'policy', class: 'event', call, subject: null, sections });
      } catch (error) {
        // Another process was first.
        if (error instanceof LedgerError && error.code === 'duplicate') return;
        throw error;
      }
      metrics.drift(tenant);
      log.warn('policy_drift', { tenant });
    },
  });
}
