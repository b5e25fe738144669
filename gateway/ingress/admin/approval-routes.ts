/** The second person's side of the two-person rule. */
import { z } from 'zod';
import { decideApproval, listApprovals, type ApprovalRequest, type Verdict } from '../../../approvals/index.ts';
import type { JsonValue } from '../../../ledger/index.ts';
import { recordApproval } from '../../access/grant.ts';
import { answer, route, type AdminRoute } from './route.ts';

const listQuery = z.object({
  state: z.enum(['pending', 'approved', 'denied', 'expired', 'consumed']).optional().describe('Only these.'),
});
const verdictBody = z.strictObject({ reason: z.string().max(2000).optional() });

function verdictRoute(verdict: Verdict, summary: string): AdminRoute {
  return route({
    method: 'POST',
    path: `/api/approvals/{id}/${verdict}`,
    verb: 'approvals.decide',
    summary,
    id: /^ap-[0-9a-f]{32}$/,
    body: verdictBody,
    answers: {
      200: 'The decided request.',
      403: 'You asked yourself, or lack the role.',
      409: 'Decided before, or expired.',
    },
    evidence: 'own',
    handle: async ({ deps, party, id, body }) => {
      const wanted = { id, verdict, by: party, reason: body.reason ?? null };
      return answer(publicRequest(await decideApproval(deps.sql, wanted, deps.now(), recordApproval(deps.record))));
    },
  });
}

export const APPROVAL_ROUTES: readonly AdminRoute[] = [
  route({
    method: 'GET',
    path: '/api/approvals',
    verb: 'approvals.list',
    summary: 'Approval requests, newest first, with everything they would allow.',
    query: listQuery,
    answers: { 200: 'Up to 200 requests.' },
    evidence: 'access',
    handle: async ({ deps, scope, query }) => {
      const filter = { tenant: scope, ...(query.state === undefined ? {} : { state: query.state }) };
      const requests = await listApprovals(deps.sql, filter, deps.now());
      return answer({ approvals: requests.map(publicRequest) });
    },
  }),
  verdictRoute('approve', 'Approves a request of somebody else; it can then be repeated once.'),
  verdictRoute('deny', 'Denies a request of somebody else.'),
];

function publicRequest(request: ApprovalRequest): JsonValue {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: request.id,
    tenant: request.tenant,
    action: request.action,
    subject: { ...request.subject },
    digest: request.digest,
    state: request.state,
    approver_roles: [...request.approverRoles],
    requester: request.requester,
    created_at: iso(request.createdMs),
    expires_at: iso(request.expiresMs),
    decided_by: request.decidedBy,
    decided_at: iso(request.decidedMs),
    reason: request.reason,
    consumed_at: iso(request.consumedMs),
  };
}
