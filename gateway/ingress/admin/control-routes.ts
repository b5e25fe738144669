/** Kill switches, waivers, broken glass and observing. Whatever lets more through takes two people. */
import { z } from 'zod';
import { DEPLOYMENT } from '../../../ledger/index.ts';
import type { RuleMetadata } from '../../../policies/index.ts';
import {
  beginObserving,
  breakGlass,
  endObserving,
  endWaiver,
  makeWaiver,
  MAX_BREAK_GLASS_MINUTES,
  releaseSwitch,
  reviewGlass,
  throwSwitch,
} from '../../governance/desk.ts';
import { stateOf } from '../../governance/state.ts';
import { requireWaivable } from '../../governance/waivable.ts';
import type { Current } from '../../services.ts';
import { governanceStore, heard, pending, stateAnswer, tenantOf } from './governance-answer.ts';
import { answer, route, type AdminRoute } from './route.ts';

const tenant = z.string().max(41).describe('Tenant it is about.');
const reason = z.string().min(1).max(500).describe('Kept with the evidence; name nobody in it.');
const rule = z
  .string()
  .regex(/^[a-z0-9_.-]{1,128}$/)
  .describe('Id of the rule whose objection is lifted, as decisions name it.');
const scope = z
  .string()
  .regex(/^(?:tenant|(?:agent|principal|model):.{1,256})$/)
  .default('tenant')
  .describe('tenant, agent:<id>, principal:<id> or model:<name>');
const until = z.iso.datetime({ offset: true }).describe('End, with its time zone.');
const switchBody = z.strictObject({
  tenant: tenant.optional(),
  kind: z.enum(['tenant', 'agent', 'model', 'tool']).describe('What is stopped.'),
  target: z.string().max(256).default('').describe('Its name; nothing for the tenant itself.'),
  reason,
});

const TWO_PEOPLE = { 403: 'Denied, or `approval_required` with the approval.' } as const;

const SWITCH_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/switches',
    verb: 'switches.throw',
    summary:
      'Stops a tenant, an agent, a model or a tool, everywhere within 5 seconds; without a tenant for all of them.',
    body: switchBody,
    answers: { 201: 'The switch.' },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, body: { kind, target, reason: why } }) => {
      const wish = { tenant: about ?? DEPLOYMENT, kind, target, reason: why };
      const id = await throwSwitch(governanceStore(deps), wish, party);
      await heard(deps);
      return answer({ id }, 201);
    },
  }),
  route({
    method: 'GET',
    path: '/api/switches',
    verb: 'switches.list',
    summary: 'Switches in force.',
    answers: { 200: 'The switches.' },
    evidence: 'access',
    handle: async ({ deps, scope: about }) => {
      await deps.governance.refresh();
      const { switches } = stateAnswer(stateOf(deps.governance.state, about ?? DEPLOYMENT), deps.now());
      return answer({ switches: switches ?? [] });
    },
  }),
  route({
    method: 'POST',
    path: '/api/switches/{id}/release',
    verb: 'switches.release',
    summary: 'Lets what was stopped go on. Needs an approval: repeat the request after it.',
    id: /^ks-[0-9a-f]{32}$/,
    body: z.strictObject({ tenant: tenant.optional(), reason }),
    answers: { 200: 'Released.', ...TWO_PEOPLE },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, id, body }) => {
      const wish = { tenant: about ?? DEPLOYMENT, id, reason: body.reason };
      const result = await releaseSwitch(governanceStore(deps), wish, party);
      if (result.outcome === 'pending') return pending(result.request);
      await heard(deps);
      return answer({ released: id });
    },
  }),
];

/** The rules of each policy of a tenant. */
function rulesOf({ config, pdp }: Current, tenant: string): RuleMetadata[][] {
  const { policies = [] } = config.tenants.get(tenant) ?? {};
  return policies.map((name) => pdp.bodies(name).flatMap(({ about }) => about ?? []));
}

