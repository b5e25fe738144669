/**
 * The two-person rule as a pure state machine:
 *
 *   pending ─approve─▶ approved ─consume─▶ consumed      pending ─deny─▶ denied      pending, approved ─time─▶ expired
 *
 * An approval holds for one digest, one requester, once, and for a limited time.
 */
import { ApprovalError } from './errors.ts';
import { identitiesOf, type ApprovalRequest, type ApprovalState, type Party } from './request.ts';

/** What the second person says. */
export type Verdict = 'approve' | 'deny';

/** The state at a time: an open request past its time has expired whether or not anyone wrote that down. */
export function stateAt(request: ApprovalRequest, nowMs: number): ApprovalState {
  const open = request.state === 'pending' || request.state === 'approved';
  return open && nowMs >= request.expiresMs ? 'expired' : request.state;
}

/**
 * The request after a second person decided.
 *
 * @throws ApprovalError `expired`, `not_pending`, `other_tenant`, `role_missing`, `same_person`
 */
export function decide(
  request: ApprovalRequest,
  verdict: Verdict,
  by: Party,
  nowMs: number,
  reason: string | null,
): ApprovalRequest {
  expectState(request, 'pending', nowMs);
  if (by.tenant !== null && by.tenant !== request.tenant) {
    throw new ApprovalError('other_tenant', 'This request belongs to another tenant.');
  }
  if (!by.roles.some((role) => request.approverRoles.includes(role))) {
    const wanted = request.approverRoles.join(' or ');
    throw new ApprovalError(
      'role_missing',
      `Deciding this request needs the role ${wanted}; you have ${by.roles.join(', ') || 'none'}.`,
    );
  }
  const identities = requireAnother(request.requesterIdentities, by);
  return {
    ...request,
    state: verdict === 'approve' ? 'approved' : 'denied',
    decidedBy: by.id,
    decidedIdentities: identities,
    decidedMs: nowMs,
    reason,
  };
}

/**
 * The identities of a party who is somebody else than the person with these.
 *
 * @throws ApprovalError `same_person`
 */
export function requireAnother(than: readonly string[], by: Party): readonly string[] {
  const identities = identitiesOf(by);
  if (!identities.some((identity) => than.includes(identity))) return identities;
  throw new ApprovalError(
    'same_person',
    'Whoever asked cannot decide, also not through the same credential or on behalf of each other.',
  );
}

/**
 * The request after its one use.
 *
 * @throws ApprovalError `expired` or `not_pending` (also when it is not approved or was used before)
 */
export function consume(request: ApprovalRequest, nowMs: number): ApprovalRequest {
  expectState(request, 'approved', nowMs);
  return { ...request, state: 'consumed', consumedMs: nowMs };
}

function expectState(request: ApprovalRequest, expected: ApprovalState, nowMs: number): void {
  const state = stateAt(request, nowMs);
  if (state === expected) return;
  if (state === 'expired') throw new ApprovalError('expired', 'This request has expired; ask again.');
  throw new ApprovalError('not_pending', `Expected a request that is ${expected}, found one that is ${state}.`);
}
