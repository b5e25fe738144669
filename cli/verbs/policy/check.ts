import { checkPolicies } from '../../../policies/testing.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';
import { checkLines, folder, toolchain } from './source.ts';

async function run(context: VerbContext): Promise<Answer> {
  const report = await checkPolicies(folder(context), await toolchain(context));
  const text = report.ok ? `${folder(context)} is formatted and compiles.` : checkLines(report).join('\n');
  return { exit: report.ok ? 0 : 1, data: report as unknown as Json, text };
}

export const check: Verb = {
  path: ['policy', 'check'],
  summary: 'Checks formatting, types and the built-ins used by a folder of Rego.',
  positionals: ['DIR'],
  example: 'countersign policy check policies/rego/baseline',
  run,
};
