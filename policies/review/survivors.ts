import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PolicyError } from '../errors.ts';
import type { MutationReport } from './kill.ts';

/** Mutants a folder's tests are known to let live, each with the reason, in `survivors.json` beside the rules. */

const SURVIVORS_FILE = 'survivors.json';

const survivors = z.array(z.strictObject({ mutant: z.string().min(1), reason: z.string().min(10) }));
export type KnownSurvivors = z.infer<typeof survivors>;

/** An empty list when there is no file. Throws PolicyError `invalid_parameters` for one of another form. */
export async function readSurvivors(dir: string): Promise<KnownSurvivors> {
  let text: string;
  try {
    text = await readFile(join(dir, SURVIVORS_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  try {
    return survivors.parse(JSON.parse(text));
  } catch (cause) {
    const expected = 'expected a list of {"mutant": "<id>", "reason": "<why it may live>"}, found another form';
    throw new PolicyError('invalid_parameters', `${join(dir, SURVIVORS_FILE)}: ${expected}`, { cause });
  }
}

export interface Survival {
  /** Lives, and nobody has said why it may. */
  readonly unexplained: readonly string[];
  /** Listed, and no longer alive or no longer there: to be taken off the list. */
  readonly stale: readonly string[];
}

export function compareSurvivors({ survivors: alive }: MutationReport, known: KnownSurvivors): Survival {
  const living = new Set(alive.map(({ id }) => id));
  const listed = new Set(known.map(({ mutant }) => mutant));
  return {
    unexplained: [...living].filter((id) => !listed.has(id)),
    stale: [...listed].filter((id) => !living.has(id)),
  };
}
