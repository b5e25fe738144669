/**
 * Making a key under the two-person rule: a key with a privileged role comes into being only when a second person has
 * approved exactly that key. The first try leaves a pending request; repeating the same wish after the approval makes
 * the key, once.
 */
import type { Sql, TransactionSql } from 'postgres';
import {
  consumeApproval,
  requestApproval,
  type ApprovalRequest,
  type Party,
  type RecordApproval,
  type Wish,
} from '../../approvals/index.ts';
import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { RecordEvent } from './events.ts';
import { budgetFacts, createKey, wasEverGranted, type CreatedKey, type KeyStore, type KeyWish } from './keys.ts';
import { conflictingRoles, DEPLOYMENT_TENANT, PRIVILEGED_ROLES, type Principal, type Role } from './principal.ts';

export interface GrantStore extends KeyStore {
  readonly sql: Sql;
  /** 32 random lower hex digits. */
  readonly newApprovalId: () => string;
  readonly approvalTtlMs?: number;
  /** Whether a configured token issuer can make somebody an approver; then no key has to be the first. */
  readonly approversByToken: () => boolean;
}

export type GrantResult =
  | { readonly outcome: 'created'; readonly created: CreatedKey }
  | { readonly outcome: 'pending'; readonly request: ApprovalRequest };

const DEFAULT_TTL_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

/**
 * Creates the key, or asks for the approval it needs.
 *
 * @param exemption `bootstrap` only for the very first key, made by the installation itself
 * @throws GatewayError `invalid_request` for roles nobody may hold together; LedgerError when it cannot be recorded
 */
export async function grantKey(
  store: GrantStore,
  wish: KeyWish,
  by: Party,
  exemption: 'bootstrap' | null = null,
): Promise<GrantResult> {
  const conflict = conflictingRoles(wish.roles);
  if (conflict !== null) {
    throw new GatewayError('invalid_request', `One key may not have both ${conflict[0]} and ${conflict[1]}.`, {
      param: 'roles',
    });
  }
  if (wish.tenant === DEPLOYMENT_TENANT && wish.roles.includes('caller')) {
    throw new GatewayError('invalid_request', 'A key with the role caller belongs to a tenant; name one.', {
      param: 'tenant',
    });
  }
  const privileged = wish.roles.filter((role) => PRIVILEGED_ROLES.includes(role));
  if (exemption !== null || privileged.length === 0) {
    const origin = { createdBy: by.id, approval: null, exemption };
    return { outcome: 'created', created: await createKey(store.sql, store, wish, origin) };
  }
  const created = await store.sql.begin((tx) => createApproved(tx, store, wish, privileged, by));
  if (created !== null) return { outcome: 'created', created };
  const options = { nowMs: store.now(), ttlMs: store.approvalTtlMs ?? DEFAULT_TTL_MS, newId: store.newApprovalId };
  const request = await requestApproval(store.sql, approvalWish(wish), by, options, recordApproval(store.record));
  return { outcome: 'pending', request };
}

/** The approval is used up and the key made in one transaction. Null when there is no approval to use. */
async function createApproved(
  tx: TransactionSql,
  store: GrantStore,
  wish: KeyWish,
  privileged: readonly Role[],
  by: Party,
): Promise<CreatedKey | null> {
  // Two first approvers at the same time would be one too many.
  await tx`select pg_advisory_xact_lock(6172938450183)`;
  if (await isFirstApprover(tx, store, wish, privileged)) {
    return createKey(tx, store, wish, { createdBy: by.id, approval: null, exemption: 'first-approver' });
  }
  const used = await consumeApproval(tx, approvalWish(wish), by, store.now(), recordApproval(store.record));
  if (used === null) return null;
  return createKey(tx, store, wish, { createdBy: by.id, approval: used.id, exemption: null });
}

/**
 * Somebody has to be the first who can approve. Only for the whole deployment (its approvers serve every tenant), only
 * once ever, and only when nobody can be an approver by a token.
 */
async function isFirstApprover(
  tx: TransactionSql,
  store: GrantStore,
  wish: KeyWish,
  privileged: readonly Role[],
): Promise<boolean> {
  if (wish.tenant !== DEPLOYMENT_TENANT || privileged.some((role) => role !== 'approver')) return false;
  return !store.approversByToken() && !(await wasEverGranted(tx, DEPLOYMENT_TENANT, 'approver'));
}

function approvalWish(wish: KeyWish): Wish {
  return {
    tenant: wish.tenant === DEPLOYMENT_TENANT ? null : wish.tenant,
    action: 'keys.create',
    subject: {
      tenant: wish.tenant,
      name: wish.name,
      agent: wish.agent,
      models: wish.models === null ? null : [...wish.models],
      roles: [...wish.roles].toSorted(),
      groups: [...wish.groups],
      budget: budgetFacts(wish.budget),
      // To the end of its UTC day, so that repeating the wish with "in 30 days" means the same wish.
      expires_by_ms: wish.expiresMs === null ? null : Math.ceil(wish.expiresMs / DAY_MS) * DAY_MS,
    },
    approverRoles: ['approver'],
  };
}

/** Evidence of the steps of an approval, in the log of the deployment. */
export function recordApproval(record: RecordEvent): RecordApproval {
  return (event, request) =>
    record({
      kind: 'approval',
      tenant: DEPLOYMENT_TENANT,
      facts: {
        event,
        approval: request.id,
        action: request.action,
        digest: request.digest,
        tenant: request.tenant ?? DEPLOYMENT_TENANT,
        expires_ms: request.expiresMs,
      },
      detail: {
        requester: request.requester,
        decided_by: request.decidedBy,
        reason: request.reason,
        subject: { ...request.subject },
      },
    });
}

/** Whether a token issuer of the configuration can make somebody an approver. */
export function approversByToken({ issuers }: Pick<Config, 'issuers'>): boolean {
  return issuers.some(({ defaultRoles, roleMap }) =>
    [defaultRoles, ...roleMap.values()].some((roles) => roles.includes('approver')),
  );
}

/** The principal as a party of approvals. */
export function partyOf(principal: Principal): Party {
  return {
    id: principal.id,
    credential: principal.keyId === null ? principal.id : `key:${principal.keyId}`,
    // A person and an agent acting for that person count as one.
    chain: principal.actors,
    roles: principal.roles,
    tenant: principal.tenant === DEPLOYMENT_TENANT ? null : principal.tenant,
  };
}
