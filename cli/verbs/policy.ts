import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  buildBundle,
  checkPolicies,
  policyToolchain,
  testPolicies,
  type PolicyCheckReport,
  type PolicyTestReport,
  type Toolchain,
} from '../../policies/testing.ts';
import { loadBundle } from '../../policies/index.ts';
import { SHIPPED_BUNDLE } from '../../gateway/config.ts';
import { shippedBundle } from '../project.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

function toolchain({ project, out, env }: VerbContext): Promise<Toolchain> {
  return policyToolchain({ root: project.root, log: out.note, env });
}

function folder({ args }: VerbContext): string {
  return resolve(args.positionals[0] ?? '.');
}

async function test(context: VerbContext): Promise<Answer> {
  const report = await testPolicies(folder(context), await toolchain(context));
  return { exit: report.ok ? 0 : 1, data: report as unknown as Json, text: testText(report) };
}

function testText(report: PolicyTestReport): string {
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

function checkLines({ unformatted, problems }: PolicyCheckReport): string[] {
  return [...unformatted.map((file) => `not formatted: ${file} (run opa fmt --write)`), ...problems];
}

async function check(context: VerbContext): Promise<Answer> {
  const report = await checkPolicies(folder(context), await toolchain(context));
  const text = report.ok ? `${folder(context)} is formatted and compiles.` : checkLines(report).join('\n');
  return { exit: report.ok ? 0 : 1, data: report as unknown as Json, text };
}

async function build(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const out = resolve(args.required('out'));
  const options = {
    revision: args.required('revision'),
    ...(args.text('name') === null ? {} : { name: args.text('name') ?? '' }),
  };
  const identity = await buildBundle(folder(context), out, await toolchain(context), options);
  return {
    exit: 0,
    data: { out, ...identity },
    text: `${out}: ${identity.name} ${identity.revision}, digest ${identity.digest}`,
  };
}

/** What the configuration would serve with, read from the bundles themselves; neither database nor compiler is needed. */
async function status({ project }: VerbContext): Promise<Answer> {
  const config = project.config();
  const files = new Map([
    [SHIPPED_BUNDLE, shippedBundle(project)],
    ...[...config.bundles].map(([name, path]) => [name, project.path(path)] as const),
  ]);
  const bundles = await Promise.all(
    [...files].map(async ([name, path]) => loadBundle(await readFile(path), name).identity),
  );
  const tenants = [...config.tenants.values()].map(({ id, policies }) => ({ id, policies }));
  const lines = bundles.map(({ name, revision, digest }) => `${name}  ${revision}  ${digest}`);
  return {
    exit: 0,
    data: { bundles: bundles.map((bundle) => ({ ...bundle })), tenants },
    text: [...lines, ...tenants.map(({ id, policies }) => `tenant ${id}: ${policies.join(', ')}`)].join('\n'),
  };
}

export const verbs: readonly Verb[] = [
  {
    path: ['policy', 'test'],
    summary: 'Runs the tests of a folder of Rego with the pinned opa; needs no database.',
    positionals: ['DIR'],
    example: 'countersign policy test policies/rego',
    run: test,
  },
  {
    path: ['policy', 'check'],
    summary: 'Checks formatting, types and the built-ins used by a folder of Rego.',
    positionals: ['DIR'],
    example: 'countersign policy check policies/rego',
    run: check,
  },
  {
    path: ['policy', 'build'],
    summary: 'Compiles a folder of Rego into a bundle the gateway can load.',
    positionals: ['DIR'],
    options: {
      out: { value: 'FILE', help: 'The bundle, ending in .tar.gz; its digests are written beside it.', required: true },
      revision: { value: 'TEXT', help: 'Names this version in every decision, e.g. a commit.', required: true },
      name: { value: 'NAME', help: "Default: the file's name up to its first dot." },
    },
    example: 'countersign policy build ./my-rego --out ./my-policies.tar.gz --revision 2026-11-21',
    run: build,
  },
  {
    path: ['policy', 'status'],
    summary: 'Shows the bundles the configuration uses, with their digests, and which tenant has which.',
    example: 'countersign policy status --json',
    run: status,
  },
];
