/**
 * Approval requests in PostgreSQL. Every change is recorded as evidence while the row is locked and before it is
 * committed: when recording fails nothing changes, and a crash in between leaves evidence of a change that had no effect,
 * never an effect without evidence.
 */
import type { Sql, TransactionSql } from 'postgres';
import { ApprovalError } from './errors.ts';
import {
  identitiesOf,
  wishDigest,
  type ApprovalRequest,
  type ApprovalState,
  type JsonValue,
  type Party,
  type Wish,
} from './request.ts';
import { consume, decide, stateAt, type Verdict } from './rule.ts';

/** A step of a request that is recorded as evidence. */
export type ApprovalEvent = 'requested' | 'approved' | 'denied' | 'consumed';

/** Makes a change durable as evidence; rejects to refuse the change. */
export type RecordApproval = (event: ApprovalEvent, request: ApprovalRequest) => Promise<void>;

/** Clock, life time and identity of a new request. */
export interface RequestOptions {
  readonly nowMs: number;
  /** How long the request may be decided and used. */
  readonly ttlMs: number;
  /** 32 random lower hex digits. */
  readonly newId: () => string;
}

/** Longest time between the wish and its use. */
export const MAX_TTL_MS = 86_400_000;
const PAGE = 200;

/**
 * The open request for this wish of this requester, made if there is none.
 *
 * @throws ApprovalError `invalid_request`
 */
export async function requestApproval(
  sql: Sql,
  wish: Wish,
  by: Party,
  options: RequestOptions,
  record: RecordApproval,
): Promise<ApprovalRequest> {
  const digest = wishDigest(wish);
  const { nowMs } = options;
  return sql.begin(async (tx) => {
    // Serialises identical wishes, so that one request is recorded once.
    await tx`select pg_advisory_xact_lock(hashtextextended(${`${digest} ${by.id}`}, 0))`;
    await tx`
      update approvals.requests set state = 'expired'
      where digest = ${digest} and requester = ${by.id} and state in ('pending', 'approved') and expires_ms <= ${nowMs}`;
    const open = await openRequest(tx, digest, by.id);
    if (open !== null) return open;
    const request = newRequest(wish, digest, by, options);
    await record('requested', request);
    await insertRequest(tx, request);
    return request;
  });
}

function newRequest(wish: Wish, digest: string, by: Party, options: RequestOptions): ApprovalRequest {
  return {
    ...wish,
    id: `ap-${options.newId()}`,
    digest,
    requester: by.id,
    requesterIdentities: identitiesOf(by),
    state: 'pending',
    createdMs: options.nowMs,
    expiresMs: options.nowMs + Math.min(options.ttlMs, MAX_TTL_MS),
    decidedBy: null,
    decidedIdentities: null,
    decidedMs: null,
    reason: null,
    consumedMs: null,
  };
}

/**
 * A second person's verdict.
 *
 * @throws ApprovalError see `decide`; `not_found`
 */
export async function decideApproval(
  sql: Sql,
  verdict: { readonly id: string; readonly verdict: Verdict; readonly by: Party; readonly reason: string | null },
  nowMs: number,
  record: RecordApproval,
): Promise<ApprovalRequest> {
  return sql.begin(async (tx) => {
    const [row] = await tx<Row[]>`select ${columns(tx)} from approvals.requests where id = ${verdict.id} for update`;
    // A tenant's approver cannot tell another tenant's request from one that does not exist.
    const hidden = row !== undefined && verdict.by.tenant !== null && row.tenant !== verdict.by.tenant;
    if (row === undefined || hidden) throw new ApprovalError('not_found', 'There is no such request.');
    const decided = decide(fromRow(row), verdict.verdict, verdict.by, nowMs, verdict.reason);
    await record(verdict.verdict === 'approve' ? 'approved' : 'denied', decided);
    await tx`
      update approvals.requests set state = ${decided.state}, decided_by = ${decided.decidedBy},
        decided_identities = ${[...(decided.decidedIdentities ?? [])]}, decided_ms = ${nowMs}, reason = ${decided.reason}
      where id = ${decided.id}`;
    return decided;
  });
}

