import { readFile } from 'node:fs/promises';
import { bundleFiles } from '../../../gateway/config.ts';
import { loadBundle } from '../../../policies/index.ts';
import { shippedBundles } from '../../project.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';

/** What the configuration would serve with, read from the bundles themselves; neither database nor compiler is needed. */
async function run({ project }: VerbContext): Promise<Answer> {
  const config = project.config();
  const files = bundleFiles(config, {
    shippedBundles: shippedBundles(project),
    resolvePath: (path) => project.path(path),
  });
  const bundles = await Promise.all(
    [...files].map(async ([name, path]) => loadBundle(await readFile(path), name).identity),
  );
  const tenants = [...config.tenants.values()].map(({ id, policies }) => ({ id, policies }));
  const lines = bundles.map(({ name, revision, digest }) => `${name}  ${revision}  ${digest}`);
  return {
    exit: 0,
    data: { bundles: bundles.map((bundle) => ({ ...bundle })), tenants },
    text: [...lines, ...tenants.map(({ id, policies }) => `tenant ${id}: ${policies.join(', ')}`), RELEASES].join('\n'),
  };
}

/** Releases are in the database, which is not asked here. */
const RELEASES =
  'That is what the configuration names; what was released over it: countersign policy report --tenant ID';

export const status: Verb = {
  path: ['policy', 'status'],
  summary: 'Shows the bundles the configuration uses, with their digests, and which tenant has which.',
  example: 'countersign policy status --json',
  details: 'What "policy activate" released over the configuration, "policy report" shows.',
  run,
};
