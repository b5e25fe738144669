/** Requests of the AuthZEN Authorization API 1.0 (openid.net/specs/authorization-api-1_0.html): read, checked, defaults merged. */
import { z } from 'zod';
import { GatewayError } from '../errors.ts';

const properties = z.record(z.string().max(256), z.json()).default({});
const id = z.string().min(1).max(1024);
const entity = z.object({ type: id, id, properties });
const action = z.object({ name: id, properties });

const evaluation = z.object({ subject: entity, action, resource: entity, context: properties });

/** One question. */
export type AccessQuestion = z.output<typeof evaluation>;

/** Each becomes an entry of its own. */
const MAX_EVALUATIONS = 100;

const batch = z.object({
  evaluations: z.array(z.looseObject({})).max(MAX_EVALUATIONS).optional(),
  options: z
    .object({
      evaluations_semantic: z.enum(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit']).optional(),
    })
    .optional(),
});

export interface AccessBatch {
  /** As sent, with the defaults of the request filled in; read one by one, because one that is wrong denies only itself. */
  readonly questions: readonly unknown[];
  readonly semantic: 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit';
}

/** @throws GatewayError `invalid_request` */
export function readAccessQuestion(value: unknown): AccessQuestion {
  return parse(evaluation, value);
}

/** Null: the request has no list and is a single question. @throws GatewayError `invalid_request` */
export function readAccessBatch(value: unknown): AccessBatch | null {
  const { evaluations, options } = parse(batch, value);
  if (evaluations === undefined || evaluations.length === 0) return null;
  const { subject, action: verb, resource, context } = value as Readonly<Record<string, unknown>>;
  const defaults = Object.entries({ subject, action: verb, resource, context }).filter(
    ([, part]) => part !== undefined,
  );
  return {
    // A member of one question replaces the default as a whole.
    questions: evaluations.map((own) => ({ ...Object.fromEntries(defaults), ...own })),
    semantic: options?.evaluations_semantic ?? 'execute_all',
  };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.map(String).join('.') ?? '';
  throw new GatewayError(
    'invalid_request',
    `Expected subject {type, id}, action {name} and resource {type, id}; ${place === '' ? 'the request' : place}: ${issue?.message ?? 'unreadable'}.`,
  );
}
