import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { ENTRYPOINT } from '../bundle.ts';
import { PolicyError } from '../errors.ts';
import type { RuleMetadata } from '../fired.ts';
import { readTar } from '../tar.ts';
import type { RuleBody } from '../wasm/meter.ts';
import { runOpa } from './run.ts';

/**
 * What METADATA says about the bodies of rules, for the manifest. opa's plan (openpolicyagent.org/docs/ir) has the source
 * row of every body and the same order as the module made from it, so the n-th body of a rule in the module is the n-th
 * in the plan, and its annotations are those of that row.
 */

const LIMITS = { maxEntries: 2048, maxEntryBytes: 64 * 1024 * 1024 };
const MAX_DEPTH = 64;

interface PlannedBody {
  readonly path: string;
  readonly body: number;
  readonly file: string;
  readonly row: number;
}

/** `bodies` are those found in the module; a plan with others is a PolicyError `compiler_failed`. */
export async function readRuleMetadata(
  dir: string,
  opa: string,
  capabilities: string,
  bodies: readonly RuleBody[],
): Promise<RuleMetadata[]> {
  const planned = plannedBodies(await readPlan(dir, opa, capabilities));
  const place = ({ path, body }: { path: string; body: number }): string => `${path}#${body}`;
  if (planned.map(place).join() !== bodies.map(place).join()) {
    throw new PolicyError('compiler_failed', `expected the rules of ${dir} in its module as in its plan, found others`);
  }
  const annotations = await readAnnotations(dir, opa);
  return planned.flatMap((body) => {
    const about = annotations.get(`${body.file}:${body.row}`) ?? annotations.get(`data.${body.path}`);
    return about === undefined ? [] : [{ ...body, ...about }];
  });
}

const operand = z.looseObject({ type: z.string(), value: z.unknown() });
const statement = z.looseObject({
  type: z.string(),
  stmt: z.looseObject({
    file: z.int(),
    row: z.int(),
    target: z.unknown().optional(),
    source: z.union([operand, z.int()]).optional(),
    set: z.unknown().optional(),
    object: z.unknown().optional(),
    blocks: z.unknown().optional(),
    block: z.unknown().optional(),
  }),
});
type Statement = z.infer<typeof statement>;
const block = z.looseObject({ stmts: z.array(statement).nullable() });
const plan = z.looseObject({
  static: z.looseObject({ files: z.array(z.object({ value: z.string() })).nullish() }),
  funcs: z.looseObject({
    funcs: z.array(z.looseObject({ name: z.string(), return: z.int(), blocks: z.array(block) })).nullish(),
  }),
});
type Plan = z.infer<typeof plan>;

