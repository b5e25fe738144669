import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { LedgerError } from './error.ts';
import { wrapKey } from './wrap.ts';

const TRIES = 4;

/** A row of keystore.subject_keys. */
export interface SubjectRow {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly month: string;
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

/** The same for a subject's month. A key that is erased between two statements is made anew. */
export async function storeSubjectKey(
  sql: postgres.Sql,
  tenantKey: Uint8Array,
  { tenant, subject, month }: { tenant: string; subject: string; month: string },
): Promise<SubjectRow> {
  const read = async (): Promise<SubjectRow | undefined> => {
    const [row] = await sql<SubjectRow[]>`
      select id, tenant, subject, month, wrapped from keystore.subject_keys
      where tenant = ${tenant} and subject = ${subject} and month = ${month}`;
    return row;
  };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await read();
    if (stored) return stored;
    const wrapped = wrapKey(tenantKey, randomBytes(32), subjectName(tenant, subject, month));
    await sql`insert into keystore.subject_keys (tenant, subject, month, wrapped)
      values (${tenant}, ${subject}, ${month}, ${wrapped}) on conflict do nothing`;
  }
  throw new LedgerError(
    'key_missing',
    'expected the subject key that was just stored, found it erased again and again',
  );
}

/** What a subject's wrapped key is bound to. */
export function subjectName(tenant: string, subject: string, month: string): string[] {
  return ['subject', tenant, subject, month];
}
