/**
 * Who may do what: authentication, the tenant the action is about, the policies' decision at `admin.<verb>`, and the
 * entry about it. Nothing is read or changed before the entry is durable.
 */
import type { IncomingMessage } from 'node:http';
import type { JsonValue } from '../../../ledger/index.ts';
import {
  createPolicyInput,
  policyTime,
  type Decision,
  type Evaluation,
  type PolicyInput,
} from '../../../policies/index.ts';
import { DEPLOYMENT_TENANT, type Principal } from '../../access/principal.ts';
import { SHIPPED_BUNDLE, type Tenant } from '../../config.ts';
import { GatewayError } from '../../errors.ts';
import { newCallId } from '../../exchange.ts';
import { agentFacts, principalFacts, tenantFacts } from '../../policy-facts.ts';
import type { AdminDeps } from './deps.ts';

/** The principal of an admin request. A refusal is counted; nobody is known yet who could be named in an entry. */
export async function identify(deps: AdminDeps, incoming: IncomingMessage): Promise<Principal> {
  const forwarded = incoming.headers['x-forwarded-for'];
  const address = deps
    .current()
    .addressOf(incoming.socket.remoteAddress, typeof forwarded === 'string' ? forwarded : undefined);
  try {
    return await deps.services.authenticate(incoming.headers, address);
  } catch (error) {
    if (error instanceof GatewayError) deps.services.refusals.count(error.code);
    throw error;
  }
}

/**
 * The tenant an action is about: a principal of a tenant only ever acts on that tenant.
 *
 * @param wanted `tenant` of the request, if it names one
 * @returns null = the whole deployment
 * @throws GatewayError `not_allowed`, `not_found`
 */
export function scopeOf(deps: AdminDeps, principal: Principal, wanted: string | undefined): string | null {
  if (principal.tenant !== DEPLOYMENT_TENANT) {
    // The same answer for a tenant that exists and one that does not.
    if (wanted !== undefined && wanted !== principal.tenant) {
      throw new GatewayError('not_allowed', 'You may only act for your own tenant.', { param: 'tenant' });
    }
    return principal.tenant;
  }
  if (wanted === undefined || wanted === DEPLOYMENT_TENANT) return null;
  if (deps.current().config.tenants.has(wanted)) return wanted;
  throw new GatewayError('not_found', 'No tenant of that id is configured.', { param: 'tenant' });
}

export interface Action {
  readonly verb: string;
  readonly principal: Principal;
  readonly scope: string | null;
  /** Id in the path; one of our own ids, so it may stand in `facts`. */
  readonly id: string;
  /** `own`: an allowed action is recorded by its handler. */
  readonly evidence: 'access' | 'own';
}

/**
 * Decides and records.
 *
 * @throws GatewayError `policy_denied`, `approval_required`, `policy_unavailable` (after recording the refusal),
 *   LedgerError when it cannot be recorded
 */
export async function authorize(deps: AdminDeps, action: Action): Promise<void> {
  const evaluation = evaluate(deps, action);
  const refusal = refusalOf(evaluation);
  if (refusal !== null || action.evidence === 'access') await recordAccess(deps, action, evaluation, refusal);
  if (refusal !== null) throw refusal;
}

/** What only stops or restricts has to work when a tenant's own policies do not: the shipped ones decide it then. */
const RESTRICTING: ReadonlySet<string> = new Set(['switches.throw', 'policy.rollback', 'waivers.end']);

function evaluate(deps: AdminDeps, action: Action): Evaluation {
  const { config, pdp } = deps.current();
  const tenant = action.scope === null ? undefined : config.tenants.get(action.scope);
  const input = actionInput(action, tenant, deps.now());
  const evaluation = pdp.evaluate(tenant?.policies ?? [SHIPPED_BUNDLE], input);
  return evaluation.outcome === 'undecided' && RESTRICTING.has(action.verb)
    ? pdp.evaluate([SHIPPED_BUNDLE], input)
    : evaluation;
}

/** What is asked about the deployment itself. */
const NO_TENANT = { id: DEPLOYMENT_TENANT, region: null, frameworks: [], labels: {} };

function actionInput({ verb, principal }: Action, tenant: Tenant | undefined, nowMs: number): PolicyInput {
  return createPolicyInput({
    point: `admin.${verb}`,
    call: { id: newCallId(nowMs), parent: null, run: null, turn: null },
    time: policyTime(nowMs),
    tenant: tenant === undefined ? NO_TENANT : tenantFacts(tenant),
    principal: principalFacts(principal),
    agent: agentFacts(principal),
  });
}

function refusalOf(evaluation: Evaluation): GatewayError | null {
  if (evaluation.outcome === 'undecided') return undecided();
  const { effect, user_message: message } = evaluation.decision;
  if (effect === 'deny') {
    return new GatewayError('policy_denied', message === '' ? 'None of your roles allows this.' : message);
  }
  if (effect === 'require_approval') {
    return new GatewayError('approval_required', message === '' ? 'This action needs an approval first.' : message);
  }
  return canPerform(evaluation.decision) ? null : undecided();
}

function undecided(): GatewayError {
  return new GatewayError('policy_unavailable', 'The policies could not decide this action, so nothing was done.');
}

/** What a policy may ask for at an administrative action is only a label in the entry; anything else cannot be performed. */
function canPerform({ obligations }: Decision): boolean {
  return obligations.every((obligation) => obligation.type === 'label' || obligation.type === 'record');
}

async function recordAccess(
  deps: AdminDeps,
  action: Action,
  evaluation: Evaluation,
  refusal: GatewayError | null,
): Promise<void> {
  const { principal, scope, verb, id } = action;
  await deps.record({
    kind: 'access',
    tenant: scope ?? DEPLOYMENT_TENANT,
    facts: {
      verb,
      target: id === '' ? null : id,
      effect: refusal === null ? 'allow' : 'refused',
      code: refusal?.code ?? null,
      ...evaluationFacts(evaluation),
      config: deps.current().configDigest,
    },
    detail: {
      by: principal.id,
      credential: principal.credential,
      key: principal.keyId,
      roles: [...principal.roles],
      actors: [...principal.actors],
    },
  });
}

function evaluationFacts(evaluation: Evaluation): Record<string, JsonValue> {
  if (evaluation.outcome === 'undecided') return { undecided: evaluation.code, rules: [], labels: [] };
  const { reasons, obligations } = evaluation.decision;
  return {
    undecided: null,
    rules: reasons.map((reason) => reason.rule),
    labels: obligations.flatMap((obligation) => (obligation.type === 'label' ? obligation.add : [])),
  };
}
