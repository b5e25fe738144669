import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkPolicies, testPolicies } from '../../policies/testing.ts';
import { findTools, required, ROOT, withFolder } from './toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

run.each(['baseline', 'library', 'agents'])('%s: its tests pass, and they run every line of a rule', async (name) => {
  const report = await testPolicies(join(ROOT, 'policies/rego', name), required(tools));
  expect(report.problems).toEqual([]);
  expect(report.unformatted).toEqual([]);
  expect(report.tests.filter((one) => one.outcome !== 'pass')).toEqual([]);
  expect(report.uncovered).toEqual([]);
  expect(report).toMatchObject({ ok: true, failed: 0, skipped: 0, coverage: 100 });
  expect(report.passed).toBeGreaterThan(60);
});

run('a failing test is told by name, place and case', async () => {
  await withFolder(async (dir) => {
    await writeFile(
      join(dir, 'sum_test.rego'),
      'package sum_test\n\ntest_right if 1 + 1 == 2\n\ntest_wrong[note] if {\n\tsome note, n in {"two": 2, "three": 3}\n\tn == 2\n}\n',
    );
    const report = await testPolicies(dir, required(tools));
    expect(report).toMatchObject({ ok: false, passed: 1, failed: 1, coverage: null });
    const wrong = report.tests.find((one) => one.outcome === 'fail');
    expect(wrong).toMatchObject({ name: 'test_wrong', location: 'sum_test.rego:5', failedCases: ['three'] });
  });
});

run('a folder without tests proves nothing', async () => {
  await withFolder(async (dir) => {
    await writeFile(join(dir, 'a.rego'), 'package a\n\nb := 1\n');
    const report = await testPolicies(dir, required(tools));
    expect(report).toMatchObject({ ok: false, problems: ['no tests were found'] });
  });
});

run.each([
  ['a misspelt section of the input', 'package a\n\nb if input.tenat.id == "x"\n', 'tenat'],
  ['a misspelt member below a nullable section', 'package a\n\nb if input.model.regoin == "x"\n', 'regoin'],
  ['a wrong type', 'package a\n\nb if input.point == 5\n', 'match error'],
  ['an unused variable', 'package a\n\nb if {\n\tc := 1\n\tinput.point == "x"\n}\n', 'unused'],
  [
    'the network',
    'package a\n\nb := http.send({"method": "get", "url": "http://x"})\n',
    'in rule b: not in policies/compiler/capabilities.json, because it asks a network',
  ],
  ['the clock', 'package a\n\nb := time.now_ns()\n', 'time.now_ns'],
])('check reports %s', async (_what, source, word) => {
  await withFolder(async (dir) => {
    await writeFile(join(dir, 'a.rego'), source);
    const report = await checkPolicies(dir, required(tools));
    expect(report.ok).toBe(false);
    expect(report.problems.join('\n')).toContain(word);
  });
});

run('check reports files opa would format differently', async () => {
  await withFolder(async (dir) => {
    await writeFile(join(dir, 'a.rego'), 'package a\nb:=1\n');
    expect(await checkPolicies(dir, required(tools))).toMatchObject({
      ok: false,
      unformatted: ['a.rego'],
      problems: [],
    });
  });
});
