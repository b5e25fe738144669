import { z } from 'zod';
import type { FiredRules } from './fired.ts';

/**
 * The decision document. What comes out of a policy is checked on every evaluation: a shape the gateway does not know,
 * and above all an obligation it could not perform, is "could not decide", which stops the call like a denial does.
 */

/** Strictest first; where two rules meet on the same text the stricter operator wins. */
export const OPERATORS = ['redact', 'replace', 'hash', 'surrogate', 'mask', 'tokenize'] as const;
/** What a redaction does to a finding. */
export type Operator = (typeof OPERATORS)[number];

const EFFECTS = ['allow', 'deny', 'require_approval'] as const;
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export const RECORD_CONTENTS = ['none', 'digest', 'redacted', 'full'] as const;
export type RecordContent = (typeof RECORD_CONTENTS)[number];

const MAX_LIST = 1024;
const name = z.string().min(1).max(256);
const names = z.array(name).max(MAX_LIST);
const sentence = z.string().max(2048);

const reason = z.strictObject({
  rule: name,
  title: sentence,
  message: sentence.describe('Safe for the caller: names finding types and JSON paths, never values.'),
  severity: z.enum(SEVERITIES),
  controls: names,
  path: z.string().max(2048),
});

const redact = z.strictObject({
  type: z.literal('redact'),
  types: names.min(1).describe("Entity types, or 'pii', 'secret', '*'."),
  operator: z.enum(OPERATORS),
  paths: z.array(z.string().max(2048)).max(MAX_LIST).optional().describe("JSON pointer prefixes; '*' = one segment."),
});
const route = z
  .strictObject({
    type: z.literal('route'),
    models: names.optional(),
    regions: names.optional(),
    hosting: names.optional(),
  })
  .describe('Only deployments that match every list given. An empty list matches none.');
const limit = z.strictObject({ type: z.literal('limit'), max_tokens: z.int().positive().optional() });
const stripTools = z.strictObject({ type: z.literal('strip_tools'), names });
const buffer = z.strictObject({ type: z.literal('buffer') });
const disclose = z.strictObject({ type: z.literal('disclose'), text: sentence.min(1) });
const label = z.strictObject({ type: z.literal('label'), add: names });
const record = z.strictObject({
  type: z.literal('record'),
  content: z.enum(RECORD_CONTENTS),
  retention_days: z
    .int()
    .nonnegative()
    .optional()
    .describe('Days for which the call is kept at least; the longest time of all policies and of the tenant holds.'),
});

const obligation = z.discriminatedUnion('type', [redact, route, limit, stripTools, buffer, disclose, label, record]);

/** The obligations the gateway can perform. */
export const OBLIGATION_TYPES: readonly string[] = obligation.options.map((option) => option.shape.type.value);

export const policyDecision = z
  .strictObject({
    effect: z.enum(EFFECTS),
    reasons: z.array(reason).max(MAX_LIST),
    obligations: z.array(obligation).max(MAX_LIST),
    user_message: z.string().max(8192).describe('Safe to show to an end user.'),
  })
  .describe('Countersign policy decision');

/** Why a rule denied or asked for an approval: for the ledger, and safe for the caller. */
export type Reason = z.infer<typeof reason>;
/** Something the gateway must perform for the call to go on. */
export type Obligation = z.infer<typeof obligation>;
/** What a policy answers: decision.schema.json. */
export type Decision = z.infer<typeof policyDecision>;

/** Why there is no decision. Each of them stops the call. */
export type UndecidedCode =
  'bundle_missing' | 'undefined' | 'trap' | 'fuel' | 'memory' | 'invalid_decision' | 'unknown_obligation';

/** `detail` is for administrators: it names the bundle and the limit or the place, never a value of the input. */
export interface Undecided {
  readonly outcome: 'undecided';
  readonly code: UndecidedCode;
  readonly detail: string;
}

/** A decision and the rules that fired on the way to it, one item for each bundle that was asked. */
export interface DecidedEvaluation {
  readonly outcome: 'decided';
  readonly decision: Decision;
  readonly fired: readonly FiredRules[];
}

/** A decision, or why there is none. Both are recorded; only an allowed decision lets a call go on. */
export type Evaluation = DecidedEvaluation | Undecided;

export function undecided(code: UndecidedCode, detail: string): Undecided {
  return { outcome: 'undecided', code, detail };
}

/** Reads what a policy answered. `unknown_obligation` is told apart from other wrong shapes because its cure differs. */
export function readDecision(value: unknown, bundle: string): Omit<DecidedEvaluation, 'fired'> | Undecided {
  const parsed = policyDecision.safeParse(value);
  if (parsed.success) return { outcome: 'decided', decision: parsed.data };
  const unknownType = firstUnknownObligation(value);
  if (unknownType !== null) {
    return undecided('unknown_obligation', `${bundle}: obligation ${unknownType} is not one this gateway performs`);
  }
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? 'decision' : `decision.${issue.path.join('.')}`;
  return undecided('invalid_decision', `${bundle}: ${place}: ${issue?.code ?? 'invalid'}`);
}

function firstUnknownObligation(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('obligations' in value)) return null;
  if (!Array.isArray(value.obligations)) return null;
  for (const item of value.obligations as readonly unknown[]) {
    if (typeof item !== 'object' || item === null || !('type' in item)) continue;
    if (typeof item.type === 'string' && !OBLIGATION_TYPES.includes(item.type)) return item.type.slice(0, 64);
  }
  return null;
}
