import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import type { JsonValue } from './canonical.ts';

/** What a writer signs besides receipts; each kind has a text of its own, so that no signature counts for another. */
export type StatementKind = 'waiver';

/** A canonical object; a waiver's members are listed in docs/ledger-format.md, 4.1. */
export type Statement = { readonly [name: string]: JsonValue };

/** A statement as it stands in the encrypted `detail` of its entry; the facts name the writer as `signed_by`. */
export interface SignedStatement {
  readonly statement: Statement;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** The exact text that is signed (docs/ledger-format.md, 4.1). @throws LedgerError `invalid_value` */
export function statementText(kind: StatementKind, statement: Statement): Buffer {
  return Buffer.from(`countersign/${kind}/v1\n${canonicalJson(statement)}\n`, 'utf8');
}

/** A writer's key as its entry and `ledger.writers` have it: raw, base64url. Null for anything else. */
export function writerKey(raw: string): KeyObject | null {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' });
  } catch {
    return null;
  }
}

/** Whether the holder of the key signed this statement. */
export function isSignedStatement(
  key: KeyObject,
  kind: StatementKind,
  { statement, signature }: SignedStatement,
): boolean {
  return verify(null, statementText(kind, statement), key, Buffer.from(signature, 'base64url'));
}
