/**
 * The way of one model call. Each step is one file in `pipeline/`; whatever a step throws becomes an answer in the
 * protocol's error shape and, for an authenticated caller, an entry in the ledger.
 */
import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tenant } from './config.ts';
import type { Call } from './call.ts';
import { beginCall, redactionContext } from './call.ts';
import { GatewayError } from './errors.ts';
import { decisionSections, keptDays } from './evidence.ts';
import type { ClassifiedExchange, Exchange } from './exchange.ts';
import { readBody } from './ingress/body.ts';
import { chatView, parseDocument } from './ingress/chat-completions.ts';
import { Reply } from './ingress/reply.ts';
import { classify } from './pipeline/classify.ts';
import { decideRequest, inForce } from './pipeline/decide.ts';
import type { EnforcedRequest } from './pipeline/enforce.ts';
import { enforceRequest } from './pipeline/enforce.ts';
import { forward, plannedAttempts } from './pipeline/forward.ts';
import { recordDecision } from './pipeline/record.ts';
import { fail } from './refuse.ts';
import { priceOf, reservationFor } from './reservation.ts';
import { releaseStream } from './response/release-stream.ts';
import { releaseWhole } from './response/release-whole.ts';
import { stopped } from './response/stopped.ts';
import { scopeOf } from './policy-facts.ts';
import type { Services } from './services.ts';
import { authenticatedBy } from './services.ts';
import type { Deployment } from './upstream/upstream.ts';

/** @param pathModel the model where the path names it, else null: the body does */
export async function governChat(
  services: Services,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  pathModel: string | null,
): Promise<void> {
  const reply = new Reply(outgoing);
  const call = beginCall(services, reply);
  reply.set('x-countersign-call', call.id);
  try {
    await authenticateCall(call, incoming);
    const exchange = await receive(call, incoming, pathModel);
    const classified = await classifyCall(call, exchange);
    const enforced = decideAndEnforce(call, classified);
    await recordCall(call, enforced);
    const response = await forward(call, enforced).finally(() => showReceipt(call));
    try {
      if (classified.chat.stream && response.status === 200) await releaseStream(call, response);
      else await releaseWhole(call, response);
    } finally {
      response.discard();
    }
  } catch (error) {
    await fail(call, error);
  } finally {
    services.log.call(call);
    services.metrics.call(call);
    services.shadows.note(call);
  }
}

async function authenticateCall(call: Call, incoming: IncomingMessage): Promise<void> {
  // Begun together: both wait for the same database, when they wait at all.
  const heard = call.services.governance.ready();
  heard?.catch(() => undefined);
  const principal = await authenticatedBy(call.services, incoming);
  if (heard !== null) await heard;
  const tenant = call.current.config.tenants.get(principal.tenant);
  if (tenant !== undefined) {
    // From here on a refusal is an entry in this tenant's log.
    call.principal = principal;
    call.tenant = tenant;
  }
  if (tenant === undefined || !principal.roles.includes('caller')) {
    throw new GatewayError(
      'not_allowed',
      'This credential may not call models: it needs the role caller in a tenant of this gateway.',
    );
  }
  call.reply.set(
    'x-countersign-policy',
    (call.current.bundles.get(tenant.id) ?? []).map((bundle) => bundle.digest).join(','),
  );
  call.clock.mark('auth');
}

async function receive(call: Call, incoming: IncomingMessage, pathModel: string | null): Promise<Exchange> {
  const { principal, tenant } = authenticated(call);
  const source = await readBody(incoming, call.current.config.limits);
  call.requestBytes = Buffer.byteLength(source);
  const document = parseDocument(source);
  const chat = chatView(document.value, pathModel);
  const route = call.current.config.models.get(chat.model);
  if (route === undefined || (tenant.models !== null && !tenant.models.includes(chat.model))) {
    throw new GatewayError(
      'model_not_found',
      'This model does not exist here. GET /v1/models lists the models this key may use.',
      { param: 'model' },
    );
  }
  if (principal.models !== null && !principal.models.includes(chat.model)) {
    throw new GatewayError(
      'model_not_allowed',
      'This key may not use this model. GET /v1/models lists the models it may use.',
      { param: 'model' },
    );
  }
  call.clock.mark('parse');
  const { id: callId, startedMs, requestBytes: bytes } = call;
  return {
    callId,
    startedMs,
    principal,
    document,
    bytes,
    digest: hash('sha256', source, 'hex'),
    chat,
    candidates: route.deployments,
  };
}

