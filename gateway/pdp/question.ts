/**
 * Decisions for other enforcement points: who asks is authenticated as for a call, the tenant's own policies answer, and the
 * answer is a durable decision entry before it leaves. Such a decision is never open: what follows from it happens elsewhere,
 * so its `applied` says `answered`, and no outcome is awaited.
 */
import type { IncomingMessage } from 'node:http';
import type { CandidateResult, UnitedDecision, Undecided } from '../../policies/index.ts';
import type { Principal } from '../access/principal.ts';
import type { Tenant } from '../config.ts';
import { GatewayError } from '../errors.ts';
import { askedDays, subjectSection, versionFacts } from '../evidence.ts';
import { newCallId } from '../exchange.ts';
import { recordRefusal } from '../pipeline/record.ts';
import type { Current, Services } from '../services.ts';
import { authenticatedBy } from '../services.ts';

/** Whoever may ask, with the configuration the whole answer is made under. */
export interface Asker {
  readonly services: Services;
  readonly current: Current;
  readonly principal: Principal;
  readonly tenant: Tenant;
}

/** A question as the ledger keeps it. */
export interface Answered {
  readonly id: string;
  readonly atMs: number;
  /** Protocol and endpoint: `opa.data`, `authzen.evaluation`. */
  readonly api: string;
  readonly bytes: number;
  /** What was asked for, beside the input: a data path, or a place in a batch. */
  readonly about: string;
  readonly effect: 'allow' | 'deny' | 'require_approval' | 'undecided' | 'refused';
  /** Of an error, or why it was undecided. */
  readonly code: string | null;
  /** The exact text of each input that was evaluated. */
  readonly inputs: readonly string[];
  readonly results: readonly CandidateResult[];
  readonly rules: readonly string[];
  readonly labels: readonly string[];
  /** Days for which policies want it kept at least; 0: none asked. */
  readonly keptDays: number;
}

/** @throws GatewayError `invalid_api_key`, `not_allowed`; counted by whoever answers */
export async function identifyAsker(services: Services, incoming: IncomingMessage): Promise<Asker> {
  const principal = await authenticatedBy(services, incoming);
  await services.governance.ready();
  const current = services.current();
  const tenant = current.config.tenants.get(principal.tenant);
  if (tenant === undefined || !principal.roles.includes('caller')) {
    throw new GatewayError(
      'not_allowed',
      'This credential may not ask for decisions: it needs the role caller in a tenant of this gateway.',
    );
  }
  return { services, current, principal, tenant };
}

/** A question without its answer yet: what the entry says when it is refused. */
export function newQuestion({ services }: Asker, api: string): Answered {
  const atMs = services.now();
  return {
    id: newCallId(atMs),
    atMs,
    api,
    bytes: 0,
    about: '',
    effect: 'refused',
    code: null,
    inputs: [],
    results: [],
    rules: [],
    labels: [],
    keptDays: 0,
  };
}

/**
 * Makes the answer durable and gives its receipt.
 *
 * @throws GatewayError `ledger_unavailable`: then nothing may be answered
 */
export function recordAnswer(asker: Asker, answered: Answered): Promise<string> {
  const { principal, services } = asker;
  const { results } = answered;
  return recordRefusal(services.ledger, {
    callId: answered.id,
    tenant: principal.tenant,
    subject: principal.id,
    keptDays: answered.keptDays,
    sections: {
      facts: factsOf(asker, answered),
      subject: subjectSection(principal),
      request: { about: answered.about, bytes: answered.bytes },
      input:
        answered.inputs.length === 0
          ? null
          : {
              by: answered.api === 'opa.data' ? 'asker' : 'gateway',
              texts: [...answered.inputs],
              results: results.map(({ deployment, evaluation }) => ({ deployment, evaluation: plain(evaluation) })),
            },
    },
  });
}

type Json = NonNullable<Parameters<typeof recordRefusal>[1]['sections'][string]>;

function plain(evaluation: CandidateResult['evaluation']): Json {
  return JSON.parse(JSON.stringify(evaluation)) as Json;
}

function factsOf({ current, tenant, services }: Asker, answered: Answered): Json {
  return {
    at_ms: answered.atMs,
    api: answered.api,
    effect: answered.effect,
    applied: 'answered',
    mode: 'enforce',
    code: answered.effect === 'refused' ? answered.code : null,
    undecided: answered.effect === 'undecided' ? answered.code : null,
    model: null,
    bytes: answered.bytes,
    candidates: answered.results.map(({ deployment, evaluation }) => ({
      deployment,
      effect: evaluation.outcome === 'decided' ? evaluation.decision.effect : 'undecided',
    })),
    rules: [...new Set(answered.rules)].toSorted(),
    labels: [...new Set(answered.labels)].toSorted(),
    versions: versionFacts({ current, tenant, services }),
  };
}

/** What of a united decision goes into its entry in clear, and how long the rest is kept. */
export function decidedFacts(
  result: UnitedDecision | Undecided,
): Pick<Answered, 'effect' | 'code' | 'rules' | 'labels' | 'keptDays'> {
  const keptDays = askedDays(result);
  if ('outcome' in result) return { effect: 'undecided', code: result.code, rules: [], labels: [], keptDays };
  const { effect, reasons, obligations } = result;
  return { effect, code: null, rules: reasons.map(({ rule }) => rule), labels: obligations.labels, keptDays };
}

/** Deepest nesting of what is asked about. */
const MAX_DEPTH = 48;

/**
 * Numbers that this process would read as others than were sent could be decided wrongly, so they are refused.
 *
 * @throws GatewayError `invalid_request`
 */
export function requireExact(value: unknown, depth = 0): void {
  if (depth > MAX_DEPTH) throw new GatewayError('invalid_request', `Expected at most ${MAX_DEPTH} levels, found more.`);
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new GatewayError(
      'invalid_request',
      'Expected numbers up to 2^53-1, found a larger one; send it as a string.',
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value) as unknown[]) requireExact(member, depth + 1);
}
