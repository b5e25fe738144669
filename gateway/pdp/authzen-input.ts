/**
 * A question of AuthZEN as policy inputs. `model.request` about a resource of type `model` is decided as an empty request for
 * that model would be, once per deployment; `tool.call` about a `tool` as that call; whatever else at `access.evaluation`, where
 * a bundle of the tenant's own finds the question in `input.access`.
 */
import { hash } from 'node:crypto';
import type { CandidateResult, JsonValue, PolicyInput, UnitedDecision, Undecided } from '../../policies/index.ts';
import { createPolicyInput, policyTime, uniteCandidates } from '../../policies/index.ts';
import { GatewayError } from '../errors.ts';
import type { GovernanceFacts } from '../governance/governance.ts';
import { modelFacts, tenantFacts } from '../policy-facts.ts';
import type { AccessQuestion } from './authzen-request.ts';
import type { Asker } from './question.ts';

export interface DecidedQuestion {
  readonly result: UnitedDecision | Undecided;
  readonly inputs: readonly PolicyInput[];
  readonly results: readonly CandidateResult[];
}

/** @throws GatewayError `model_not_found` */
export function decideQuestion(asker: Asker, callId: string, question: AccessQuestion): DecidedQuestion {
  const { current, tenant } = asker;
  const base = questionInput(asker, callId, question);
  const deployments = base.point === 'model.request' ? candidates(asker, question.resource.id) : [];
  const models = deployments.map((deployment) => modelFacts(question.resource.id, deployment));
  const inputs = models.length === 0 ? [base] : models.map((model) => ({ ...base, model }));
  const results = inputs.map((input, i) => ({
    deployment: deployments[i]?.id ?? '',
    evaluation: current.pdp.evaluate(tenant.policies, input),
  }));
  const places = deployments.map(({ id, model, region, hosting }) => ({ deployment: id, model, region, hosting }));
  const nowhere = { deployment: '', model: '', region: '', hosting: '' };
  return { result: uniteCandidates(results, places.length === 0 ? [nowhere] : places), inputs, results };
}

function candidates({ current, tenant }: Asker, name: string): readonly Parameters<typeof modelFacts>[1][] {
  const route = current.config.models.get(name);
  if (route !== undefined && (tenant.models === null || tenant.models.includes(name))) return route.deployments;
  throw new GatewayError('model_not_found', 'The resource is no model of this tenant.');
}

function questionInput({ services, tenant, principal }: Asker, callId: string, question: AccessQuestion): PolicyInput {
  const { subject, action, resource } = question;
  const about = `${action.name} ${resource.type}`;
  const isModel = about === 'model.request model';
  const isTool = about === 'tool.call tool';
  // An agent that asks about somebody else acts for that person.
  const agent = subject.type === 'agent' ? subject.id : (principal.agent?.id ?? null);
  const roles = texts(subject.properties['roles']);
  return createPolicyInput({
    point: isModel || isTool ? action.name : 'access.evaluation',
    call: { id: callId, parent: null, run: null, turn: null },
    time: policyTime(services.now()),
    tenant: tenantFacts(tenant),
    principal: {
      type: subject.type === 'user' ? 'user' : 'service',
      id: subject.id,
      roles,
      groups: texts(subject.properties['groups']),
      claims: {},
      assurance: null,
    },
    agent: {
      id: agent,
      name: null,
      version: null,
      attested: false,
      delegation: [],
    },
    request: isModel ? emptyRequest() : null,
    tools: { offered: [], call: isTool ? toolCall(resource) : null },
    access: question,
    ...withoutMode(
      services.governance.facts(tenant.id, { agent, principal: subject.id, model: isModel ? resource.id : null }),
    ),
  });
}

/** Whoever asks enforces, so there is nothing here that would only be observed. */
function withoutMode({ mode: _mode, ...facts }: GovernanceFacts): GovernanceFacts {
  return facts;
}

function texts(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function emptyRequest(): PolicyInput['request'] {
  return {
    api: 'authzen',
    stream: false,
    max_tokens: null,
    messages: 0,
    bytes: 0,
    tokens_estimate: 0,
    modalities: ['text'],
    urls: [],
    digest: '',
  };
}

function toolCall({ id, properties }: AccessQuestion['resource']): NonNullable<PolicyInput['tools']['call']> {
  const { args: sent, server } = properties;
  const args = typeof sent === 'object' && sent !== null && !Array.isArray(sent) ? sent : {};
  const digest = hash('sha256', JSON.stringify(args), 'hex');
  return { name: id, server: typeof server === 'string' ? server : null, args, args_digest: digest, targets: [] };
}
