import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyMutant, mutantsOf } from '../../../policies/review/mutants.ts';
import { parseFolder, runMutants } from '../../../policies/reviewing.ts';
import { findTools, required, ROOT } from '../toolchain.ts';

/** A committed folder whose tests are weak: which mutants they let live is written down, and no other may. */
const tools = await findTools();
const run = test.skipIf(tools === null);
const WEAK = join(ROOT, 'test/policies/weak');
const survivors = JSON.parse(readFileSync(join(WEAK, 'expected-survivors.json'), 'utf8')) as string[];

run(
  'the weak tests let exactly the mutants live that the fixture names',
  async () => {
    const found = required(tools);
    const files = await parseFolder(found.opa, WEAK);
    const mutants = files.flatMap(mutantsOf);
    expect(new Set(mutants.map(({ operator }) => operator)).size).toBe(4);
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    const report = await runMutants(WEAK, files, mutants, found);
    expect(report.survivors.map(({ id }) => id)).toEqual(survivors);
    expect(report.killed + report.invalid + report.survivors.length).toBe(mutants.length);
    expect(report.killed).toBeGreaterThan(0);
  },
  300_000,
);

run('a mutant changes what it says, where it says, and nothing else', async () => {
  const files = await parseFolder(required(tools).opa, join(ROOT, 'policies/rego/baseline'));
  const mutants = files.flatMap(mutantsOf);
  expect(mutants.length).toBeGreaterThan(200);
  for (const mutant of mutants) {
    const source = files.find(({ path }) => path === mutant.file)?.source ?? '';
    const changed = applyMutant(source, mutant);
    expect(source.slice(mutant.start, mutant.end)).toBe(mutant.before);
    expect(source.slice(0, mutant.start).split('\n')).toHaveLength(mutant.row);
    expect(changed).toBe(source.slice(0, mutant.start) + mutant.after + source.slice(mutant.end));
    expect(changed).not.toBe(source);
  }
});