const WAIVER_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/waivers',
    verb: 'waivers.make',
    summary: 'Lifts the objection of one rule for a while. Needs an approval: repeat the request after it.',
    body: z.strictObject({ tenant, rule, scope, until, reason }),
    answers: { 201: 'The waiver.', ...TWO_PEOPLE },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, body }) => {
      const wish = { ...body, tenant: tenantOf(about), untilMs: Date.parse(body.until) };
      requireWaivable(wish.rule, rulesOf(deps.current(), wish.tenant));
      const result = await makeWaiver(governanceStore(deps), wish, party);
      if (result.outcome === 'pending') return pending(result.request);
      await heard(deps);
      return answer({ id: result.id }, 201);
    },
  }),
  route({
    method: 'GET',
    path: '/api/waivers',
    verb: 'waivers.list',
    summary: 'Waivers in force, and broken glass that waits for its review.',
    answers: { 200: 'The waivers.' },
    evidence: 'access',
    handle: async ({ deps, scope: about }) => {
      await deps.governance.refresh();
      const state = stateAnswer(stateOf(deps.governance.state, tenantOf(about)), deps.now());
      return answer({ waivers: state['waivers'] ?? [], to_review: state['to_review'] ?? [] });
    },
  }),
  route({
    method: 'POST',
    path: '/api/waivers/{id}/end',
    verb: 'waivers.end',
    summary: 'Ends a waiver, or broken glass, before its time. Broken glass still waits for its review.',
    id: /^(?:wv|bg)-[0-9a-f]{32}$/,
    body: z.strictObject({ tenant }),
    answers: { 200: 'Ended.', 404: 'No such waiver.' },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, id }) => {
      await endWaiver(governanceStore(deps), { tenant: tenantOf(about), id }, party);
      await heard(deps);
      return answer({ ended: id });
    },
  }),
  route({
    method: 'POST',
    path: '/api/break-glass',
    verb: 'break_glass.open',
    summary: 'Lifts the objection of one rule at once, for minutes; it stays open until somebody else has reviewed it.',
    body: z.strictObject({
      tenant,
      rule,
      scope,
      minutes: z.int().min(1).max(MAX_BREAK_GLASS_MINUTES).default(60).describe('How long.'),
      reason,
    }),
    answers: { 201: 'The waiver.' },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, body: { minutes, ...body } }) => {
      const wish = { ...body, tenant: tenantOf(about), untilMs: deps.now() + minutes * 60_000 };
      requireWaivable(wish.rule, rulesOf(deps.current(), wish.tenant));
      const id = await breakGlass(governanceStore(deps), wish, party);
      await heard(deps);
      return answer({ id, until: new Date(wish.untilMs).toISOString() }, 201);
    },
  }),
  route({
    method: 'POST',
    path: '/api/break-glass/{id}/review',
    verb: 'break_glass.review',
    summary: 'Says what a look at it found, and ends it. Not by whoever broke it.',
    id: /^bg-[0-9a-f]{32}$/,
    body: z.strictObject({ tenant, finding: z.string().min(1).max(2000).describe('What was found.') }),
    answers: { 200: 'Reviewed.', 403: 'You broke it yourself, or lack the role.', 404: 'Nothing to review.' },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, id, body }) => {
      const wish = { tenant: tenantOf(about), id, finding: body.finding };
      await reviewGlass(governanceStore(deps), wish, party);
      await heard(deps);
      return answer({ reviewed: id });
    },
  }),
];

const OBSERVE_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'POST',
    path: '/api/policy/observe',
    verb: 'policy.observe',
    summary:
      'A tenant only observes for a while: denials are recorded and not applied. Needs an approval: repeat it after that.',
    body: z.strictObject({ tenant, until, reason }),
    answers: { 200: 'Observing.', ...TWO_PEOPLE },
    evidence: 'own',
    handle: async ({ deps, party, scope: about, body }) => {
      const wish = { tenant: tenantOf(about), untilMs: Date.parse(body.until), reason: body.reason };
      const result = await beginObserving(governanceStore(deps), wish, party);
      if (result.outcome === 'pending') return pending(result.request);
      await heard(deps);
      return answer({ observing_until: new Date(wish.untilMs).toISOString() });
    },
  }),
  route({
    method: 'POST',
    path: '/api/policy/observe/end',
    verb: 'policy.observe',
    summary: 'Denials are applied again from now on.',
    body: z.strictObject({ tenant }),
    answers: { 200: 'Enforcing.' },
    evidence: 'own',
    handle: async ({ deps, party, scope: about }) => {
      await endObserving(governanceStore(deps), tenantOf(about), party);
      await heard(deps);
      return answer({ observing_until: null });
    },
  }),
];

export const CONTROL_ROUTES: readonly AdminRoute[] = [...SWITCH_ROUTES, ...WAIVER_ROUTES, ...OBSERVE_ROUTES];
