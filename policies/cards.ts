import { parse } from 'yaml';
import { z } from 'zod';
import { SEVERITIES } from './decision.ts';
import { PolicyError } from './errors.ts';

/**
 * The cards of the shipped policies: what the METADATA of their Rego files says in plain language, of the package and of
 * each rule that can decide.
 */

/** What a rule does to a call. */
export type RuleKind = 'refuses' | 'asks for an approval' | 'obliges';

/** One rule that can decide. */
export interface RuleCard {
  readonly rule: string;
  readonly title: string;
  readonly kind: RuleKind;
  readonly severity: string;
  readonly controls: readonly string[];
}

/** One file of a bundle. */
export interface PolicyCard {
  readonly bundle: string;
  /** Number in the list of day-one policies; null for what stands beside it. */
  readonly policy: number | null;
  readonly title: string;
  readonly description: string;
  /** What turns it on: a framework or a parameter of the tenant. */
  readonly on: string;
  /** Facts of the input it decides on. */
  readonly needs: readonly string[];
  readonly rules: readonly RuleCard[];
}

const packageNote = z.object({
  title: z.string(),
  description: z.string(),
  custom: z.object({ policy: z.int().min(1).max(25).optional(), on: z.string(), needs: z.array(z.string()) }),
});

const ruleNote = z.object({
  title: z.string(),
  description: z.string(),
  custom: z.object({
    rule: z.string().regex(/^[a-z_]+\.[a-z_]+$/),
    severity: z.enum(SEVERITIES),
    controls: z.array(z.string()).min(1),
  }),
});

const KINDS: Readonly<Record<string, RuleKind>> = {
  deny: 'refuses',
  require_approval: 'asks for an approval',
  obligations: 'obliges',
};

/** A block of METADATA, and the line of code it stands before. */
const BLOCK = /^# METADATA\n((?:#.*\n)+)(.*)$/gm;

/**
 * The card of one Rego file; null for a file without rules that decide.
 *
 * @throws PolicyError `invalid_metadata` when a rule that decides has no full annotation
 */
export function readCard(bundle: string, file: string, source: string): PolicyCard | null {
  const notes = [...source.matchAll(BLOCK)].map(([, comment = '', code = '']) => ({ note: readYaml(comment), code }));
  const deciding = notes.flatMap(({ note, code }) => {
    const kind = KINDS[code.split(' ')[0] ?? ''];
    return kind === undefined || !code.includes(' contains ') ? [] : [{ note, kind }];
  });
  const undescribed = [...source.matchAll(/^(?:deny|require_approval|obligations) contains /gm)].length;
  if (undescribed !== deciding.length) throw invalid(file, 'a rule that decides without METADATA before it');
  const rules = deciding.map(({ note, kind }) => readRule(file, note, kind));
  if (rules.length === 0) return null;
  const own = packageNote.safeParse(notes.find(({ code }) => code.startsWith('package '))?.note);
  // The entry point's own rules are about the bundle, not one policy.
  if (!own.success) return file === 'main.rego' ? mainCard(bundle, rules) : fail(file, own.error);
  const { title, description, custom } = own.data;
  return { bundle, policy: custom.policy ?? null, title, description, on: custom.on, needs: custom.needs, rules };
}

function mainCard(bundle: string, rules: readonly RuleCard[]): PolicyCard {
  return {
    bundle,
    policy: null,
    title: `What the bundle \`${bundle}\` needs to decide at all`,
    description: 'An input it cannot read is refused, and so is a tenant it does not understand.',
    on: 'always',
    needs: [],
    rules,
  };
}

function readRule(file: string, note: unknown, kind: RuleKind): RuleCard {
  const read = ruleNote.safeParse(note);
  if (!read.success) return fail(file, read.error);
  const { title, custom } = read.data;
  return { rule: custom.rule, title, kind, severity: custom.severity, controls: custom.controls };
}

function readYaml(comment: string): unknown {
  return parse(comment.replace(/^# ?/gm, ''));
}

function fail(file: string, { issues }: z.ZodError): never {
  throw invalid(file, `${issues[0]?.path.join('.') ?? ''}: ${issues[0]?.message ?? 'another shape'}`);
}

function invalid(file: string, found: string): PolicyError {
  return new PolicyError('invalid_metadata', `${file}: expected title, description and custom members; found ${found}`);
}
