import { resolve } from 'node:path';
import { policyToolchain, type PolicyCheckReport, type Toolchain } from '../../../policies/testing.ts';
import { CliError } from '../../errors.ts';
import type { VerbContext } from '../../verb.ts';

/** What the verbs about a folder of Rego share. */

/** The pinned opa with what it is told to accept. Throws PolicyError when there is none. */
export function toolchain({ project, out, env }: VerbContext): Promise<Toolchain> {
  return policyToolchain({ root: project.root, log: out.note, env });
}

/** The folder named by the first word, or the current one. */
export function folder({ args }: VerbContext): string {
  return resolve(args.positionals[0] ?? '.');
}

export function checkLines({ unformatted, problems }: PolicyCheckReport): string[] {
  return [...unformatted.map((file) => `not formatted: ${file} (run opa fmt --write)`), ...problems];
}

/** A whole number of an option. @throws CliError `usage` naming `option` */
export function readWhole(option: string, text: string | null, standard: number, most: number): number {
  if (text === null) return standard;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new CliError(
    'usage',
    `${option}: expected a whole number up to ${String(most)}, found "${text.slice(0, 40)}".`,
  );
}
