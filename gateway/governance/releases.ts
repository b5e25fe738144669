/** What releases make of a configuration: which bundles decide for each tenant, and which are only tried beside them. */
import type { Bundle } from '../../policies/index.ts';
import type { Config, Tenant } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { Release } from './change.ts';
import type { GovernanceState } from './state.ts';
import { stateOf } from './state.ts';

export interface ReleaseSource {
  readonly state: () => GovernanceState;
  /** A stored bundle by its digest; null when it is not there. */
  readonly find: (digest: string, name: string) => Promise<Bundle | null>;
}

/** Bundles that are tried beside the active ones. */
export interface Shadow {
  /** As the active list of the tenant, with the candidates in their places. */
  readonly policies: readonly string[];
  readonly candidates: readonly Release[];
}

export interface Released {
  readonly tenants: ReadonlyMap<string, Tenant>;
  readonly shadows: ReadonlyMap<string, Shadow>;
  /** Every released bundle that is used, loaded. */
  readonly bundles: readonly Bundle[];
}

/** @throws GatewayError `conflict` when a released bundle is not stored */
export async function applyReleases(config: Config, source: ReleaseSource | null): Promise<Released> {
  if (source === null) return { tenants: config.tenants, shadows: new Map(), bundles: [] };
  const state = source.state();
  const tenants = new Map<string, Tenant>();
  const shadows = new Map<string, Shadow>();
  const used = new Map<string, Release>();
  for (const tenant of config.tenants.values()) {
    const { releases, shadows: tried } = stateOf(state, tenant.id);
    const policies = replaced(tenant.policies, releases);
    tenants.set(tenant.id, releases.size === 0 ? tenant : { ...tenant, policies });
    if (tried.size > 0) {
      shadows.set(tenant.id, { policies: replaced(policies, tried), candidates: [...tried.values()] });
    }
    for (const release of [...releases.values(), ...tried.values()]) used.set(installedName(release), release);
  }
  const bundles = await Promise.all([...used].map(([name, release]) => load(source, name, release)));
  return { tenants, shadows, bundles };
}

/** What a released version is called in lists of policies. */
function installedName({ bundle, digest }: Release): string {
  return `${bundle}@${digest}`;
}

/** Each release in the place of its bundle, at the end when the list did not have it. */
function replaced(policies: readonly string[], releases: ReadonlyMap<string, Release>): string[] {
  const left = new Map(releases);
  const list = policies.map((name) => {
    const bundle = name.split('@', 1)[0] ?? name;
    const release = left.get(bundle);
    left.delete(bundle);
    return release === undefined ? name : installedName(release);
  });
  return [...list, ...[...left.values()].map(installedName)];
}

async function load({ find }: ReleaseSource, installedAs: string, { bundle, digest }: Release): Promise<Bundle> {
  const found = await find(digest, bundle);
  if (found !== null) return { ...found, installedAs };
  throw new GatewayError(
    'conflict',
    `Expected the released bundle ${bundle} ${digest} in the policy store, found none. Restore the table policy.store from a backup.`,
  );
}
