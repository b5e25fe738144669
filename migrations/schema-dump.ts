import type postgres from 'postgres';

/** A readable, deterministic picture of the schemas. */
export async function schemaDump(sql: postgres.Sql): Promise<string> {
  const rows = await sql<{ line: string }[]>`select nspname as line from pg_catalog.pg_namespace order by 1`;
  return rows.map((row) => row.line).join('\n');
}
