/**
 * What people may do, with its evidence: whatever lets more through takes two people, whatever stops or restricts takes one.
 * The first try of a wish for two leaves a pending approval over exactly this wish; repeating it after somebody else approved
 * it carries it out, once. Evidence, change and the use of the approval are one transaction.
 */
import type { Sql, TransactionSql } from 'postgres';
import type { ApprovalRequest, Party, Wish } from '../../approvals/index.ts';
import { consumeApproval, identitiesOf, requestApproval, requireAnother } from '../../approvals/index.ts';
import type { JsonValue } from '../../ledger/index.ts';
import { DEPLOYMENT } from '../../ledger/index.ts';
import type { RecordEvent } from '../access/events.ts';
import { recordApproval } from '../access/grant.ts';
import { GatewayError } from '../errors.ts';
import type { Change, ChangeKeys, KillSwitch } from './change.ts';
import { insertChange, readAllChanges } from './change.ts';
import type { GovernanceState, TenantState } from './state.ts';
import { applyChange, stateOf } from './state.ts';
import { signWaiver, type Signer, type Unsigned, type Waiver } from './waiver.ts';

export interface GovernanceStore {
  readonly sql: Sql;
  readonly keys: ChangeKeys;
  readonly record: RecordEvent;
  readonly ledger: Signer;
  /** Unix ms. */
  readonly now: () => number;
  /** 32 random lower hex digits. */
  readonly newApprovalId: () => string;
}

export type Governed<Done> =
  { readonly outcome: 'pending'; readonly request: ApprovalRequest } | ({ readonly outcome: 'done' } & Done);

/** Approvals of these wishes are looked at by people: a day. */
const TTL_MS = 86_400_000;
const DAY_MS = 86_400_000;
const MAX_WAIVER_MS = 366 * DAY_MS;
const MAX_OBSERVE_MS = 92 * DAY_MS;
export const MAX_BREAK_GLASS_MINUTES = 240;

export interface SwitchWish extends Pick<KillSwitch, 'kind' | 'target' | 'reason'> {
  /** `_deployment`: for all tenants. */
  readonly tenant: string;
}

/** One person, at once. Answers the id. */
export async function throwSwitch(store: GovernanceStore, wish: SwitchWish, by: Party): Promise<string> {
  const { tenant, kind, target, reason } = wish;
  const id = `ks-${store.newApprovalId()}`;
  const value = { kind, target: kind === 'tenant' ? '' : target, reason, by: by.id, at_ms: store.now() };
  const facts = { action: 'switch.thrown', switch: id, on: kind };
  await store.sql.begin((tx) =>
    change(tx, store, { kind: 'switch', tenant, key: id, id, value }, facts, { target, reason, by: by.id }),
  );
  return id;
}

/** Two people. */
export async function releaseSwitch(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly id: string; readonly reason: string },
  by: Party,
): Promise<Governed<object>> {
  const { tenant, id, reason } = wish;
  const thrown = (await tenantState(store, tenant)).switches.get(id);
  if (thrown === undefined) throw new GatewayError('not_found', 'There is no such switch in force.');
  const { kind, target } = thrown;
  const approval = wishOf(tenant, 'switches.release', { switch: id, kind, target, reason });
  return twoPeople(store, approval, by, (tx, used) =>
    change(
      tx,
      store,
      { kind: 'switch', tenant, key: id, id: `kr-${store.newApprovalId()}`, value: null },
      { action: 'switch.released', switch: id, on: kind, approval: used.id },
      { target, reason, by: by.id, approved_by: used.decidedBy },
    ),
  );
}

export interface WaiverWish extends Pick<Waiver, 'rule' | 'scope' | 'reason'> {
  readonly tenant: string;
  readonly untilMs: number;
}

/** Two people. The id is the approval's, so that repeating the wish names the same waiver. */
export async function makeWaiver(
  store: GovernanceStore,
  wish: WaiverWish,
  by: Party,
): Promise<Governed<{ readonly id: string }>> {
  const { tenant, rule, scope, reason, untilMs } = wish;
  requireUntil(untilMs, store.now(), MAX_WAIVER_MS, 'a waiver');
  let id = '';
  const approval = wishOf(tenant, 'waivers.make', { rule, scope, until: new Date(untilMs).toISOString(), reason });
  const result = await twoPeople(store, approval, by, async (tx, used) => {
    id = used.id.replace(/^ap-/, 'wv-');
    const value = { ...waiverOf(wish, by), break_glass: false, approved_by: used.decidedBy };
    const facts = { action: 'waiver.made', approval: used.id };
    await putWaiver(tx, store, { tenant, key: id, id, value }, facts, { by: by.id, approved_by: used.decidedBy });
  });
  return result.outcome === 'pending' ? result : { outcome: 'done', id };
}

