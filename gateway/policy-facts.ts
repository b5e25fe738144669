/**
 * The parts of a policy input that are the same for many calls: of a principal, a tenant, a deployment, and what has
 * nothing to say yet. Made once and shared with the ledger, which then writes their text once.
 */
import { shareJson } from '../ledger/index.ts';
import type { PolicyInput } from '../policies/index.ts';
import type { Principal } from './access/principal.ts';
import type { Tenant } from './config.ts';
import type { CallScope } from './governance/governance.ts';
import type { Deployment } from './upstream/upstream.ts';

export const NOTHING_CLAIMED = shareJson<Pick<PolicyInput, 'claimed' | 'purpose' | 'data' | 'session'>>({
  claimed: {},
  purpose: { declared: null, use_case: null, eu_risk: null },
  data: { classification: null, residency: [] },
  session: { tool_calls: 0, denials: 0, taint: [], history: [] },
});
for (const part of Object.values(NOTHING_CLAIMED)) shareJson(part);

export const NO_TOOLS = shareJson<PolicyInput['tools']>({ offered: [], call: null });

/** Remembers what was made of an object for as long as the object lives, ready for the ledger. */
export function perObject<From extends object, To extends object>(make: (from: From) => To): (from: From) => To {
  const known = new WeakMap<From, To>();
  return (from) => {
    const found = known.get(from);
    if (found !== undefined) return found;
    const made = shareJson(make(from));
    known.set(from, made);
    return made;
  };
}

export const tenantFacts = perObject((tenant: Tenant): PolicyInput['tenant'] => ({
  id: tenant.id,
  region: tenant.region,
  frameworks: [...tenant.frameworks],
  labels: { ...tenant.labels },
}));

export const principalFacts = perObject((principal: Principal): PolicyInput['principal'] => ({
  type: principal.type,
  id: principal.id,
  roles: [...principal.roles],
  groups: [...principal.groups],
  claims: { ...principal.claims },
  assurance: principal.assurance,
}));

export const agentFacts = perObject((principal: Principal): PolicyInput['agent'] => ({
  id: principal.agent?.id ?? null,
  name: null,
  version: null,
  attested: principal.agent !== null,
  delegation: [...principal.actors].reverse(),
}));

/** Whom and what a call is about, for waivers. */
export function scopeOf({ id, agent }: Principal, model: string): CallScope {
  return { principal: id, agent: agent?.id ?? null, model };
}

const deploymentFacts = perObject((deployment: Deployment): NonNullable<PolicyInput['model']> => ({
  requested: deployment.model,
  provider: deployment.provider,
  deployment: deployment.id,
  model: deployment.model,
  region: deployment.region,
  family: deployment.family,
  hosting: deployment.hosting,
  retention_days: deployment.retentionDays,
  trains_on_data: deployment.trainsOnData,
  tags: [...deployment.tags],
}));

export function modelFacts(requested: string, deployment: Deployment): NonNullable<PolicyInput['model']> {
  const facts = deploymentFacts(deployment);
  return requested === deployment.model ? facts : { ...facts, requested };
}
