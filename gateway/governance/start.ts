/** Opens the governance of one process, before the policies it decides with are built. */
import type { Sql } from 'postgres';
import type { KeyRing, Ledger } from '../../ledger/index.ts';
import { findBundle } from '../../policies/index.ts';
import type { CurrentOptions } from '../current.ts';
import type { CallLog } from '../log.ts';
import type { Governance } from './governance.ts';
import { openGovernance } from './governance.ts';

export interface GovernanceParts {
  readonly sql: Sql;
  readonly keys: KeyRing;
  readonly ledger: Pick<Ledger, 'countRefused'>;
  readonly options: CurrentOptions;
  readonly log: Pick<CallLog, 'error'>;
  readonly now: () => number;
  readonly clock: () => number;
}

export async function startGovernance(
  parts: GovernanceParts,
): Promise<{ readonly governance: Governance; readonly currentOptions: CurrentOptions }> {
  const { sql, keys, ledger, options, log, now, clock } = parts;
  const governance = await openGovernance({
    sql,
    keys,
    now,
    clock,
    onError: (error) => log.error('governance', error),
    // As a key that cannot be checked: the gap entry counts who was turned away.
    onStale: () => ledger.countRefused(),
  });
  const { shippedBundles, resolvePath } = options;
  const releases = {
    state: () => governance.state,
    find: (digest: string, name: string) => findBundle(sql, digest, name),
  };
  return { governance, currentOptions: { shippedBundles, resolvePath, releases } };
}
