import { testPolicies, type PolicyTestReport } from '../../../policies/testing.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';
import { checkLines, folder, toolchain } from './source.ts';

async function run(context: VerbContext): Promise<Answer> {
  const report = await testPolicies(folder(context), await toolchain(context));
  return { exit: report.ok ? 0 : 1, data: report as unknown as Json, text: textOf(report) };
}

function textOf(report: PolicyTestReport): string {
  const bad = report.tests.filter(({ outcome }) => outcome === 'fail' || outcome === 'error');
  const lines = bad.flatMap(({ package: name, name: title, location, outcome, failedCases, output }) => [
    `${outcome}: ${name}.${title} (${location})${failedCases.length === 0 ? '' : `: ${failedCases.join(', ')}`}`,
    ...(output.trim() === '' ? [] : [`  ${output.trim().replaceAll('\n', '\n  ')}`]),
  ]);
  const missed = report.uncovered.map(({ file, rows }) => `  not covered: ${file} lines ${rows.join(', ')}`);
  const coverage = report.coverage === null ? '' : `, ${String(report.coverage)} % of the lines covered`;
  const counts = `${String(report.passed)} passed, ${String(report.failed)} failed, ${String(report.skipped)} skipped${coverage} (opa ${report.opa})`;
  return [...checkLines(report), ...lines, ...missed, counts].join('\n');
}

export const test: Verb = {
  path: ['policy', 'test'],
  summary: 'Runs the tests of a folder of Rego with the pinned opa; needs no database.',
  positionals: ['DIR'],
  example: 'countersign policy test policies/rego/baseline',
  run,
};
