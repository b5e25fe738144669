import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { runProgram } from './process.js';

/** What is checked before the tests run: package.json names the first two, so that they can be run alone as well. */
function checks(root) {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [
    ['types', scripts.typecheck],
    ['lint', scripts.lint],
    ['format', 'prettier --check --log-level warn .'],
    ['unused code', 'knip --no-progress'],
  ];
}

/** A test is only skipped because a tool is missing; where somebody relies on the result that is a failure. */
function skipsFail() {
  const { CI, COUNTERSIGN_NO_SKIP } = process.env;
  return (CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0') || COUNTERSIGN_NO_SKIP === '1';
}

/**
 * Checks and tests. With arguments only the tests they name, without the checks.
 * @param {string} root
 * @param {readonly string[]} args for vitest: files or folders, or options
 * @param {(line: string) => void} say
 * @returns {Promise<number>} exit status
 */
export async function runTests(root, args, say) {
  const started = Date.now();
  const env = { ...process.env, PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH };
  const failedChecks = args.length === 0 ? await runChecks(root, env, say) : [];
  const result = await runVitest(root, env, args);
  const skipped = result.tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  for (const test of skipped) say(`skipped: ${test.file} > ${test.name}`);
  const blocked = skipped.length > 0 && skipsFail();
  if (blocked) say('Skipped tests count as failed here: provide what they miss, or unset CI and COUNTERSIGN_NO_SKIP.');
  const ok = failedChecks.length === 0 && result.status === 0 && !blocked;
  report({
    ok,
    partial: args.length > 0,
    failedChecks,
    result,
    skipped,
    seconds: Math.round((Date.now() - started) / 1000),
  });
  return ok ? 0 : 1;
}

async function runChecks(root, env, say) {
  const failed = [];
  for (const [name, command] of checks(root)) {
    const started = Date.now();
    const { status, output } = await runProgram('/bin/sh', ['-c', command], { cwd: root, env });
    say(`check ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (status === 0) continue;
    failed.push(name);
    say(output.trim());
  }
  return failed;
}

async function runVitest(root, env, args) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-report-'));
  const file = join(folder, 'tests.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { status } = await runProgram('vitest', ['run', ...reporters, ...args], { cwd: root, env, show: true });
    return { status, tests: readReport(root, file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(root, file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
  return report.testResults.flatMap((suite) =>
    suite.assertionResults.map((test) => ({
      file: relative(root, suite.name),
      name: test.fullName,
      status: test.status,
    })),
  );
}

/** The last line is for machines and for eyes: `N passed, N failed, N skipped`. */
function report({ ok, partial, failedChecks, result, skipped, seconds }) {
  const count = (status) => result.tests.filter((test) => test.status === status).length;
  const failed = count('failed');
  const lines = [
    '',
    ok
      ? `${partial ? 'The tests asked for' : 'All checks and tests'} passed in ${String(seconds)} s.`
      : `FAILED after ${String(seconds)} s.`,
  ];
  if (failedChecks.length > 0) lines.push(`Failed checks: ${failedChecks.join(', ')}.`);
  if (result.status !== 0 && failed === 0) lines.push('The test run itself failed; its last lines are above.');
  lines.push(`${String(count('passed'))} passed, ${String(failed)} failed, ${String(skipped.length)} skipped`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
