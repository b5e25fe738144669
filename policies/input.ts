import { z } from 'zod';

/**
 * The policy input: facts about one call, never bodies. One zod schema gives the TypeScript type, the published JSON
 * Schema (policies/schema/input.schema.json) and the check tests use. The hot path trusts the type and does not parse.
 */

/** Version of the input and decision documents. A policy denies a version it was not written for. */
export const SCHEMA_VERSION = 1;

const texts = z.array(z.string());
const count = z.int().nonnegative();
const scalars = z.record(z.string(), z.string());

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

const call = z
  .strictObject({ id: z.string(), parent: z.string().nullable(), run: z.string().nullable(), turn: count.nullable() })
  .describe('The call under decision; parent and run are set only when the gateway can vouch for them.');

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

const time = z
  .strictObject({ unix_ms: count, iso: z.string(), weekday: z.enum(weekdays), hour_utc: z.int().min(0).max(23) })
  .describe('The only clock a policy has, so that every decision replays.');

const tenant = z.strictObject({
  id: z.string(),
  region: z.string().nullable(),
  frameworks: texts,
  labels: scalars,
});

const principal = z.strictObject({
  type: z.enum(['user', 'service']),
  id: z.string(),
  roles: texts,
  groups: texts,
  claims: scalars,
  assurance: z.string().nullable(),
});

const agent = z
  .strictObject({
    id: z.string().nullable(),
    name: z.string().nullable(),
    version: z.string().nullable(),
    attested: z.boolean(),
    delegation: texts.describe('Actors from the outermost to the one that called.'),
  })
  .describe('The software acting for the principal; id null when none is known.');

const model = z
  .strictObject({
    requested: z.string().describe('The name the caller asked for.'),
    provider: z.string(),
    deployment: z.string().describe('<provider>/<model>'),
    model: z.string(),
    region: z.string(),
    family: z.string(),
    hosting: z.enum(['external', 'private', 'local']),
    retention_days: count.nullable().describe('null: not known.'),
    trains_on_data: z.boolean().nullable().describe('null: not known.'),
    tags: texts,
  })
  .describe('The candidate deployment under decision.');

const request = z.strictObject({
  api: z.string(),
  stream: z.boolean(),
  max_tokens: count.nullable(),
  messages: count,
  bytes: count,
  tokens_estimate: count,
  modalities: texts,
  urls: z.array(z.strictObject({ scheme: z.string(), host: z.string(), private: z.boolean() })),
  digest: z.string(),
});

const tools = z.strictObject({
  offered: z.array(
    z.strictObject({
      name: z.string(),
      server: z.string().nullable(),
      digest: z.string().nullable(),
      pinned: z.boolean(),
      annotations: z.record(z.string(), z.union([z.string(), z.boolean()])),
    }),
  ),
  call: z
    .strictObject({
      name: z.string(),
      server: z.string().nullable(),
      args: z.record(z.string(), z.json()).describe('Typed, size-capped, detected secrets replaced.'),
      args_digest: z.string(),
      targets: texts.describe('Hosts the arguments name: of URLs, e-mail addresses and plain host names; lower case.'),
    })
    .nullable(),
});

const finding = z.strictObject({
  type: z.string(),
  kind: z.enum(['pii', 'secret', 'injection']),
  count,
  max_score: z.int().min(0).max(1000),
  paths: texts.describe('JSON pointers; segments a caller chose are hashed.'),
});

const unscanned = z.strictObject({
  what: z.enum(['image', 'audio', 'video', 'file', 'remote_url', 'too_many', 'too_large', 'detector']),
  path: z.string(),
});

const response = z.strictObject({
  finish_reason: z.string().nullable().describe('null before the first byte.'),
  bytes: count,
  tool_calls: z.array(z.strictObject({ name: z.string(), args_digest: z.string() })),
});

const session = z.strictObject({
  tool_calls: count,
  denials: count,
  taint: texts.describe(
    'What the session has read: untrusted[:<source>], pii[:<kind>], secret, confidential, restricted.',
  ),
  history: z.array(z.strictObject({ point: z.string(), effect: z.string(), ms_ago: count })),
});

const budget = z.strictObject({
  scopes: z.array(
    z.strictObject({
      id: z.string(),
      remaining_ratio_ppm: z.int().nullable(),
      remaining_micro_usd: z.int().nullable(),
    }),
  ),
});

const approval = z.strictObject({
  id: z.string(),
  by: z.string(),
  role: z.string(),
  binds: z.string().describe('request.digest the approval was given for.'),
  decision: z.enum(['approved', 'denied']),
  expires_unix_ms: count,
  applies: z.boolean().describe('Given for exactly this request, and not expired at the time of this evaluation.'),
});

