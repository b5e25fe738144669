import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { compileBundle } from './compiler/build.ts';
import type { Toolchain } from './compiler/build.ts';
import { selectCapabilities } from './compiler/capabilities.ts';
import { findOpa, OPA_VERSION } from './compiler/opa.ts';
import { explainRefused } from './compiler/refused.ts';
import { runOpa } from './compiler/run.ts';
import type { OpaResult } from './compiler/run.ts';
import type { BundleIdentity } from './bundle.ts';
import { PolicyError } from './errors.ts';
import type { SignatureKey } from './signature.ts';

/**
 * What `policy test`, `policy check` and `policy build` do: the official opa run on a folder of Rego. Nothing here needs
 * a database or a running gateway, and the gateway never loads this file.
 */
export { findOpa, OPA_VERSION, PolicyError };
export type { Toolchain };

export interface ToolchainOptions {
  /** The project's root folder, which holds policies/compiler and policies/schema. */
  readonly root: string;
  readonly log: (line: string) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Finds or builds opa and the files that go with it. Throws PolicyError as findOpa does. */
export async function policyToolchain({ root, log, env }: ToolchainOptions): Promise<Toolchain> {
  const compilerDir = join(root, 'policies', 'compiler');
  return {
    opa: await findOpa({ compilerDir, log, ...(env === undefined ? {} : { env }) }),
    capabilities: join(compilerDir, 'capabilities.json'),
    goSum: join(compilerDir, 'go.sum'),
    inputSchema: join(root, 'policies', 'schema', 'input.schema.json'),
  };
}

export interface PolicyTestResult {
  readonly package: string;
  readonly name: string;
  /** file:row */
  readonly location: string;
  readonly outcome: 'pass' | 'fail' | 'error' | 'skip';
  readonly durationUs: number;
  /** Cases of a parameterised test that failed. */
  readonly failedCases: readonly string[];
  /** What the test printed. */
  readonly output: string;
}

export interface PolicyCheckReport {
  readonly ok: boolean;
  /** Files `opa fmt` would change. */
  readonly unformatted: readonly string[];
  /** opa's report of `check --strict` against capabilities and input schema; empty when clean. */
  readonly problems: readonly string[];
}

export interface PolicyTestReport extends PolicyCheckReport {
  readonly opa: string;
  readonly tests: readonly PolicyTestResult[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Percent of the lines of rules that tests ran, test files left out; null when the tests could not run. */
  readonly coverage: number | null;
  readonly uncovered: readonly { readonly file: string; readonly rows: readonly number[] }[];
}

/** Formatting and strict compilation of every .rego below `dir`. */
export async function checkPolicies(dir: string, tools: Toolchain): Promise<PolicyCheckReport> {
  await requireFolder(dir);
  const formatted = await runOpa(tools.opa, ['fmt', '--list', '--fail', '.'], dir);
  const checked = await withCheckSchema(tools, (schema) =>
    runOpa(
      tools.opa,
      ['check', '--bundle', '--strict', '--capabilities', tools.capabilities, '--schema', schema, '.'],
      dir,
    ),
  );
  const unformatted = formatted.stdout.split('\n').filter((line) => line.endsWith('.rego'));
  const problems = checked.exit === 0 ? [] : await explainRefused(lines(checked.stderr), resolve(dir));
  return { ok: formatted.exit === 0 && checked.exit === 0, unformatted, problems };
}

/**
 * Runs `opa test` on a folder after the checks above. A folder without tests is a failure, since it proves nothing.
 * Throws PolicyError `compiler_failed` when opa itself cannot run.
 */
export async function testPolicies(dir: string, tools: Toolchain): Promise<PolicyTestReport> {
  const check = await checkPolicies(dir, tools);
  const args = ['test', '--bundle', '--capabilities', tools.capabilities, '--format', 'json', '--explain', 'notes'];
  const run = await runOpa(tools.opa, [...args, '--verbose', '.'], dir);
  const tests = run.stdout.trimStart().startsWith('[') ? readTests(run) : [];
  const failed = tests.filter((test) => test.outcome === 'fail' || test.outcome === 'error').length;
  const coverage =
    failed === 0 && tests.length > 0 ? await readCoverage(tools, [...args, '--coverage', '.'], dir) : null;
  const problems = [...check.problems];
  if (tests.length === 0) problems.push(...(check.ok && run.exit === 0 ? ['no tests were found'] : lines(run.stderr)));
  return {
    ok: check.ok && run.exit === 0 && failed === 0 && tests.length > 0,
    unformatted: check.unformatted,
    problems: [...new Set(problems)],
    opa: OPA_VERSION,
    tests,
    passed: tests.filter((test) => test.outcome === 'pass').length,
    failed,
    skipped: tests.filter((test) => test.outcome === 'skip').length,
    coverage: coverage?.percent ?? null,
    uncovered: coverage?.uncovered ?? [],
  };
}

export interface BuildBundleOptions {
  readonly revision: string;
  /** How configuration will call the bundle. Default: the output file's name up to its first dot. */
  readonly name?: string;
  /** Absent: the bundle is not signed. */
  readonly signature?: SignatureKey;
}

/**
 * Compiles `dir` into the bundle `out` and writes `<out without .tar.gz>.json` beside it, with the digests an entry of
 * the ledger names. Both files are replaced at once or not at all. Throws PolicyError.
 */
export async function buildBundle(
  dir: string,
  out: string,
  tools: Toolchain,
  options: BuildBundleOptions,
): Promise<BundleIdentity> {
  await requireFolder(dir);
  const name = options.name ?? basename(out).replace(/\..*$/, '');
  const built = await compileBundle(dir, tools, { ...options, name });
  await mkdir(dirname(resolve(out)), { recursive: true });
  await replace(out, built.bytes);
  const description = { ...built.identity, opa: OPA_VERSION };
  await replace(`${out.replace(/\.tar\.gz$/, '')}.json`, Buffer.from(`${JSON.stringify(description, null, 2)}\n`));
  return built.identity;
}

/** The content policies/compiler/capabilities.json has to have for this opa. */
export async function capabilitiesFile(opa: string): Promise<string> {
  const current = await runOpa(opa, ['capabilities', '--current'], tmpdir());
  const report = readReport(current, z.looseObject({ builtins: z.array(z.looseObject({ name: z.string() })) }));
  return `${JSON.stringify(selectCapabilities(report), null, 2)}\n`;
}

const testRows = z.array(
  z.object({
    location: z.object({ file: z.string(), row: z.number() }),
    package: z.string(),
    name: z.string(),
    fail: z.boolean().optional(),
    skip: z.boolean().optional(),
    error: z.unknown().optional(),
    duration: z.number(),
    output: z.string().optional(),
    sub_results: z.record(z.string(), z.object({ fail: z.boolean().optional() })).optional(),
  }),
);

function readTests(run: OpaResult): PolicyTestResult[] {
  return readReport(run, testRows).map((row) => ({
    package: row.package.replace(/^data\./, ''),
    name: row.name,
    location: `${row.location.file}:${row.location.row}`,
    outcome: outcomeOf(row),
    durationUs: Math.round(row.duration / 1000),
    failedCases: Object.entries(row.sub_results ?? {}).flatMap(([name, result]) =>
      result.fail === true ? [name] : [],
    ),
    output: Buffer.from(row.output ?? '', 'base64').toString('utf8'),
  }));
}

function readReport<T>(run: OpaResult, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(run.stdout));
  } catch (cause) {
    const message = `expected a report of opa ${OPA_VERSION}, found another shape; check which opa is used`;
    throw new PolicyError('compiler_failed', message, { cause });
  }
}

