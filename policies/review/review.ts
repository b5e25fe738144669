import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ENTRYPOINT } from '../bundle.ts';
import type { Bundle, BundleIdentity } from '../bundle.ts';
import type { Toolchain } from '../compiler/build.ts';
import { sortedJson } from '../sorted-json.ts';
import { testPolicies } from '../testing.ts';
import type { PolicyTestReport } from '../testing.ts';
import { compareGenerated } from './generated.ts';
import type { GeneratedReport } from './generated.ts';
import { runMutants } from './kill.ts';
import type { MutationReport } from './kill.ts';
import { mutantsOf } from './mutants.ts';
import type { BundleChange, ReplayReport } from './replay.ts';
import { compareRules } from './semantic.ts';
import type { SemanticDiff } from './semantic.ts';
import { NO_BASE, openBase, openFolder } from './sides.ts';
import type { Side } from './sides.ts';
import { compareSurvivors, readSurvivors } from './survivors.ts';
import type { Survival } from './survivors.ts';
import { isTest, ruleName } from './syntax.ts';

/** Something that was not done, and why. */
export interface NotDone {
  readonly notDone: string;
}

/** A part of one log as the replay read it. */
export interface ReplayedRange {
  readonly tenant: string;
  readonly log: string;
  readonly from: number;
  readonly entries: number;
  readonly head: string | null;
  readonly problem: string | null;
}

export interface ReplayPart extends ReplayReport {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ranges: readonly ReplayedRange[];
}

/** All that a reviewer is told about a change. Its JSON is what a release names by digest. */
export interface Review {
  readonly version: 1;
  readonly madeMs: number;
  readonly name: string;
  readonly base: { readonly label: string; readonly identity: BundleIdentity };
  readonly head: { readonly label: string; readonly identity: BundleIdentity };
  readonly rules: SemanticDiff;
  /** Members of data.json that differ. */
  readonly data: readonly string[];
  readonly tests: Pick<
    PolicyTestReport,
    'ok' | 'passed' | 'failed' | 'skipped' | 'coverage' | 'uncovered' | 'problems' | 'unformatted'
  > & {
    /** Names of tests; null when the base came without tests. */
    readonly added: readonly string[] | null;
    readonly removed: readonly string[] | null;
    readonly failures: readonly string[];
  };
  readonly generated: GeneratedReport;
  readonly mutants: (MutationReport & Survival & { readonly of: 'changed' | 'all' }) | NotDone;
  readonly replay: ReplayPart | NotDone;
}

export interface ReviewOptions {
  readonly base: string;
  readonly head: string;
  readonly name: string;
  readonly tools: Toolchain;
  readonly inputs: number;
  readonly seed: number;
  readonly mutants: 'changed' | 'all' | 'none';
  readonly nowMs: number;
  /** Says what is being done. */
  readonly note: (line: string) => void;
  /** Replays recorded calls with these two bundles; where they come from is the caller's. */
  readonly replay: (change: BundleChange) => Promise<ReplayPart | NotDone>;
}

/** Throws PolicyError when either side cannot be read or compiled. */
export async function reviewChange(options: ReviewOptions): Promise<Review> {
  const work = await mkdtemp(join(tmpdir(), 'countersign-review-'));
  try {
    const { name, tools, note } = options;
    const headDir = resolve(options.head);
    const head = await openFolder(options.head, headDir, name, tools);
    const base = await openBase(options.base, headDir, work, name, tools);
    const rules = withoutEntryPoint(compareRules(base.files, head.files));
    note(`rules that differ: ${String(rules.changes.length)}; running the tests`);
    const tests = testPart(base, head, await testPolicies(headDir, tools));
    note(`comparing ${String(options.inputs)} generated inputs`);
    const generated = await compareGenerated({
      base: base.bundle,
      head: head.bundle,
      files: [...base.files, ...head.files],
      inputs: options.inputs,
      seed: options.seed,
    });
    return {
      version: 1,
      madeMs: options.nowMs,
      name,
      base: { label: base.label, identity: base.bundle.identity },
      head: { label: head.label, identity: head.bundle.identity },
      rules,
      data: changedMembers(base.bundle.data, head.bundle.data),
      tests,
      generated,
      mutants: await mutantPart(head, rules, options, tests.failed > 0 || !tests.ok),
      replay: await options.replay({ base: base.bundle, head: head.bundle, joins: options.base === NO_BASE }),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** opa leaves the entry point's own source out of a packed bundle: there it seems to be added. */
function withoutEntryPoint(diff: SemanticDiff): SemanticDiff {
  const name = `data.${ENTRYPOINT.replaceAll('/', '.')}`;
  return { ...diff, changes: diff.changes.filter((change) => change.kind !== 'added' || change.name !== name) };
}

function testPart(base: Side, head: Side, report: PolicyTestReport): Review['tests'] {
  const [before, after] = [testNames(base), testNames(head)];
  const { ok, passed, failed, skipped, coverage, uncovered, problems, unformatted } = report;
  const bad = report.tests.filter(({ outcome }) => outcome === 'fail' || outcome === 'error');
  return {
    ok,
    passed,
    failed,
    skipped,
    coverage,
    uncovered,
    problems,
    unformatted,
    added: before.size === 0 ? null : [...after].filter((test) => !before.has(test)),
    removed: before.size === 0 ? null : [...before].filter((test) => !after.has(test)),
    failures: bad.map(({ package: path, name, location }) => `${path}.${name} (${location})`),
  };
}

function testNames({ files }: Side): Set<string> {
  const names = files.filter(isTest).flatMap((file) => file.rules.map((rule) => ruleName(file, rule)));
  return new Set(names.filter((name) => /\.(test|todo)_[^.]*$/.test(name)));
}

function changedMembers(before: Bundle['data'], after: Bundle['data']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.filter((name) => sortedJson(before[name] ?? null) !== sortedJson(after[name] ?? null));
}

async function mutantPart(
  head: Side,
  { changes }: SemanticDiff,
  { mutants: of, tools, note }: ReviewOptions,
  failing: boolean,
): Promise<Review['mutants']> {
  if (of === 'none') return { notDone: 'not asked for' };
  if (failing) return { notDone: 'the tests fail, so they would seem to notice every mutant' };
  const changed = new Set(changes.map(({ name }) => name));
  const mutants = head.files.flatMap(mutantsOf).filter(({ rule }) => of === 'all' || changed.has(rule));
  note(`trying ${String(mutants.length)} mutants`);
  const report = await runMutants(head.dir, head.files, mutants, tools);
  const ids = new Set(mutants.map(({ id }) => id));
  const known = (await readSurvivors(head.dir)).filter(({ mutant }) => of === 'all' || ids.has(mutant));
  return { ...report, ...compareSurvivors(report, known), of };
}
