/**
 * A waiver, signed by the process that carried out what people decided: an auditor checks it from the export, against the writer's
 * key in the deployment's log (docs/ledger-format.md, 4.1), and a gateway before it lifts anything.
 */
import type { KeyObject } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { z } from 'zod';
import type { Ledger, SignedStatement, Statement } from '../../ledger/index.ts';
import { isSignedStatement, writerKey } from '../../ledger/index.ts';

const person = z.string().min(1).max(600);

export const waiver = z.strictObject({
  rule: z.string(),
  scope: z.string(),
  expires_ms: z.int(),
  break_glass: z.boolean(),
  reason: z.string(),
  by: person,
  /** Everything that stands for whoever made it; a reviewer is somebody else. */
  by_identities: z.array(person),
  approved_by: person.nullable(),
  /** Of a broken glass; null: still to be done. */
  reviewed_by: person.nullable(),
  /** Ed25519 by the key of this writer, base64url. */
  signature: z.strictObject({ wid: z.string(), sig: z.string().max(128) }),
});

export type Waiver = z.output<typeof waiver>;
export type Unsigned = Omit<Waiver, 'signature'>;

/** The ledger, as far as it signs. */
export type Signer = Pick<Ledger, 'wid' | 'signStatement'>;

/** By writer id. */
type WriterKeys = ReadonlyMap<string, KeyObject>;

/** What is signed: everything but who else stands for the one who made it. */
function statementOf(tenant: string, id: string, unsigned: Unsigned): Statement {
  const { rule, scope, expires_ms, break_glass, reason, by, approved_by, reviewed_by } = unsigned;
  return { tenant, id, rule, scope, expires_ms, break_glass, reason, by, approved_by, reviewed_by };
}

export function signWaiver(
  signer: Signer,
  tenant: string,
  id: string,
  unsigned: Unsigned,
): { readonly value: Waiver; readonly signed: SignedStatement } {
  const statement = statementOf(tenant, id, unsigned);
  const signature = signer.signStatement('waiver', statement);
  return { value: { ...unsigned, signature: { wid: signer.wid, sig: signature } }, signed: { statement, signature } };
}

/** False for a writer nobody knows, too. */
export function isSigned(keys: WriterKeys, tenant: string, id: string, { signature, ...unsigned }: Waiver): boolean {
  const key = keys.get(signature.wid);
  const signed = { statement: statementOf(tenant, id, unsigned), signature: signature.sig };
  return key !== undefined && isSignedStatement(key, 'waiver', signed);
}

export async function readWriterKeys(sql: Sql | TransactionSql, wids: readonly string[]): Promise<WriterKeys> {
  if (wids.length === 0) return new Map();
  const rows = await sql<
    { wid: string; key: string }[]
  >`select wid, key from ledger.writers where wid in ${sql([...wids])}`;
  const known = rows.map(({ wid, key }) => [wid, writerKey(key)] as const);
  return new Map(known.flatMap(([wid, key]) => (key === null ? [] : [[wid, key] as const])));
}
