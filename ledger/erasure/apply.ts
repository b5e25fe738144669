import type postgres from 'postgres';

/**
 * Destroys the keys that erasure entries name, of all entries or of those not carried out yet; safe to repeat and to run in several
 * processes. Answers a text that is another one after every destruction.
 */
export async function applyErasures(
  sql: postgres.Sql | postgres.TransactionSql,
  which: 'all' | 'new',
): Promise<string> {
  const [row] = await sql<{ last: string }[]>`select ledger.apply_erasures(${which === 'all'})::text as last`;
  return row?.last ?? '0';
}
