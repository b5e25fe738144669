/** Builds what one configuration determines. All or nothing: it throws before anything of a running gateway is replaced. */
import { createPriceBook, priceProvider } from '../costs/index.ts';
import { createPdp } from '../policies/index.ts';
import { clientAddressBehind } from './access/source.ts';
import { fetchMissingBundles } from './bundle-fetch.ts';
import { loadBundles } from './bundle-source.ts';
import type { BundlePlaces, Config } from './config.ts';
import { configDigest } from './config.ts';
import { applyReleases } from './governance/releases.ts';
import type { ReleaseSource } from './governance/releases.ts';
import type { Current } from './services.ts';

export interface CurrentOptions extends BundlePlaces {
  /** Absent: nothing can be released, the configuration alone counts. */
  readonly releases?: ReleaseSource;
}

export async function buildCurrent(configured: Config, options: CurrentOptions): Promise<Current> {
  const released = await applyReleases(configured, options.releases ?? null);
  const config = { ...configured, tenants: released.tenants };
  await fetchMissingBundles(config, options);
  const bundles = [...(await loadBundles(config, options)), ...released.bundles];
  const pdp = await createPdp({ bundles, tenantData: tenantData(config) });
  return {
    config,
    configured,
    shadows: released.shadows,
    configDigest: configDigest(config),
    pdp,
    prices: createPriceBook({ overrides: config.priceOverrides, providers: pricedProviders(config) }),
    addressOf: clientAddressBehind(config.trustedProxies),
    bundles: new Map([...config.tenants.values()].map((tenant) => [tenant.id, pdp.identities(tenant.policies)])),
  };
}

function tenantData(config: Config): Record<string, Config['printable']> {
  return Object.fromEntries([...config.tenants.values()].map((tenant) => [tenant.id, { ...tenant.parameters }]));
}

function pricedProviders(config: Config): Map<string, string | null> {
  return new Map(
    [...config.deployments.values()].map((deployment) => [deployment.provider, priceProvider(deployment)]),
  );
}