function outcomeOf(row: {
  fail?: boolean | undefined;
  skip?: boolean | undefined;
  error?: unknown;
}): PolicyTestResult['outcome'] {
  if (row.error !== undefined && row.error !== null) return 'error';
  if (row.fail === true) return 'fail';
  return row.skip === true ? 'skip' : 'pass';
}

const ranges = z.array(z.object({ start: z.object({ row: z.number() }), end: z.object({ row: z.number() }) }));
const coverageReport = z.object({
  files: z.record(z.string(), z.object({ covered: ranges.optional(), not_covered: ranges.optional() })),
});

/** opa counts test files too; they cover themselves and would flatter the figure. */
async function readCoverage(
  tools: Toolchain,
  args: readonly string[],
  dir: string,
): Promise<{ percent: number; uncovered: { file: string; rows: number[] }[] }> {
  const run = await runOpa(tools.opa, args, dir);
  const { files: reported } = readReport(run, coverageReport);
  const files = Object.entries(reported).filter(([file]) => !file.endsWith('_test.rego'));
  const uncovered = files
    .map(([file, report]) => ({ file, rows: rowsOf(report.not_covered ?? []) }))
    .filter((file) => file.rows.length > 0);
  const missed = uncovered.reduce((total, file) => total + file.rows.length, 0);
  const covered = files.reduce((total, [, report]) => total + rowsOf(report.covered ?? []).length, 0);
  return { percent: Math.round((1000 * covered) / Math.max(1, covered + missed)) / 10, uncovered };
}

function rowsOf(list: z.infer<typeof ranges>): number[] {
  const rows = list.flatMap(({ start, end }) =>
    Array.from({ length: end.row - start.row + 1 }, (_, i) => start.row + i),
  );
  return [...new Set(rows)].toSorted((a, b) => a - b);
}

/**
 * opa's type checker takes "object or null" for anything at all. A reference into null is undefined anyway, so for the
 * check the null is left out of such pairs and misspelt fields below them are found too.
 */
async function withCheckSchema<T>(tools: Toolchain, use: (path: string) => Promise<T>): Promise<T> {
  const work = await mkdtemp(join(tmpdir(), 'countersign-check-'));
  try {
    const path = join(work, 'input.json');
    const schema: unknown = JSON.parse(await readFile(tools.inputSchema, 'utf8'));
    await writeFile(path, JSON.stringify(withoutNullableObjects(schema)));
    return await use(path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function withoutNullableObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNullableObjects);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('anyOf' in schema && Array.isArray(schema.anyOf)) {
    const object = (schema.anyOf as readonly unknown[]).find(isObjectSchema);
    if (object !== undefined && schema.anyOf.length === 2) return withoutNullableObjects(object);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutNullableObjects(value)]));
}

function isObjectSchema(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'properties' in schema;
}

async function requireFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => null);
  if (found?.isDirectory() === true) return;
  throw new PolicyError(
    'compiler_failed',
    `expected a folder of Rego at ${dir}, found ${found === null ? 'nothing' : 'a file'}`,
  );
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
