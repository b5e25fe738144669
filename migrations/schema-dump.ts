import type postgres from 'postgres';

/** What a schema is made of, one catalogue query per kind; each gives lines in a fixed order. */
const QUERIES: readonly { readonly title: string; readonly text: string }[] = [
  {
    title: 'roles',
    text: `select format('role %s%s%s', rolname, case when rolsuper then ' superuser' else '' end,
        case when rolbypassrls then ' bypassrls' else '' end) as line
      from pg_catalog.pg_roles where rolname ~ '^cs_' order by rolname`,
  },
  {
    title: 'schemas',
    text: `select format('schema %s owner %s', nspname, pg_get_userbyid(nspowner)) as line
      from pg_catalog.pg_namespace n where ${ours('nspname')} order by nspname`,
  },
  {
    title: 'relations',
    text: `select format('%s %s.%s owner %s%s%s%s', case c.relkind when 'p' then 'partitioned table' when 'r' then 'table' when 'v' then 'view'
          when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'partitioned index' else c.relkind::text end,
        n.nspname, c.relname, pg_get_userbyid(c.relowner),
        case when c.relrowsecurity then ' row security' else '' end,
        coalesce(' with ' || array_to_string(c.reloptions, ', '), ''),
        coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), '')) as line
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where ${ours('n.nspname')} and c.relkind in ('r', 'p', 'v', 'S') order by n.nspname, c.relname`,
  },
  {
    title: 'columns',
    text: `select format('%s.%s %s %s%s%s%s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> 0 and a.attcollation <> 100 then ' collate ' || (select collname from pg_collation where oid = a.attcollation)
          else '' end,
        case when a.attnotnull then ' not null' else '' end,
        case a.attidentity when 'a' then ' identity' else '' end || case a.attstorage when 'e' then ' storage external' else '' end,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where ${ours('n.nspname')} and c.relkind in ('r', 'p', 'v') and not c.relispartition and a.attnum > 0 and not a.attisdropped
      order by n.nspname, c.relname, a.attnum`,
  },
  {
    title: 'constraints and indexes',
    text: `select line from (
        select n.nspname, c.relname, 1 as kind, format('%s.%s constraint %s %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) as line
        from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where ${ours('n.nspname')} and not c.relispartition and k.contype <> 'n'
        union all
        select n.nspname, c.relname, 2, pg_get_indexdef(i.indexrelid)
        from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where ${ours('n.nspname')} and not c.relispartition and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
      ) x order by nspname, relname, kind, line collate "C"`,
  },
  {
    title: 'triggers',
    text: `select format('%s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) as line
      from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where ${ours('n.nspname')} and not t.tgisinternal order by n.nspname, c.relname, t.tgname`,
  },
  {
    title: 'policies',
    text: `select format('policy %s on %s.%s %s to %s using (%s) check (%s)', policyname, schemaname, tablename, cmd,
        array_to_string(roles, ', '), qual, with_check) as line
      from pg_catalog.pg_policies where ${ours('schemaname')} order by schemaname, tablename, policyname`,
  },
  {
    title: 'rights',
    text: `select line from (
        select format('%s.%s to %s: %s', n.nspname, c.relname, case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end,
          string_agg(a.privilege_type, ', ' order by a.privilege_type)) as line
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a
        where ${ours('n.nspname')} and c.relkind in ('r', 'p', 'v', 'S') and a.grantee <> c.relowner
        group by n.nspname, c.relname, a.grantee
        union all
        select format('%s.%s.%s to %s: %s', n.nspname, c.relname, t.attname, pg_get_userbyid(a.grantee), a.privilege_type)
        from pg_catalog.pg_attribute t join pg_catalog.pg_class c on c.oid = t.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join lateral aclexplode(t.attacl) a where ${ours('n.nspname')}
        union all
        select format('function %s.%s to %s: %s', n.nspname, p.proname, case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end,
          a.privilege_type)
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where ${ours('n.nspname')} and a.grantee <> p.proowner
        union all
        select format('schema %s to %s: %s', n.nspname, case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee) end, a.privilege_type)
        from pg_catalog.pg_namespace n cross join lateral aclexplode(n.nspacl) a where ${ours('n.nspname')} and a.grantee <> n.nspowner
      ) x order by line collate "C"`,
  },
  {
    title: 'functions',
    text: `select format(E'-- owner %s\\n%s', pg_get_userbyid(p.proowner), pg_get_functiondef(p.oid)) as line
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where ${ours('n.nspname')} order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)`,
  },
];

/** Every schema but PostgreSQL's own and the migrations' book. */
function ours(column: string): string {
  return `${column} !~ '^pg_' and ${column} not in ('information_schema', 'public', 'migrations')`;
}

/**
 * A readable picture of all schemas, roles and rights from the catalogue: the same schema always gives the same text. A test
 * compares it with migrations/schema.sql.
 */
export async function schemaDump(sql: postgres.Sql): Promise<string> {
  const parts: string[] = [];
  for (const { title, text } of QUERIES) {
    const rows = await sql.unsafe<{ line: string }[]>(text);
    parts.push(`-- ${title}\n${rows.map((row) => row.line.trimEnd()).join('\n')}\n`);
  }
  return parts.join('\n');
}