/** One person, in an emergency; stays to be reviewed by somebody else. Answers the id. */
export async function breakGlass(store: GovernanceStore, wish: WaiverWish, by: Party): Promise<string> {
  const { tenant, untilMs } = wish;
  requireUntil(untilMs, store.now(), MAX_BREAK_GLASS_MINUTES * 60_000, 'a broken glass');
  const id = `bg-${store.newApprovalId()}`;
  const value = { ...waiverOf(wish, by), break_glass: true, approved_by: null };
  await store.sql.begin((tx) =>
    putWaiver(tx, store, { tenant, key: id, id, value }, { action: 'glass.broken' }, { by: by.id }),
  );
  return id;
}

function waiverOf(
  { rule, scope, reason, untilMs }: WaiverWish,
  by: Party,
): Omit<Unsigned, 'break_glass' | 'approved_by'> {
  const common = { rule, scope, reason, expires_ms: untilMs, by: by.id, by_identities: [...identitiesOf(by)] };
  return { ...common, reviewed_by: null };
}

/** Somebody else says what they found. A glass that is still broken is mended by that. */
export async function reviewGlass(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly id: string; readonly finding: string },
  by: Party,
): Promise<void> {
  const { tenant, id, finding } = wish;
  const waiver = (await tenantState(store, tenant)).waivers.get(id);
  if (waiver === undefined || !waiver.break_glass || waiver.reviewed_by !== null) {
    throw new GatewayError('not_found', 'There is no broken glass of that id that waits for a review.');
  }
  requireAnother(waiver.by_identities, by);
  const { signature: _, ...before } = waiver;
  const value = { ...before, expires_ms: Math.min(waiver.expires_ms, store.now()), reviewed_by: by.id };
  const row = { tenant, key: id, id: `gr-${store.newApprovalId()}`, value };
  await store.sql.begin((tx) => putWaiver(tx, store, row, { action: 'glass.reviewed' }, { finding, by: by.id }));
}

/** It lifts nothing any more and still waits for its review. */
async function mendGlass(
  store: GovernanceStore,
  { tenant, id, waiver }: { readonly tenant: string; readonly id: string; readonly waiver: Waiver },
  by: Party,
): Promise<void> {
  const { signature: _, ...before } = waiver;
  const value = { ...before, expires_ms: Math.min(waiver.expires_ms, store.now()) };
  const row = { tenant, key: id, id: `we-${store.newApprovalId()}`, value };
  await store.sql.begin((tx) => putWaiver(tx, store, row, { action: 'waiver.ended' }, { by: by.id }));
}

/** With the signature in the row and in the entry. */
async function putWaiver(
  tx: TransactionSql,
  store: GovernanceStore,
  row: { readonly tenant: string; readonly key: string; readonly id: string; readonly value: Unsigned },
  facts: { readonly [name: string]: JsonValue },
  detail: { readonly [name: string]: JsonValue },
): Promise<void> {
  const { value, signed } = signWaiver(store.ledger, row.tenant, row.key, row.value);
  const { rule, expires_ms, signature } = value;
  const about = { ...facts, waiver: row.key, rule, expires_ms, signed_by: signature.wid };
  await change(tx, store, { kind: 'waiver', ...row, value }, about, { ...detail, ...signed });
}

/** One person: it restricts. A broken glass is ended by its review. */
export async function endWaiver(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly id: string },
  by: Party,
): Promise<void> {
  const { tenant, id } = wish;
  const waiver = (await tenantState(store, tenant)).waivers.get(id);
  if (waiver === undefined) throw new GatewayError('not_found', 'There is no such waiver.');
  if (waiver.break_glass) return mendGlass(store, { tenant, id, waiver }, by);
  const row = { kind: 'waiver', tenant, key: id, id: `we-${store.newApprovalId()}`, value: null } as const;
  const facts = { action: 'waiver.ended', waiver: id, rule: waiver.rule };
  await store.sql.begin((tx) => change(tx, store, row, facts, { by: by.id }));
}

