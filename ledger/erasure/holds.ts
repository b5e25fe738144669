import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import type { JsonValue } from '../canonical.ts';
import { LedgerError } from '../error.ts';
import { subjectMac } from '../keyring.ts';
import type { KeyRing } from '../keyring.ts';
import type { Ledger } from '../ledger.ts';
import { openSections } from '../sections.ts';

/** A legal hold in force: nothing it covers is erased. */
export interface Hold {
  readonly id: string;
  readonly scope: 'tenant' | 'subject';
  /** Stands for the subject; null for the whole tenant. */
  readonly mac: string | null;
  readonly sinceMs: number;
  readonly by: string;
  readonly reason: string;
}

/** Who holds or releases, and why. Stored encrypted under the tenant's key. */
export interface HoldActor {
  readonly by: string;
  readonly reason: string;
}

/** What recording a hold or an erasure needs. */
export interface ErasureDesk {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly keys: KeyRing;
}

interface Row {
  readonly kind: string;
  readonly class: string;
  readonly call: string;
  readonly t: string;
  readonly facts: string;
  readonly facts_salt: string;
  readonly sealed: Buffer | null;
  readonly key: string | null;
}

type Query = postgres.Sql | postgres.TransactionSql;

/** Holds and erasures of a tenant one after the other, in all processes; until the transaction ends. */
export async function lockErasures(tx: postgres.TransactionSql, tenant: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`countersign/erasure/${tenant}`}, 0))`;
}

/** The holds in force, oldest first. They are what the log says, nothing else. */
export async function readHolds(sql: Query, keys: KeyRing, tenant: string): Promise<Hold[]> {
  await keys.tenantKey(tenant);
  const rows = await sql<Row[]>`
    select e.kind, e.class, e.call, e.t, e.facts, e.facts_salt, e.sealed, e.key from ledger.entries e
    join ledger.logs l on l.log = e.log where l.tenant = ${tenant} and e.kind = 'hold' order by l.inc, e.seq`;
  const holds = new Map<string, Hold>();
  for (const row of rows) {
    const { action, hold, scope } = asObject(JSON.parse(row.facts) as JsonValue);
    if (typeof hold !== 'string') continue;
    if (action === 'release') holds.delete(hold);
    else holds.set(hold, { id: hold, ...(await readDetail(row, tenant, keys, scope)), sinceMs: Number(row.t) });
  }
  return [...holds.values()];
}

/** A hold whose subject cannot be read any more holds everything: rather too much is kept than too little. */
async function readDetail(
  { facts_salt: factsSalt, key: keyRef, ...row }: Row,
  tenant: string,
  keys: KeyRing,
  scope: JsonValue | undefined,
): Promise<Pick<Hold, 'scope' | 'mac' | 'by' | 'reason'>> {
  const { sections, damaged } = await openSections({ ...row, factsSalt, keyRef, content: null }, tenant, keys);
  const text = damaged.length === 0 ? sections.get('detail')?.text : undefined;
  const { by, reason, subject } = asObject(JSON.parse(text ?? 'null') as JsonValue);
  const isSubject = scope === 'subject' && typeof subject === 'string';
  return {
    scope: isSubject ? 'subject' : 'tenant',
    mac: isSubject ? subject : null,
    by: typeof by === 'string' ? by : 'unknown',
    reason: typeof reason === 'string' ? reason : '',
  };
}

/**
 * Puts a hold on a tenant, or on what one subject called. Durable when this resolves.
 *
 * @throws {LedgerError}
 */
export async function addHold(
  tx: postgres.TransactionSql,
  { ledger, keys }: ErasureDesk,
  wanted: HoldActor & { readonly tenant: string; readonly subject: string | null },
): Promise<string> {
  const { tenant, subject, by, reason } = wanted;
  await lockErasures(tx, tenant);
  await keys.tenantKey(tenant);
  const id = `hd-${randomBytes(8).toString('hex')}`;
  const scope = subject === null ? 'tenant' : 'subject';
  const mac = subject === null ? null : subjectMac(keys, tenant, subject);
  await ledger.append({
    tenant,
    kind: 'hold',
    class: 'event',
    call: id,
    subject: null,
    sections: { facts: { action: 'add', hold: id, scope }, detail: { by, reason, subject: mac } },
  });
  return id;
}

/**
 * Ends a hold.
 *
 * @throws {LedgerError} `not_found` when no such hold is in force
 */
export async function releaseHold(
  tx: postgres.TransactionSql,
  { ledger, keys }: ErasureDesk,
  wanted: HoldActor & {
    readonly tenant: string;
    readonly hold: string;
    readonly approvedBy: string;
    readonly approval: string;
  },
): Promise<Hold> {
  const { tenant, hold: id, by, approvedBy, approval, reason } = wanted;
  await lockErasures(tx, tenant);
  const hold = (await readHolds(tx, keys, tenant)).find((each) => each.id === id);
  if (hold === undefined)
    throw new LedgerError('not_found', 'expected the id of a hold in force, found none; see the list of holds');
  await ledger.append({
    tenant,
    kind: 'hold',
    class: 'event',
    call: `${id}.release`,
    subject: null,
    sections: {
      facts: { action: 'release', hold: id, scope: hold.scope, approval, approvers: 2 },
      detail: { by, approved_by: approvedBy, reason },
    },
  });
  return hold;
}

function asObject(value: JsonValue): Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
