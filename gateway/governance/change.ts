/** One change of governance as it is stored and authenticated. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { z } from 'zod';
import type { KeyRing } from '../../ledger/index.ts';
import { DEPLOYMENT } from '../../ledger/index.ts';
import { isSigned, readWriterKeys, waiver, type Waiver } from './waiver.ts';

const person = z.string().min(1).max(600);

/** A bundle of a tenant in a stage. */
const release = z.strictObject({
  bundle: z.string(),
  revision: z.string(),
  digest: z.string(),
  /** Of the review report it was approved with; null: there was none. */
  report: z.string().nullable(),
  /** Before it; null: what the configuration names. */
  previous: z.string().nullable(),
  approval: z.string().nullable(),
  by: person,
  approved_by: person.nullable(),
  at_ms: z.int(),
});

const observe = z.strictObject({ until_ms: z.int(), by: person, approved_by: person });

const killSwitch = z.strictObject({
  kind: z.enum(['tenant', 'agent', 'model', 'tool']),
  target: z.string(),
  reason: z.string(),
  by: person,
  at_ms: z.int(),
});

const VALUES = { release, shadow: release, observe, waiver, switch: killSwitch } as const;

export type ChangeKind = keyof typeof VALUES;
export type Release = z.output<typeof release>;
export type Observation = z.output<typeof observe>;
export type KillSwitch = z.output<typeof killSwitch>;

/** What is written. `value` null ends what the key stood for. */
export type Change = {
  [Kind in ChangeKind]: {
    readonly kind: Kind;
    readonly tenant: string;
    readonly key: string;
    readonly id: string;
    readonly value: z.output<(typeof VALUES)[Kind]> | null;
  };
}[ChangeKind];

/** A change that is there; `revision` orders them. */
export type StoredChange = Change & { readonly revision: string };

interface Row {
  readonly revision: string;
  readonly id: string;
  readonly kind: ChangeKind;
  readonly tenant: string;
  readonly key: string;
  readonly value: string | null;
  readonly mac: Buffer;
}

const PAGE = 500;

export type ChangeKeys = Pick<KeyRing, 'derive'>;

/** Inserts inside the transaction that also has the evidence. */
export async function insertChange(tx: TransactionSql, keys: ChangeKeys, change: Change): Promise<void> {
  const { id, kind, tenant, key } = change;
  const value = change.value === null ? null : JSON.stringify(change.value);
  const mac = macOf(keys, { id, kind, tenant, key, value });
  await tx`
    insert into governance.changes (revision, id, kind, tenant, key, value, mac)
    values (0, ${id}, ${kind}, ${tenant}, ${key}, ${value}, ${mac})`;
}

/**
 * Up to 500 changes after a revision, in order; a row that this deployment did not write, that cannot be read, or a waiver whose signature does not fit, is left out
 * and told to `onForged`.
 */
export async function readChanges(
  sql: Sql | TransactionSql,
  keys: ChangeKeys,
  after: string,
  onForged: (id: string) => void,
): Promise<{ readonly changes: StoredChange[]; readonly last: string | null }> {
  const rows = await sql<Row[]>`
    select revision::text as revision, id, kind, tenant, key, value, mac from governance.changes
    where revision > ${after} order by revision limit ${PAGE}`;
  const read = rows.map((row) => ({ id: row.id, change: readRow(row, keys) }));
  const wids = read.flatMap(({ change }) => (isWaiver(change) ? [change.value.signature.wid] : []));
  const writers = await readWriterKeys(sql, [...new Set(wids)]);
  const changes = read.flatMap(({ id, change }) => {
    const isForged =
      change === null || (isWaiver(change) && !isSigned(writers, change.tenant, change.key, change.value));
    if (isForged) onForged(id);
    return isForged ? [] : [change];
  });
  return { changes, last: rows.at(-1)?.revision ?? null };
}

function isWaiver(change: StoredChange | null): change is StoredChange & { kind: 'waiver'; value: Waiver } {
  return change !== null && change.kind === 'waiver' && change.value !== null;
}

function readRow(row: Row, keys: ChangeKeys): StoredChange | null {
  const { revision, id, kind, tenant, key, value, mac } = row;
  if (!timingSafeEqual(mac, macOf(keys, row))) return null;
  const parsed = value === null ? null : VALUES[kind].safeParse(JSON.parse(value));
  if (parsed !== null && !parsed.success) return null;
  return { revision, id, kind, tenant, key, value: parsed === null ? null : parsed.data } as StoredChange;
}

/** Over everything a reader acts on, under a key of the deployment. */
function macOf(keys: ChangeKeys, { id, kind, tenant, key, value }: Omit<Row, 'revision' | 'mac'>): Buffer {
  const text = JSON.stringify(['countersign/governance/v1', id, kind, tenant, key, value]);
  return createHmac('sha256', keys.derive(DEPLOYMENT, 'governance')).update(text).digest();
}

/** All that was ever decided, in order, and the ids of rows that this deployment did not write. For whoever does not serve calls. */
export async function readAllChanges(
  sql: Sql | TransactionSql,
  keys: ChangeKeys,
): Promise<{ readonly changes: readonly StoredChange[]; readonly forged: readonly string[] }> {
  const all: StoredChange[] = [];
  const forged: string[] = [];
  let after: string | null = '0';
  while (after !== null) {
    const page: { readonly changes: StoredChange[]; readonly last: string | null } = await readChanges(
      sql,
      keys,
      after,
      (id) => forged.push(id),
    );
    all.push(...page.changes);
    after = page.last;
  }
  return { changes: all, forged };
}