/** Two people begin it. */
export function beginObserving(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly untilMs: number; readonly reason: string },
  by: Party,
): Promise<Governed<object>> {
  const { tenant, untilMs, reason } = wish;
  requireUntil(untilMs, store.now(), MAX_OBSERVE_MS, 'observing');
  const approval = wishOf(tenant, 'policy.observe', { until: new Date(untilMs).toISOString(), reason });
  return twoPeople(store, approval, by, (tx, used) =>
    change(
      tx,
      store,
      {
        kind: 'observe',
        tenant,
        key: 'mode',
        id: `ob-${store.newApprovalId()}`,
        value: { until_ms: untilMs, by: by.id, approved_by: used.decidedBy ?? '' },
      },
      { action: 'observe.begun', until_ms: untilMs, approval: used.id },
      { reason, by: by.id, approved_by: used.decidedBy },
    ),
  );
}

/** One person: it restricts. */
export async function endObserving(store: GovernanceStore, tenant: string, by: Party): Promise<void> {
  const row = { kind: 'observe', tenant, key: 'mode', id: `oe-${store.newApprovalId()}`, value: null } as const;
  await store.sql.begin((tx) => change(tx, store, row, { action: 'observe.ended' }, { by: by.id }));
}

/** Everything decided about one tenant, as the database has it now. */
export async function tenantState(
  { sql, keys }: Pick<GovernanceStore, 'sql' | 'keys'>,
  tenant: string,
): Promise<TenantState> {
  const { changes } = await readAllChanges(sql, keys);
  const own = changes.filter((each) => each.tenant === tenant);
  return stateOf(own.reduce(applyChange, new Map()), tenant);
}

/** The same about every tenant and the deployment. */
export async function wholeState({ sql, keys }: Pick<GovernanceStore, 'sql' | 'keys'>): Promise<GovernanceState> {
  const { changes } = await readAllChanges(sql, keys);
  return changes.reduce<GovernanceState>(applyChange, new Map());
}

/** Evidence first, in the tenant's log: when it cannot be recorded nothing changes. */
export async function change(
  tx: TransactionSql,
  { record, keys }: Pick<GovernanceStore, 'record' | 'keys'>,
  row: Change,
  facts: { readonly [name: string]: JsonValue },
  detail: { readonly [name: string]: JsonValue },
): Promise<void> {
  await record({ kind: 'policy', tenant: row.tenant, facts: { ...facts, change: row.id }, detail });
  await insertChange(tx, keys, row);
}

export function wishOf(
  tenant: string,
  action: string,
  subject: Wish['subject'],
  approverRoles: readonly string[] = ['approver', 'policy-approver'],
): Wish {
  return { tenant: tenant === DEPLOYMENT ? null : tenant, action, subject, approverRoles };
}

/** Uses the approval of this wish up and performs it; without one it is asked for. */
export async function twoPeople(
  store: GovernanceStore,
  wish: Wish,
  by: Party,
  perform: (tx: TransactionSql, used: ApprovalRequest) => Promise<void>,
): Promise<Governed<object>> {
  if (await useApproval(store, wish, by, perform)) return { outcome: 'done' };
  const { sql, now, record, newApprovalId } = store;
  const options = { nowMs: now(), ttlMs: TTL_MS, newId: newApprovalId };
  return { outcome: 'pending', request: await requestApproval(sql, wish, by, options, recordApproval(record)) };
}

/** False: there is no approval of this requester for exactly this wish. */
export function useApproval(
  { sql, now, record }: GovernanceStore,
  wish: Wish,
  requester: Party,
  perform: (tx: TransactionSql, used: ApprovalRequest) => Promise<void>,
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const used = await consumeApproval(tx, wish, requester, now(), recordApproval(record));
    if (used !== null) await perform(tx, used);
    return used !== null;
  });
}

function requireUntil(untilMs: number, nowMs: number, longestMs: number, what: string): void {
  if (untilMs > nowMs && untilMs - nowMs <= longestMs) return;
  const last = new Date(nowMs + longestMs).toISOString();
  throw new GatewayError('invalid_request', `Expected an end of ${what} between now and ${last}.`, { param: 'until' });
}
