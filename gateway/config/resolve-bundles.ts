/** The part of the configuration about policy bundles: names that belong to the product, and those used before. */
import { join } from 'node:path';
import { SHIPPED_BUNDLE, SHIPPED_BUNDLES } from './bundles.ts';
import { normaliseEndpoint } from './endpoint.ts';
import type { Report } from './problem.ts';
import type { ConfigFile } from './schema.ts';
import type { Config } from './types.ts';

/** Where the last good bundle of a service is kept, beside the configuration. */
const KEPT = join('.countersign', 'bundles');

export function resolveBundles(
  { policies }: ConfigFile,
  report: Report,
): Pick<Config, 'bundles' | 'bundleServices' | 'bundleSignatures'> {
  const { bundles, services, signatures } = policies;
  for (const [kind, named] of Object.entries({ bundles, services })) {
    for (const name of Object.keys(named)) {
      if (SHIPPED_BUNDLES.includes(name))
        report(['policies', kind, name], 'another name', 'the name of a shipped bundle');
    }
  }
  for (const name of Object.keys(services)) {
    if (Object.hasOwn(bundles, name)) report(['policies', 'services', name], 'a name used once', 'a name in bundles');
  }
  for (const name of Object.keys(signatures)) {
    const known = Object.hasOwn(bundles, name) || Object.hasOwn(services, name);
    if (!known) report(['policies', 'signatures', name], 'a name in bundles or services', 'an unknown bundle');
  }
  return {
    bundles: new Map([
      ...Object.entries(bundles),
      ...Object.keys(services).map((name) => [name, join(KEPT, `${name}.tar.gz`)] as const),
    ]),
    bundleServices: Object.entries(services).map(([name, service]) => ({
      name,
      url: normaliseEndpoint(service.url),
      token: service.token ?? null,
      waitSeconds: service.wait_s,
      pollMs: service.poll_ms,
    })),
    bundleSignatures: new Map(
      Object.entries(signatures).map(([name, { key_id, algorithm, key_file, scope }]) => [
        name,
        { keyId: key_id, algorithm, keyFile: key_file, scope: scope ?? '' },
      ]),
    ),
  };
}

/** The policies a tenant names exist, and none that only adds to the baseline stands without it. */
export function checkTenantPolicies(file: ConfigFile, index: number, report: Report): void {
  const policies = file.tenants[index]?.policies ?? [];
  const known = [...SHIPPED_BUNDLES, ...Object.keys(file.policies.bundles), ...Object.keys(file.policies.services)];
  for (const [at, bundle] of policies.entries()) {
    if (known.includes(bundle)) continue;
    const expected = `${SHIPPED_BUNDLES.join(', ')} or a name in policies.bundles or policies.services`;
    report(['tenants', index, 'policies', at], expected, 'an unknown bundle');
  }
  const additions = policies.filter((name) => name !== SHIPPED_BUNDLE && SHIPPED_BUNDLES.includes(name));
  if (additions.length > 0 && !policies.includes(SHIPPED_BUNDLE)) {
    const expected = `${SHIPPED_BUNDLE} as well, beside ${additions.join(', ')}`;
    report(['tenants', index, 'policies'], expected, `a list without ${SHIPPED_BUNDLE}`);
  }
}
