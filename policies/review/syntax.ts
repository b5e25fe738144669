import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { PolicyError } from '../errors.ts';
import { runOpa } from '../compiler/run.ts';

/** Rego as the pinned opa parses it (`opa parse --format json`), with the place of every part in its source. */

export interface Place {
  readonly row: number;
  readonly col: number;
  /** Base64 of the source text. */
  readonly text: string;
}

export interface Term {
  readonly type: string;
  readonly value: unknown;
  readonly location?: Place;
}

export interface Expr {
  /** One term, or an operator and its operands, or a `some` or `every` declaration. */
  readonly terms: Term | readonly Term[] | Declaration;
  readonly negated?: boolean;
  /** The body opa gives a rule that has none. */
  readonly generated?: boolean;
  readonly location: Place;
}

export interface Declaration {
  readonly symbols?: readonly Term[];
  readonly domain?: Term;
  readonly body?: readonly Expr[];
}

export interface Rule {
  readonly head: {
    readonly ref: readonly Term[];
    readonly args?: readonly Term[];
    readonly key?: Term;
    readonly value?: Term;
    readonly location: Place;
  };
  readonly body: readonly Expr[];
  readonly else?: Rule;
  readonly default?: boolean;
  readonly annotations?: readonly Annotation[];
  readonly location: Place;
}

export interface Annotation {
  readonly scope: string;
  readonly title?: string;
  readonly description?: string;
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface RegoFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly source: string;
  /** `countersign.rules.hosts` */
  readonly package: string;
  readonly imports: readonly { readonly path: Term; readonly alias?: string }[];
  readonly rules: readonly Rule[];
}

const MAX_FILES = 2000;
const MAX_FILE_BYTES = 1024 * 1024;
/** opa is started once for each file; a few at a time. */
const AT_ONCE = 4;

const moduleSchema = z.looseObject({
  package: z.object({ path: z.array(z.object({ value: z.string() })) }),
  imports: z.array(z.object({ path: z.unknown(), alias: z.string().optional() })).default([]),
  rules: z.array(z.looseObject({ head: z.looseObject({}), body: z.array(z.looseObject({})) })).default([]),
});

/** Parses every .rego below a folder, in the order of their paths. Throws PolicyError `compiler_failed` with opa's report. */
export async function parseFolder(opa: string, dir: string): Promise<RegoFile[]> {
  const paths = await regoFiles(dir);
  const files: RegoFile[] = [];
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    files.push(...(await Promise.all(paths.slice(from, from + AT_ONCE).map((path) => parseFile(opa, dir, path)))));
  }
  return files;
}

export function isTest({ path }: Pick<RegoFile, 'path'>): boolean {
  return path.endsWith('_test.rego');
}

async function regoFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.rego'))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'));
  if (paths.length <= MAX_FILES) return paths.toSorted();
  throw new PolicyError('compiler_failed', `expected at most ${MAX_FILES} Rego files in ${dir}, found ${paths.length}`);
}

async function parseFile(opa: string, dir: string, path: string): Promise<RegoFile> {
  const { size } = await stat(join(dir, path));
  if (size > MAX_FILE_BYTES)
    throw new PolicyError('compiler_failed', `${path}: ${size} bytes, at most ${MAX_FILE_BYTES}`);
  const run = await runOpa(opa, ['parse', '--format', 'json', '--json-include', 'locations', path], dir);
  if (run.exit !== 0) {
    throw new PolicyError('compiler_failed', `opa could not read ${path}: ${run.stderr.trim().slice(0, 2000)}`);
  }
  const module = moduleSchema.parse(JSON.parse(run.stdout));
  return {
    path,
    source: await readFile(join(dir, path), 'utf8'),
    package: module.package.path
      .slice(1)
      .map(({ value }) => value)
      .join('.'),
    imports: module.imports as unknown as RegoFile['imports'],
    rules: module.rules as unknown as readonly Rule[],
  };
}

export function placeText({ text }: Place): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** The name of a rule as others refer to it: `data.<package>.<name>`; dynamic parts are left out. */
export function ruleName({ package: name }: Pick<RegoFile, 'package'>, { head }: Rule): string {
  const [first, ...rest] = head.ref;
  const parts = [first, ...rest.filter(({ type }) => type === 'string')].map((term) => String(term?.value));
  return ['data', name, ...parts].join('.');
}

export function isTerm(value: unknown): value is Term {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
}

/** A rule, its `else` branches, in order. */
export function branches(rule: Rule): Rule[] {
  return rule.else === undefined ? [rule] : [rule, ...branches(rule.else)];
}
