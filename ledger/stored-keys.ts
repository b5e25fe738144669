import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { LedgerError } from './error.ts';
import { wrapKey } from './wrap.ts';

const TRIES = 4;

/** Which of a caller's entries a key seals; `call`: both, made when they shared one. */
export type SealedKind = 'call' | 'decision' | 'outcome';

/** What a key of the keystore is for. */
export interface KeyUse {
  readonly tenant: string;
  /** HMAC of the caller's id. */
  readonly subject: string;
  /** UTC, `2026-11`. */
  readonly month: string;
  readonly seals: SealedKind;
  /** Policies want the entries kept so many days at least; 0: none asked. */
  readonly kept_days: number;
}

/** A row of keystore.subject_keys. */
export interface SubjectRow extends KeyUse {
  readonly id: string;
  readonly wrapped: Buffer;
}

/** Whoever inserts first wins, and everybody uses what is stored: two processes never seal with different keys. */
export async function storeTenantKey(sql: postgres.Sql, wrapping: Uint8Array, tenant: string): Promise<Uint8Array> {
  const read = async (): Promise<Buffer | undefined> => {
    const [row] = await sql<{ wrapped: Buffer }[]>`select wrapped from keystore.tenant_keys where tenant = ${tenant}`;
    return row?.wrapped;
  };
  const stored = await read();
  if (stored) return stored;
  const wrapped = wrapKey(wrapping, randomBytes(32), ['tenant', tenant]);
  await sql`insert into keystore.tenant_keys (tenant, wrapped) values (${tenant}, ${wrapped}) on conflict do nothing`;
  return (await read()) ?? wrapped;
}

/** The same for the two keys of a subject's month, made together. One that is erased between two statements is made anew. */
export async function storeSubjectKeys(
  sql: postgres.Sql,
  tenantKey: Uint8Array,
  use: Omit<KeyUse, 'seals'>,
): Promise<{ readonly decision: SubjectRow; readonly outcome: SubjectRow }> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const rows = await sql<SubjectRow[]>`
      select id, tenant, subject, month, seals, kept_days, wrapped from keystore.subject_keys
      where tenant = ${use.tenant} and subject = ${use.subject} and month = ${use.month}
        and kept_days = ${use.kept_days} and seals in ('decision', 'outcome')`;
    const decision = rows.find(({ seals }) => seals === 'decision');
    const outcome = rows.find(({ seals }) => seals === 'outcome');
    if (decision && outcome) return { decision, outcome };
    const made = (['decision', 'outcome'] as const).map((seals) => {
      const key = { ...use, seals };
      return { ...key, wrapped: wrapKey(tenantKey, randomBytes(32), keyName(key)) };
    });
    await sql`insert into keystore.subject_keys ${sql(made)} on conflict do nothing`;
  }
  throw new LedgerError(
    'key_missing',
    'expected the subject keys that were just stored, found them erased again and again',
  );
}

/** What a subject's wrapped key is bound to. */
export function keyName({ tenant, subject, month, seals, kept_days: keptDays }: KeyUse): string[] {
  const name = ['subject', tenant, subject, month];
  return seals === 'call' ? name : [...name, seals, String(keptDays)];
}