async function readPlan(dir: string, opa: string, capabilities: string): Promise<Plan> {
  const work = await mkdtemp(join(tmpdir(), 'countersign-plan-'));
  try {
    const out = join(work, 'plan.tar.gz');
    const args = ['build', '--bundle', '--target', 'plan', '--entrypoint', ENTRYPOINT, '--ignore', '*_test.rego'];
    const built = await runOpa(opa, [...args, '--capabilities', capabilities, '--output', out, '.'], dir);
    if (built.exit !== 0) throw new PolicyError('compiler_failed', `opa could not plan ${dir}: ${built.stderr.trim()}`);
    const files = readTar(gunzipSync(await readFile(out), { maxOutputLength: LIMITS.maxEntryBytes }), LIMITS);
    const found = files.find(({ name }) => name === 'plan.json')?.bytes ?? Buffer.from('null');
    return readShape(Buffer.from(found).toString('utf8'), plan);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function readShape<T>(json: string, schema: z.ZodType<T>): T {
  const read = schema.safeParse(JSON.parse(json));
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.join('.') ?? '';
  throw new PolicyError('compiler_failed', `expected a plan and annotations as the pinned opa writes them: ${path}`);
}

function plannedBodies({ static: { files }, funcs }: Plan): PlannedBody[] {
  return (funcs.funcs ?? []).flatMap(({ name, return: result, blocks }) => {
    const path = name.replace(/^g\d+\.data\./, '');
    const statements = blocks.flatMap(({ stmts }) => flatten(stmts ?? [], 0));
    const locals = new Set(statements.flatMap((item) => (item.stmt.target === result ? sourceOf(item) : [])));
    const ends = statements.filter((item, at) => isEnd(item, statements[at + 1], result, locals));
    return ends.map(({ stmt }, i) => ({
      path,
      body: i + 1,
      file: (files?.[stmt.file]?.value ?? '').replace(/^\//, ''),
      row: stmt.row,
    }));
  });
}

/** Statements in the order their code stands in the module. */
function flatten(statements: readonly Statement[], depth: number): Statement[] {
  if (depth > MAX_DEPTH) throw new PolicyError('compiler_failed', 'a rule is nested too deeply to be planned');
  return statements.flatMap((item) => {
    const inner = z
      .array(block)
      .safeParse(item.stmt.blocks ?? (item.stmt.block === undefined ? [] : [item.stmt.block]));
    const blocks = inner.success ? inner.data : [];
    return [item, ...blocks.flatMap(({ stmts }) => flatten(stmts ?? [], depth + 1))];
  });
}

function sourceOf({ type, stmt: { source } }: Statement): number[] {
  if (type !== 'AssignVarOnceStmt' || typeof source !== 'object') return [];
  return source.type === 'local' && typeof source.value === 'number' ? [source.value] : [];
}

/** The counterpart of findBodyEnds in wasm/bodies.ts. */
function isEnd(item: Statement, next: Statement | undefined, result: number, locals: ReadonlySet<number>): boolean {
  const { type, stmt } = item;
  if (type === 'SetAddStmt') return stmt.set === result;
  const inserts = ({ type: kind, stmt: { object } }: Statement): boolean =>
    kind.startsWith('ObjectInsert') && object === result;
  if (inserts(item)) return next === undefined || !inserts(next);
  return type === 'AssignVarOnceStmt' && typeof stmt.target === 'number' && locals.has(stmt.target);
}

const annotation = z.looseObject({
  annotations: z.looseObject({
    scope: z.string(),
    title: z.string().optional(),
    custom: z.record(z.string(), z.unknown()).optional(),
  }),
  location: z.looseObject({ file: z.string(), row: z.int() }),
  path: z.array(z.looseObject({ value: z.union([z.string(), z.number(), z.boolean()]) })),
});
const inspected = z.looseObject({ annotations: z.array(annotation).nullish() });
type About = Pick<RuleMetadata, 'id' | 'title' | 'severity' | 'controls'>;

/** By `file:row` of a rule's head; by `data.<path>` what has the scope of a whole document. */
async function readAnnotations(dir: string, opa: string): Promise<Map<string, About>> {
  const run = await runOpa(opa, ['inspect', '--annotations', '--format', 'json', '.'], dir);
  if (run.exit !== 0) throw new PolicyError('compiler_failed', `opa could not read METADATA: ${run.stderr.trim()}`);
  const found = new Map<string, About>();
  for (const { annotations, location, path } of readShape(run.stdout, inspected).annotations ?? []) {
    if (annotations.scope !== 'rule' && annotations.scope !== 'document') continue;
    const place = `${location.file.replace(/^\.?\//, '')}:${location.row}`;
    found.set(annotations.scope === 'rule' ? place : path.map(({ value }) => value).join('.'), {
      ...readCustom(annotations.custom ?? {}),
      title: annotations.title ?? '',
    });
  }
  return found;
}

function readCustom(custom: Readonly<Record<string, unknown>>): Omit<About, 'title'> {
  const { rule, severity, controls } = custom;
  return {
    id: typeof rule === 'string' ? rule : null,
    severity: typeof severity === 'string' ? severity : null,
    controls: Array.isArray(controls) ? controls.filter((control) => typeof control === 'string') : [],
  };
}
