/** Governance as JSON, and the answer to a wish that a second person has to approve first. */
import { randomBytes } from 'node:crypto';
import type { ApprovalRequest } from '../../../approvals/index.ts';
import type { JsonValue } from '../../../ledger/index.ts';
import type { GovernanceStore } from '../../governance/desk.ts';
import type { TenantState } from '../../governance/state.ts';
import { GatewayError } from '../../errors.ts';
import type { AdminDeps } from './deps.ts';
import { answer, type AdminAnswer } from './route.ts';

export function governanceStore({ sql, keys, record, ledger, now }: AdminDeps): GovernanceStore {
  return { sql, keys, record, ledger, now, newApprovalId: () => randomBytes(16).toString('hex') };
}

/** Other processes hear of it within seconds, this one at once. What is durable is done, whether or not this succeeds. */
export async function heard({ governance }: AdminDeps): Promise<void> {
  await governance.refresh().catch(() => undefined);
}

/** @throws GatewayError `invalid_request` when the request names no tenant */
export function tenantOf(scope: string | null): string {
  if (scope !== null) return scope;
  throw new GatewayError('invalid_request', 'Name the tenant it is about.', { param: 'tenant' });
}

export function pending({ id, expiresMs }: ApprovalRequest): AdminAnswer {
  const message = `A second person has to approve this first (approval ${id}). Repeat the same request afterwards.`;
  const { error } = new GatewayError('approval_required', message).toOpenAi();
  return answer({ error: { ...error, approval: { id, expires_at: new Date(expiresMs).toISOString() } } }, 403);
}

/** What people decided about a tenant; `nowMs` tells what has run out. */
export function stateAnswer(state: TenantState, nowMs: number): { [name: string]: JsonValue } {
  const { observation } = state;
  return {
    releases: [...state.releases.values()].map((release) => ({ ...release })),
    shadows: [...state.shadows.values()].map((release) => ({ ...release })),
    observing_until: observation !== null && observation.until_ms > nowMs ? iso(observation.until_ms) : null,
    waivers: [...state.waivers]
      .filter(([, { expires_ms: expiresMs }]) => expiresMs > nowMs)
      .map(
        ([
          id,
          { rule, scope, reason, expires_ms: until, break_glass: glass, by, approved_by: approver, signature },
        ]) => ({
          id,
          rule,
          scope,
          reason,
          until: iso(until),
          break_glass: glass,
          by,
          approved_by: approver,
          signature: { ...signature },
        }),
      ),
    to_review: [...state.waivers]
      .filter(([, { break_glass: glass, reviewed_by: reviewer }]) => glass && reviewer === null)
      .map(([id, { rule, scope, reason, expires_ms: until, by }]) => ({
        id,
        rule,
        scope,
        reason,
        until: iso(until),
        by,
      })),
    switches: [...state.switches].map(([id, { kind, target, reason, by, at_ms: at }]) => ({
      id,
      kind,
      target,
      reason,
      by,
      since: iso(at),
    })),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
