/**
 * `GET /v1/models` and `/v1/models/{name}`: the models this key may use, as policy, switches and waivers would decide an empty
 * request.
 * Source: OpenAI API reference, "List models".
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readDocument } from '../../redaction/index.ts';
import type { Principal } from '../access/principal.ts';
import type { ModelRoute } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { ClassifiedExchange } from '../exchange.ts';
import { newCallId } from '../exchange.ts';
import { mayUse } from '../pipeline/decide.ts';
import { scopeOf } from '../policy-facts.ts';
import type { Services } from '../services.ts';
import { authenticatedBy } from '../services.ts';
import { Reply } from './reply.ts';

interface ModelObject {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

/** Sends the list, or one model when `name` is given. */
export async function listModels(
  services: Services,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  name: string | null,
): Promise<void> {
  const reply = new Reply(outgoing);
  try {
    const principal = await authenticatedBy(services, incoming);
    await services.governance.ready();
    const models = usableModels(services, principal);
    const one = models.find((model) => model.id === name);
    if (name !== null && one === undefined) {
      throw new GatewayError('model_not_found', 'This model does not exist here, or this key may not use it.', {
        param: 'model',
      });
    }
    const body = name === null ? { object: 'list', data: models } : one;
    reply.send(200, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify(body));
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    if (cause.code === 'invalid_api_key' || cause.code === 'rate_limited') services.refusals.count(cause.code);
    reply.fail(cause);
  }
}

function usableModels(services: Services, principal: Principal): ModelObject[] {
  const current = services.current();
  const tenant = current.config.tenants.get(principal.tenant);
  if (tenant === undefined || !principal.roles.includes('caller')) return [];
  const options = {
    pdp: current.pdp,
    tenant,
    nowMs: services.now(),
    budgets: services.budgets(principal.budgetScopes),
  };
  return [...current.config.models.values()]
    .filter((route) => tenant.models === null || tenant.models.includes(route.name))
    .filter((route) => principal.models === null || principal.models.includes(route.name))
    .filter((route) => {
      const governance = services.governance.facts(tenant.id, scopeOf(principal, route.name));
      return mayUse(emptyRequest(principal, route, options.nowMs), { ...options, governance });
    })
    .map((route) => ({
      id: route.name,
      object: 'model',
      created: 0,
      owned_by: route.deployments[0]?.provider ?? 'countersign',
    }));
}

function emptyRequest(principal: Principal, route: ModelRoute, nowMs: number): ClassifiedExchange {
  return {
    callId: newCallId(nowMs),
    startedMs: nowMs,
    principal,
    document: readDocument('{}'),
    bytes: 0,
    digest: '',
    chat: {
      model: route.name,
      stream: false,
      includeUsage: false,
      maxTokens: null,
      maxTokensField: null,
      choices: 1,
      messages: 0,
      tools: [],
      outputModalities: [],
    },
    candidates: route.deployments,
    classification: { findings: [], summary: [], unscanned: [], detectors: [], scannedTexts: 0, scannedChars: 0 },
  };
}
