/**
 * Releasing a bundle: an author asks, somebody else with the role policy-approver approves exactly these digests, and every
 * process has it within seconds. The way back is one command of one person: what was in force before was approved then.
 */
import { z } from 'zod';
import type { JsonValue } from '../../ledger/index.ts';
import type { ApprovalRequest, Party, Wish } from '../../approvals/index.ts';
import { decideApproval, listApprovals } from '../../approvals/index.ts';
import type { Bundle } from '../../policies/index.ts';
import {
  createPdp,
  createPolicyInput,
  findBundle,
  loadBundle,
  PolicyError,
  policyTime,
  sourceDigest,
  storeBundle,
} from '../../policies/index.ts';
import { recordApproval } from '../access/grant.ts';
import { GatewayError } from '../errors.ts';
import type { Release } from './change.ts';
import { readAllChanges } from './change.ts';
import type { Governed, GovernanceStore } from './desk.ts';
import { change, tenantState, twoPeople, useApproval, wishOf } from './desk.ts';

/** `shadow`: decides beside the active bundle, and is only recorded. */
export type Stage = 'active' | 'shadow';

export interface ReleaseWish {
  readonly tenant: string;
  readonly bundle: Bundle;
  readonly stage: Stage;
  /** SHA-256 of the review report, lower hex; null: there is none. */
  readonly report: string | null;
}

const APPROVERS = ['policy-approver'];
/** What of the approved wish is read back. */
const approvedSubject = z.object({
  bundle: z.string(),
  revision: z.string(),
  digest: z.string(),
  report: z.string().nullable(),
});
const ACTIONS = { active: 'policy.activate', shadow: 'policy.shadow' } as const;

/** @throws GatewayError `invalid_request` for bytes that are no bundle */
export function readReleaseBundle(bytes: Uint8Array, name: string): Bundle {
  try {
    return loadBundle(bytes, name);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new GatewayError('invalid_request', `Expected a policy bundle, ${cause.message}`, { cause });
  }
}

/** A bundle that was stored before. @throws GatewayError `not_found` */
export async function findReleaseBundle(store: GovernanceStore, digest: string, name: string): Promise<Bundle> {
  const bundle = await findBundle(store.sql, digest, name);
  if (bundle !== null) return bundle;
  throw new GatewayError('not_found', 'No bundle of that digest is stored. Send the bundle itself.', {
    param: 'digest',
  });
}

/** The author's side: asks, or carries out what was approved meanwhile. */
export async function requestRelease(store: GovernanceStore, wish: ReleaseWish, by: Party): Promise<Governed<object>> {
  await requireDecides(wish.bundle);
  await storeBundle(store.sql, wish.bundle);
  return twoPeople(store, approvalWish(wish), by, (tx, used) => perform(tx, store, used));
}

/** The approver's side: says yes and carries it out. @throws GatewayError `not_found`; ApprovalError */
export async function approveRelease(store: GovernanceStore, id: string, by: Party): Promise<void> {
  const { sql, now, record } = store;
  const requests = await listApprovals(sql, { tenant: by.tenant }, now());
  const asked = requests.find(
    (request) => request.id === id && Object.values<string>(ACTIONS).includes(request.action),
  );
  if (asked === undefined) throw new GatewayError('not_found', 'There is no request for a release of that id.');
  // Approved before, perhaps, by a process that did not come any further.
  if (asked.state !== 'approved') {
    await decideApproval(sql, { id, verdict: 'approve', by, reason: null }, now(), recordApproval(record));
  }
  const { requester, tenant } = asked;
  const author: Party = { id: requester, credential: requester, chain: [], roles: [], tenant };
  if (await useApproval(store, asked, author, (tx, used) => perform(tx, store, used))) return;
  throw new GatewayError('conflict', 'This release was carried out by somebody else meanwhile.');
}

function approvalWish({ tenant, bundle, stage, report }: ReleaseWish): Wish {
  const { name, revision, digest, wasm_digest: wasm, data_digest: data } = bundle.identity;
  const compiler = (bundle.manifest.metadata?.['compiler'] ?? null) as JsonValue;
  const digests = { digest, wasm, data, source: sourceDigest(bundle) };
  return wishOf(tenant, ACTIONS[stage], { bundle: name, revision, ...digests, compiler, report }, APPROVERS);
}

type Tx = Parameters<Parameters<GovernanceStore['sql']['begin']>[1]>[0];

