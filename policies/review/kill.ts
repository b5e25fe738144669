import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Toolchain } from '../compiler/build.ts';
import { runOpa } from '../compiler/run.ts';
import { applyMutant } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import type { RegoFile } from './syntax.ts';

/** Runs a folder's tests against mutants of its rules. */

export interface MutationReport {
  readonly mutants: number;
  readonly killed: number;
  /** Mutants opa refuses to compile: nobody could release them. */
  readonly invalid: number;
  readonly survivors: readonly Mutant[];
}

type Fate = 'killed' | 'survived' | 'invalid';

/** What `opa test` exits with when a test failed, and when the sources do not compile. */
const TESTS_FAILED = 2;

/** Each mutant by itself, in a copy of the folder. `onProgress` hears of every one. Throws PolicyError when opa cannot run. */
export async function runMutants(
  dir: string,
  files: readonly RegoFile[],
  mutants: readonly Mutant[],
  tools: Toolchain,
  onProgress: (done: number) => void = () => undefined,
): Promise<MutationReport> {
  const sources = new Map(files.map(({ path, source }) => [path, source]));
  const queue = mutants.values();
  const fates = new Map<Mutant, Fate>();
  const work = async (): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-mutants-'));
    try {
      await cp(dir, folder, { recursive: true });
      for (const mutant of queue) {
        fates.set(mutant, await tryMutant(folder, sources.get(mutant.file) ?? '', mutant, tools));
        onProgress(fates.size);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, work));
  const count = (fate: Fate): number => [...fates.values()].filter((one) => one === fate).length;
  return {
    mutants: mutants.length,
    killed: count('killed'),
    invalid: count('invalid'),
    survivors: mutants.filter((mutant) => fates.get(mutant) === 'survived'),
  };
}

async function tryMutant(folder: string, source: string, mutant: Mutant, tools: Toolchain): Promise<Fate> {
  const path = join(folder, mutant.file);
  await writeFile(path, applyMutant(source, mutant));
  try {
    const args = ['test', '--bundle', '--capabilities', tools.capabilities, '--format', 'json', '.'];
    const { exit } = await runOpa(tools.opa, args, folder);
    if (exit === 0) return 'survived';
    return exit === TESTS_FAILED ? 'killed' : 'invalid';
  } finally {
    await writeFile(path, source);
  }
}