const waiver = z
  .strictObject({
    id: z.string(),
    rule: z.string().describe('The rule whose refusal it lifts.'),
    scope: z.string().describe('tenant, agent:<id>, principal:<id> or model:<name>'),
    expires_unix_ms: count,
    break_glass: z.boolean().describe('Opened by one person in an emergency; reviewed afterwards.'),
    applies: z.boolean().describe('Its scope covers this call and it has not expired.'),
  })
  .describe('A signed exception two people made.');

const killSwitch = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['tenant', 'agent', 'model', 'tool']),
    target: z.string().describe('What is stopped; empty for the tenant itself.'),
  })
  .describe('Thrown for this tenant or for all; enforced whatever the policies say.');

const properties = z.record(z.string(), z.json());
const entity = z.strictObject({ type: z.string(), id: z.string(), properties });

const access = z
  .strictObject({
    subject: entity,
    action: z.strictObject({ name: z.string(), properties }),
    resource: entity,
    context: properties,
  })
  .describe('The question of another enforcement point, as it asked (AuthZEN); absent on calls through the gateway.');

export const policyInput = z
  .strictObject({
    version: z.literal(SCHEMA_VERSION),
    point: z
      .string()
      .describe(
        'model.request, model.response, tools.list, tool.call, tool.result, access.evaluation, policy.change, ledger.export or admin.<verb>',
      ),
    mode: z.enum(['enforce', 'observe']),
    call,
    time,
    tenant,
    principal,
    agent,
    claimed: scalars.describe('What the caller says about itself; never identity, it can only restrict.'),
    purpose: z.strictObject({
      declared: z.string().nullable(),
      use_case: z.string().nullable(),
      eu_risk: z.enum(['minimal', 'limited', 'high', 'prohibited']).nullable(),
    }),
    data: z.strictObject({
      classification: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable(),
      residency: texts,
    }),
    model: model.nullable(),
    request: request.nullable(),
    tools,
    findings: z.array(finding),
    unscanned: z.array(unscanned),
    response: response.nullable(),
    session,
    budget,
    approvals: z.array(approval),
    waivers: z.array(waiver),
    kill_switches: z.array(killSwitch),
    access: access.optional(),
  })
  .describe('Countersign policy input: facts about one call, never bodies.');

/** What an input may have at its top. */
export const INPUT_SECTIONS: readonly string[] = Object.keys(policyInput.shape);

/** The facts of one evaluation: input.schema.json. Plain data; it is stored exactly as evaluated. */
export type PolicyInput = z.infer<typeof policyInput>;

/** The parts of an input every point has; the rest is empty unless given. */
export type PolicyFacts = Pick<PolicyInput, 'point' | 'call' | 'time' | 'tenant' | 'principal'> & Partial<PolicyInput>;

/** Fills the fields a point has nothing to say about with their empty values. */
export function createPolicyInput(facts: PolicyFacts): PolicyInput {
  return {
    version: SCHEMA_VERSION,
    mode: 'enforce',
    agent: { id: null, name: null, version: null, attested: false, delegation: [] },
    claimed: {},
    purpose: { declared: null, use_case: null, eu_risk: null },
    data: { classification: null, residency: [] },
    model: null,
    request: null,
    tools: { offered: [], call: null },
    findings: [],
    unscanned: [],
    response: null,
    session: { tool_calls: 0, denials: 0, taint: [], history: [] },
    budget: { scopes: [] },
    approvals: [],
    waivers: [],
    kill_switches: [],
    ...facts,
  };
}

/** The input's `time` for a moment in unix milliseconds. */
export function policyTime(unixMs: number): PolicyInput['time'] {
  const hour = hourOf(unixMs);
  const ms = unixMs - hour.fromMs;
  const iso = `${hour.iso}:${padded(ms / 60_000, 2)}:${padded((ms / 1000) % 60, 2)}.${padded(ms % 1000, 3)}Z`;
  return { unix_ms: unixMs, iso, weekday: hour.weekday, hour_utc: hour.number };
}

const HOUR_MS = 3_600_000;
let latest = { fromMs: Number.NaN, iso: '', weekday: weekdays[0] as (typeof weekdays)[number], number: 0 };

/** The hour of a time: nearly every call falls into the same one as the call before it, and a date is slow to write. */
function hourOf(unixMs: number): typeof latest {
  const fromMs = Math.floor(unixMs / HOUR_MS) * HOUR_MS;
  if (latest.fromMs !== fromMs) {
    const date = new Date(fromMs);
    const weekday = weekdays[date.getUTCDay()] ?? 'sunday';
    latest = { fromMs, iso: date.toISOString().slice(0, -':00:00.000Z'.length), weekday, number: date.getUTCHours() };
  }
  return latest;
}

function padded(value: number, digits: number): string {
  return String(Math.trunc(value)).padStart(digits, '0');
}
