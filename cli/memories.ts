import { openMemories } from '../gateway/anchors.ts';
import type { Config } from '../gateway/config.ts';
import { createEgress } from '../gateway/egress.ts';
import type { OutsideMemory } from '../ledger/index.ts';
import type { VerbContext } from './verb.ts';

/** Runs work that asks the configured witnesses and the archive what they remember. */
export async function withMemories<T>(
  { project }: Pick<VerbContext, 'project'>,
  config: Config,
  work: (memories: readonly OutsideMemory[]) => Promise<T>,
): Promise<T> {
  const egress = createEgress();
  try {
    return await work(await openMemories(config, { egress, resolvePath: (path) => project.path(path) }));
  } finally {
    await egress.close();
  }
}