async function classifyCall(call: Call, exchange: Exchange): Promise<ClassifiedExchange> {
  const { analyzer, askAnalyzers } = call.services;
  call.redaction = redactionContext(call.services, exchange.principal);
  const local = classify(exchange, analyzer, call.redaction.hashKey);
  const classified =
    askAnalyzers === null
      ? local
      : { ...local, classification: await askAnalyzers(local.document, local.classification, call.reply.signal) };
  call.exchange = classified;
  call.clock.mark('classify');
  return classified;
}

function decideAndEnforce(call: Call, exchange: ClassifiedExchange): EnforcedRequest {
  const { principal, tenant } = authenticated(call);
  const decided = decideRequest(exchange, {
    pdp: call.current.pdp,
    tenant,
    nowMs: call.startedMs,
    budgets: call.services.budgets(principal.budgetScopes),
    governance: call.services.governance.facts(tenant.id, scopeOf(principal, exchange.chat.model)),
  });
  call.decided = decided;
  call.clock.mark('policy');
  const result = inForce(decided);
  const stop = stopped(result);
  if (stop !== null || 'outcome' in result)
    throw stop ?? new GatewayError('policy_unavailable', 'No decision was reached.');
  const allowed = exchange.candidates.filter((candidate) => result.allowed.includes(candidate.id));
  const budgeted = principal.budgetScopes.length > 0;
  const enforced = enforceRequest(exchange, {
    allowed: budgeted ? priced(call, allowed) : allowed,
    obligations: result.obligations,
    redaction: call.redaction ?? redactionContext(call.services, principal),
    budgetCap: budgeted ? call.current.config.limits.outputCapTokens : null,
  });
  call.enforced = enforced;
  call.reservation = reservationFor(exchange, enforced, principal.budgetScopes, call.current.prices, call.startedMs);
  call.clock.mark('enforce');
  return enforced;
}

/** Under a hard budget a model without a price cannot be bounded, so it is not used. */
function priced(call: Call, allowed: readonly Deployment[]): Deployment[] {
  const kept = allowed.filter((deployment) => priceOf(call.current.prices, deployment, call.startedMs) !== null);
  if (kept.length > 0) return kept;
  throw new GatewayError(
    'policy_denied',
    'A budget applies to this call and no price is known for this model, so it cannot be used. Ask an administrator to set a price.',
    { param: 'model' },
  );
}

async function recordCall(call: Call, enforced: EnforcedRequest): Promise<void> {
  const { principal } = authenticated(call);
  const digest = hash(
    'sha256',
    enforced.bodies
      .map((body) => `${body.deployment.id} ${body.digest}\n`)
      .sort()
      .join(''),
    'hex',
  );
  call.receipt = await recordDecision(call.services.ledger, {
    callId: call.id,
    tenant: principal.tenant,
    subject: principal.id,
    keptDays: keptDays(call),
    sections: decisionSections(call, 'allow', null),
    forward: {
      bodies: enforced.bodies,
      attempts: plannedAttempts(call, enforced).length,
      reserve: call.reservation,
      digest,
    },
  });
  call.clock.mark('record');
}

/** The receipt was signed meanwhile; whatever is answered now carries it. */
async function showReceipt({ receipt, reply }: Call): Promise<void> {
  if (receipt !== null) reply.set('x-countersign-receipt', await receipt.header);
}

function authenticated(call: Call): { principal: NonNullable<Call['principal']>; tenant: Tenant } {
  const { principal, tenant } = call;
  if (principal === null || tenant === null)
    throw new GatewayError('internal_error', 'The call was not authenticated.');
  return { principal, tenant };
}
