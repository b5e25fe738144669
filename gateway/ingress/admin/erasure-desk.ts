/**
 * Erasure and the end of a legal hold under the two-person rule: the first try leaves a pending approval over exactly these keys;
 * repeating the same wish after somebody else approved it carries it out, once.
 */
import type { Sql } from 'postgres';
import {
  consumeApproval,
  requestApproval,
  type ApprovalRequest,
  type Party,
  type Wish,
} from '../../../approvals/index.ts';
import {
  addHold,
  eraseKeys,
  findPerson,
  MAX_KEYS,
  readHolds,
  releaseHold,
  requireErasable,
  type ErasureDesk,
  type Erased,
  type Found,
  type Hold,
  type LegalBasis,
  type Person,
} from '../../../ledger/index.ts';
import type { RecordEvent } from '../../access/events.ts';
import { recordApproval } from '../../access/grant.ts';
import { GatewayError } from '../../errors.ts';

export interface ErasureStore extends ErasureDesk {
  readonly sql: Sql;
  readonly record: RecordEvent;
  /** Unix ms. */
  readonly now: () => number;
  /** 32 random lower hex digits. */
  readonly newApprovalId: () => string;
}

export interface ErasureWish {
  readonly tenant: string;
  readonly person: Person;
  readonly basis: LegalBasis;
  readonly reason: string;
}

export type ErasureResult =
  | { readonly outcome: 'pending'; readonly request: ApprovalRequest; readonly found: Found }
  | { readonly outcome: 'nothing'; readonly found: Found }
  | { readonly outcome: 'erased'; readonly erased: Erased; readonly found: Found };

export type ReleaseResult =
  | { readonly outcome: 'pending'; readonly request: ApprovalRequest }
  | { readonly outcome: 'released'; readonly hold: Hold };

/** Somebody has to look at it first: longer than for a key. */
const TTL_MS = 86_400_000;

/** @throws LedgerError `held`; `unavailable` when it could not be recorded */
export async function requestErasure(store: ErasureStore, wish: ErasureWish, by: Party): Promise<ErasureResult> {
  const { sql, keys, now, record } = store;
  const { tenant, basis, reason } = wish;
  const found = await findPerson(sql, keys, tenant, wish.person);
  if (found.keys.length === 0) return { outcome: 'nothing', found };
  // By month: when there are more, the same is asked again for the rest.
  const named = found.keys.slice(0, MAX_KEYS);
  const refs = await requireErasable(sql, keys, tenant, named.map(({ key }) => key)); // prettier-ignore
  const approval: Wish = {
    tenant,
    action: 'erasure.erase',
    subject: {
      scope: found.scope,
      person: found.mac,
      keys: refs,
      months: [...new Set(named.map(({ month }) => month))],
      basis,
      reason,
    },
    approverRoles: ['approver'],
  };
  const erased = await sql.begin(async (tx) => {
    const used = await consumeApproval(tx, approval, by, now(), recordApproval(record));
    if (used === null) return null;
    return eraseKeys(tx, store, {
      tenant,
      scope: found.scope,
      basis,
      keys: refs,
      facts: { approval: used.id, approvers: 2, entries: named.reduce((sum, { entries }) => sum + entries, 0) },
      detail: { person: found.mac, by: by.id, approved_by: used.decidedBy, reason },
    });
  });
  if (erased === null) return { outcome: 'pending', request: await ask(store, approval, by), found };
  // Other processes hear of it within seconds, this one at once. What is durable is done, whether or not this succeeds.
  await keys.refresh().catch(() => undefined);
  return { outcome: 'erased', erased, found };
}

export function placeHold(
  store: ErasureStore,
  wanted: { readonly tenant: string; readonly subject: string | null; readonly by: string; readonly reason: string },
): Promise<string> {
  return store.sql.begin((tx) => addHold(tx, store, wanted));
}

/** @throws GatewayError `not_found` when no such hold is in force */
export async function requestRelease(
  store: ErasureStore,
  wanted: { readonly tenant: string; readonly hold: string; readonly reason: string },
  by: Party,
): Promise<ReleaseResult> {
  const { sql, now, record } = store;
  const { tenant, hold: id, reason } = wanted;
  const hold = (await readHolds(sql, store.keys, tenant)).find((each) => each.id === id);
  if (hold === undefined) throw new GatewayError('not_found', 'There is no such hold in force.');
  const approval: Wish = {
    tenant,
    action: 'holds.release',
    subject: { hold: id, scope: hold.scope, person: hold.mac, reason },
    approverRoles: ['approver'],
  };
  const released = await sql.begin(async (tx) => {
    const used = await consumeApproval(tx, approval, by, now(), recordApproval(record));
    if (used === null) return null;
    const approved = { approval: used.id, approvedBy: used.decidedBy ?? '' };
    return releaseHold(tx, store, { tenant, hold: id, by: by.id, reason, ...approved });
  });
  if (released !== null) return { outcome: 'released', hold: released };
  return { outcome: 'pending', request: await ask(store, approval, by) };
}

function ask({ sql, now, newApprovalId, record }: ErasureStore, wish: Wish, by: Party): Promise<ApprovalRequest> {
  const options = { nowMs: now(), ttlMs: TTL_MS, newId: newApprovalId };
  return requestApproval(sql, wish, by, options, recordApproval(record));
}