/**
 * Uses the approval of this wish up, inside the transaction that performs it: both happen or neither. Null when there is
 * no approved, unexpired request of this requester for exactly this wish.
 */
export async function consumeApproval(
  tx: TransactionSql,
  wish: Wish,
  by: Party,
  nowMs: number,
  record: RecordApproval,
): Promise<ApprovalRequest | null> {
  const found = await openRequest(tx, wishDigest(wish), by.id);
  if (found === null || stateAt(found, nowMs) !== 'approved') return null;
  const consumed = consume(found, nowMs);
  await record('consumed', consumed);
  await tx`update approvals.requests set state = 'consumed', consumed_ms = ${nowMs} where id = ${consumed.id}`;
  return consumed;
}

/** Newest first, at most 200; `tenant` null lists all tenants. States are as of `nowMs`. */
export async function listApprovals(
  sql: Sql,
  filter: { readonly tenant: string | null; readonly state?: ApprovalState },
  nowMs: number,
): Promise<ApprovalRequest[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from approvals.requests
    where ${filter.tenant === null ? sql`true` : sql`tenant = ${filter.tenant}`}
    order by created_ms desc, id desc limit ${PAGE}`;
  const requests = rows.map(fromRow).map((request) => ({ ...request, state: stateAt(request, nowMs) }));
  return filter.state === undefined ? requests : requests.filter((request) => request.state === filter.state);
}

interface Row {
  readonly id: string;
  readonly tenant: string;
  readonly action: string;
  readonly digest: string;
  readonly subject: Record<string, JsonValue>;
  readonly approver_roles: string[];
  readonly requester: string;
  readonly requester_identities: string[];
  readonly state: ApprovalState;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly decided_by: string | null;
  readonly decided_identities: string[] | null;
  readonly decided_ms: number | null;
  readonly reason: string | null;
  readonly consumed_ms: number | null;
}

/** The tenant column of requests about the whole deployment. */
const DEPLOYMENT = '_deployment';

function columns(sql: Sql | TransactionSql): ReturnType<Sql> {
  // Milliseconds fit a double exactly; int8 would arrive as text.
  return sql`id, tenant, action, digest, subject, approver_roles, requester, requester_identities, state,
    created_ms::float8 as created_ms, expires_ms::float8 as expires_ms, decided_by, decided_identities,
    decided_ms::float8 as decided_ms, reason, consumed_ms::float8 as consumed_ms`;
}

async function openRequest(tx: TransactionSql, digest: string, requester: string): Promise<ApprovalRequest | null> {
  const [row] = await tx<Row[]>`
    select ${columns(tx)} from approvals.requests
    where digest = ${digest} and requester = ${requester} and state in ('pending', 'approved') for update`;
  return row === undefined ? null : fromRow(row);
}

async function insertRequest(tx: TransactionSql, request: ApprovalRequest): Promise<void> {
  await tx`
    insert into approvals.requests
      (id, tenant, action, digest, subject, approver_roles, requester, requester_identities, state, created_ms, expires_ms)
    values (${request.id}, ${request.tenant ?? DEPLOYMENT}, ${request.action}, ${request.digest}, ${tx.json(request.subject)},
      ${[...request.approverRoles]}, ${request.requester}, ${[...request.requesterIdentities]}, ${request.state},
      ${request.createdMs}, ${request.expiresMs})`;
}

function fromRow(row: Row): ApprovalRequest {
  return {
    id: row.id,
    tenant: row.tenant === DEPLOYMENT ? null : row.tenant,
    action: row.action,
    digest: row.digest,
    subject: row.subject,
    approverRoles: row.approver_roles,
    requester: row.requester,
    requesterIdentities: row.requester_identities,
    state: row.state,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    decidedBy: row.decided_by,
    decidedIdentities: row.decided_identities,
    decidedMs: row.decided_ms,
    reason: row.reason,
    consumedMs: row.consumed_ms,
  };
}
