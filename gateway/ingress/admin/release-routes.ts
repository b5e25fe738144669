/** Releases: an author asks with a bundle, an approver says yes, one command goes back. */
import { z } from 'zod';
import type { JsonValue } from '../../../ledger/index.ts';
import {
  approveRelease,
  endShadow,
  findReleaseBundle,
  readReleaseBundle,
  requestRelease,
  rollback,
} from '../../governance/release-desk.ts';
import { governanceReport } from '../../governance/report.ts';
import { stateOf } from '../../governance/state.ts';
import { GatewayError } from '../../errors.ts';
import type { AdminDeps } from './deps.ts';
import { governanceStore, heard, pending, stateAnswer, tenantOf } from './governance-answer.ts';
import { answer, route, type AdminRoute } from './route.ts';

const tenant = z.string().max(41).describe('Tenant it is about.');
const bundle = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
  .describe('Name of the bundle among the policies of the tenant.');
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const reason = z.string().min(1).max(500).describe('Kept with the evidence; name nobody in it.');

/** A bundle of the largest size, in base64. */
const RELEASE_BYTES = 24 * 1024 * 1024;

const releaseBody = z.strictObject({
  tenant,
  bundle,
  archive: z.base64().optional().describe('The bundle (.tar.gz), or'),
  digest: hex.optional().describe('the digest of one that was sent before.'),
  stage: z.enum(['active', 'shadow']).default('active').describe('shadow: tried beside the active one, only recorded.'),
  report: hex.optional().describe('SHA-256 of the review report it is released with.'),
});

export const RELEASE_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/policy/status',
    verb: 'policy.status',
    summary: 'Which bundles decide and which are tried, waivers, switches, broken glass to review; by tenant.',
    answers: { 200: 'The state of the tenants.' },
    evidence: 'access',
    handle: async ({ deps, scope }) => {
      await deps.governance.refresh();
      const tenants = scope === null ? [...deps.current().config.tenants.keys()] : [scope];
      return answer({ tenants: tenants.map((id) => tenantAnswer(deps, id)) });
    },
  }),
  route({
    method: 'GET',
    path: '/api/policy/report',
    verb: 'policy.status',
    summary:
      'What would have been blocked while a tenant observed, how candidates compare, waivers and switches that took part.',
    query: z.object({
      days: z.coerce.number().int().min(1).max(3660).default(7).describe('Days back from now.'),
    }),
    answers: { 200: 'The counts.' },
    evidence: 'access',
    handle: async ({ deps, scope, query }) => {
      const [id, toMs] = [tenantOf(scope), deps.now()];
      const report = await governanceReport(deps.sql, id, { fromMs: toMs - query.days * 86_400_000, toMs });
      return answer({ tenant: id, days: query.days, ...(report as unknown as { [name: string]: JsonValue }) });
    },
  }),
  route({
    method: 'POST',
    path: '/api/policy/releases',
    verb: 'policy.propose',
    summary:
      'Asks for a release. Needs the approval of a policy-approver, who may carry it out; or repeat the request after it.',
    body: releaseBody,
    bodyBytes: RELEASE_BYTES,
    answers: { 200: 'Released.', 403: 'Denied, or `approval_required` with the approval.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      const store = governanceStore(deps);
      if ((body.archive === undefined) === (body.digest === undefined)) {
        throw new GatewayError('invalid_request', 'Expected either archive or digest.', { param: 'archive' });
      }
      const sent =
        body.archive === undefined
          ? await findReleaseBundle(store, body.digest ?? '', body.bundle)
          : readReleaseBundle(Buffer.from(body.archive, 'base64'), body.bundle);
      const wish = { tenant: tenantOf(scope), bundle: sent, stage: body.stage, report: body.report ?? null };
      const result = await requestRelease(store, wish, party);
      if (result.outcome === 'pending') return pending(result.request);
      await heard(deps);
      return answer({ released: { ...sent.identity } });
    },
  }),
  route({
    method: 'POST',
    path: '/api/policy/releases/{id}/approve',
    verb: 'policy.activate',
    summary: 'Approves a release of somebody else and carries it out.',
    id: /^ap-[0-9a-f]{32}$/,
    answers: { 200: 'Released.', 403: 'You asked yourself, or lack the role.', 409: 'Decided before, or expired.' },
    evidence: 'own',
    handle: async ({ deps, party, id }) => {
      await approveRelease(governanceStore(deps), id, party);
      await heard(deps);
      return answer({ released: id });
    },
  }),
  route({
    method: 'POST',
    path: '/api/policy/rollback',
    verb: 'policy.rollback',
    summary: 'Back to the version that was in force before, at once.',
    body: z.strictObject({ tenant, bundle, reason }),
    answers: { 200: 'What is in force now; digest null: what the configuration names.', 409: 'Nothing is released.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      const wish = { tenant: tenantOf(scope), bundle: body.bundle, reason: body.reason };
      const digest = await rollback(governanceStore(deps), wish, party);
      await heard(deps);
      return answer({ bundle: body.bundle, digest });
    },
  }),
  route({
    method: 'POST',
    path: '/api/policy/shadow/end',
    verb: 'policy.rollback',
    summary: 'A candidate is not tried any more.',
    body: z.strictObject({ tenant, bundle }),
    answers: { 200: 'Ended.', 404: 'No candidate of that bundle.' },
    evidence: 'own',
    handle: async ({ deps, party, scope, body }) => {
      await endShadow(governanceStore(deps), { tenant: tenantOf(scope), bundle: body.bundle }, party);
      await heard(deps);
      return answer({ ended: body.bundle });
    },
  }),
];

function tenantAnswer({ current, governance, now }: AdminDeps, id: string): JsonValue {
  const { bundles } = current();
  return {
    tenant: id,
    policies: (bundles.get(id) ?? []).map((each) => ({ ...each })),
    ...stateAnswer(stateOf(governance.state, id), now()),
  };
}
