/** The rules of a tenant's policies: those the configuration names, and what was released over them. */
import { readFile } from 'node:fs/promises';
import { bundleFiles } from '../gateway/config.ts';
import { tenantState, type GovernanceStore } from '../gateway/governance/desk.ts';
import { findBundle, loadBundle, type Bundle, type RuleMetadata } from '../policies/index.ts';
import { shippedBundles } from './project.ts';
import type { VerbContext } from './verb.ts';

/** By policy; null when one of them comes from a service or cannot be read here. */
export async function tenantRules(
  { project }: VerbContext,
  desk: GovernanceStore,
  tenant: string,
): Promise<readonly (readonly RuleMetadata[])[] | null> {
  const config = project.config();
  const places = { shippedBundles: shippedBundles(project), resolvePath: (path: string) => project.path(path) };
  const files = bundleFiles(config, places);
  const { releases } = await tenantState(desk, tenant);
  const released = new Map([...releases.values()].map(({ bundle, digest }) => [bundle, digest]));
  const names = new Set([...(config.tenants.get(tenant)?.policies ?? []), ...released.keys()]);
  const bundles = await Promise.all(
    [...names].map((name) => {
      const digest = released.get(name);
      return digest === undefined ? readBundle(files.get(name), name) : findBundle(desk.sql, digest, name);
    }),
  );
  const read = bundles.filter((bundle) => bundle !== null);
  return read.length < bundles.length ? null : read.map(({ rules }) => rules);
}

async function readBundle(path: string | undefined, name: string): Promise<Bundle | null> {
  try {
    return path === undefined ? null : loadBundle(await readFile(path), name);
  } catch {
    return null;
  }
}