/** Everything about it is in what was approved. */
async function perform(tx: Tx, store: GovernanceStore, used: ApprovalRequest): Promise<void> {
  const tenant = used.tenant ?? '';
  const { bundle: key, revision, digest, report } = approvedSubject.parse(used.subject);
  const stage = used.action === ACTIONS.shadow ? 'shadow' : 'active';
  const { releases, shadows } = await tenantState(store, tenant);
  const value: Release = {
    bundle: key,
    revision,
    digest,
    report,
    previous: stage === 'active' ? (releases.get(key)?.digest ?? null) : null,
    approval: used.id,
    by: used.requester,
    approved_by: used.decidedBy,
    at_ms: store.now(),
  };
  const facts = { action: stage === 'active' ? 'activated' : 'shadowed', ...used.subject, previous: value.previous };
  const detail = { author: used.requester, approver: used.decidedBy, reason: used.reason };
  const id = `re-${store.newApprovalId()}`;
  const kind = stage === 'active' ? 'release' : 'shadow';
  await change(tx, store, { kind, tenant, key, id, value }, { ...facts, approval: used.id }, detail);
  // A candidate that was activated is not tried any more.
  if (stage === 'active' && shadows.get(key)?.digest === value.digest) {
    await endShadowIn(tx, store, { tenant, bundle: key, digest: value.digest }, used.requester);
  }
}

/** Back to what was in force before. Answers its digest; null: what the configuration names. */
export async function rollback(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly bundle: string; readonly reason: string },
  by: Party,
): Promise<string | null> {
  const { tenant, bundle: key, reason } = wish;
  const { changes } = await readAllChanges(store.sql, store.keys);
  const released = changes.flatMap((each) =>
    each.kind === 'release' && each.tenant === tenant && each.key === key ? [each.value] : [],
  );
  const current = released.at(-1) ?? null;
  if (current === null) {
    throw new GatewayError('conflict', `Nothing of the bundle ${key} is released; the configuration decides.`);
  }
  const value = released.findLast((each) => each !== null && each.digest === current.previous) ?? null;
  if (current.previous !== null && value === null) throw new GatewayError('conflict', 'The version before is unknown.');
  const facts = { action: 'rolled_back', bundle: key, digest: value?.digest ?? null, previous: current.digest };
  const row = { kind: 'release', tenant, key, id: `rb-${store.newApprovalId()}`, value } as const;
  await store.sql.begin((tx) => change(tx, store, row, facts, { by: by.id, reason }));
  return value?.digest ?? null;
}

export async function endShadow(
  store: GovernanceStore,
  wish: { readonly tenant: string; readonly bundle: string },
  by: Party,
): Promise<void> {
  const tried = (await tenantState(store, wish.tenant)).shadows.get(wish.bundle);
  if (tried === undefined) throw new GatewayError('not_found', 'No candidate of that bundle is being tried.');
  await store.sql.begin((tx) => endShadowIn(tx, store, { ...wish, digest: tried.digest }, by.id));
}

function endShadowIn(
  tx: Tx,
  store: GovernanceStore,
  { tenant, bundle, digest }: { readonly tenant: string; readonly bundle: string; readonly digest: string },
  by: string,
): Promise<void> {
  const row = { kind: 'shadow', tenant, key: bundle, id: `se-${store.newApprovalId()}`, value: null } as const;
  return change(tx, store, row, { action: 'shadow.ended', bundle, digest }, { by });
}

/** A bundle that cannot even decide an administrative action would stop everything: it is not asked about. */
async function requireDecides(bundle: Bundle): Promise<void> {
  const pdp = await createPdp({ bundles: [bundle], tenantData: {} }).catch((cause: unknown) => {
    const message = cause instanceof PolicyError ? cause.message : 'it does not load';
    throw new GatewayError('invalid_request', `Expected a bundle this gateway can run, ${message}`, { cause });
  });
  const evaluation = pdp.evaluate(
    [bundle.identity.name],
    createPolicyInput({
      point: 'admin.policy.status',
      call: { id: 'cs-trial', parent: null, run: null, turn: null },
      time: policyTime(0),
      tenant: { id: 'trial', region: null, frameworks: [], labels: {} },
      principal: { type: 'service', id: 'trial', roles: [], groups: [], claims: {}, assurance: null },
    }),
  );
  if (evaluation.outcome === 'decided') return;
  throw new GatewayError(
    'invalid_request',
    `Expected a bundle that decides, found one that does not: ${evaluation.detail}`,
  );
}
