/** The compiled policies a configuration serves with: those that come with the package, and those it names itself. */
import { join } from 'node:path';
import type { Config } from './types.ts';

/** Decides at every point, for the deployment itself too. */
export const SHIPPED_BUNDLE = 'baseline';

/** Bundles that come with the package. Those beside the baseline only add restrictions to it. */
export const SHIPPED_BUNDLES: readonly string[] = [SHIPPED_BUNDLE, 'library', 'agents'];

export interface BundlePlaces {
  /** The folder of the bundles that come with the package. */
  readonly shippedBundles: string;
  /** Makes a path of the configuration absolute. */
  readonly resolvePath: (path: string) => string;
}

/** Bundle name to absolute file: the baseline, the shipped bundles a tenant names, and all that the configuration lists. */
export function bundleFiles(config: Config, { shippedBundles, resolvePath }: BundlePlaces): Map<string, string> {
  const named = new Set([SHIPPED_BUNDLE, ...[...config.tenants.values()].flatMap((tenant) => tenant.policies)]);
  const shipped = SHIPPED_BUNDLES.filter((name) => named.has(name));
  return new Map([
    ...shipped.map((name) => [name, join(shippedBundles, `${name}.tar.gz`)] as const),
    ...[...config.bundles].map(([name, path]) => [name, resolvePath(path)] as const),
  ]);
}
