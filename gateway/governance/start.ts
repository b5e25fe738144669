/** Opens the governance of one process, before the policies it decides with are built. */
import type { Sql } from 'postgres';
import type { KeyRing } from '../../ledger/index.ts';
import { findBundle } from '../../policies/index.ts';
import type { CurrentOptions } from '../current.ts';
import type { RecordEvent } from '../access/events.ts';
import type { CallLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { CallProgress } from '../progress.ts';
import { DriftWatch } from './drift.ts';
import type { Governance } from './governance.ts';
import { openGovernance } from './governance.ts';

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
  readonly record: RecordEvent;
  readonly metrics: Pick<Metrics, 'drift'>;
  readonly log: Pick<CallLog, 'error' | 'warn'>;
  readonly now: () => number;
}

/** A watch whose alarms are a metric, a line in the log and an entry in the tenant's log. */
export function watchDrift({ record, metrics, log, now }: DriftParts): DriftWatch {
  return new DriftWatch(now, ({ tenant, facts }) => {
    metrics.drift(tenant);
    log.warn('policy_drift', { tenant });
    record({ kind: 'policy', tenant, facts, detail: {} }).catch((error: unknown) => log.error('policy_drift', error));
  });
}

/** What the policies said about a finished call, where they were asked. */
export function noteDrift(drift: DriftWatch, { tenant, decided }: Pick<CallProgress, 'tenant' | 'decided'>): void {
  if (tenant === null || decided === null) return;
  const { result } = decided;
  drift.note(tenant.id, 'outcome' in result || result.effect === 'deny');
}
