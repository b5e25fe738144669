-- Roles are cluster-wide while advisory locks are per database, so two databases of one cluster may be migrated at the same
-- time: every statement tolerates that another migration was faster.
do $$
declare
  name text;
begin
  foreach name in array array['cs_owner', 'cs_append', 'cs_gateway', 'cs_reader', 'cs_pruner'] loop
    begin
      if not exists (select 1 from pg_catalog.pg_roles where rolname = name) then
        execute format('create role %I nologin noinherit', name);
      end if;
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
  -- A migrator that is not a superuser must be able to give objects to these two.
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    foreach name in array array['cs_owner', 'cs_append'] loop
      begin
        execute format('grant %I to %I', name, current_user);
      exception when insufficient_privilege then
        null; -- Granted by somebody else, or the next statement that needs it says so.
      end;
    end loop;
  end if;
end
$$;

-- cs_owner owns the tables and never logs in; cs_append owns the append functions and never logs in; cs_gateway serves;
-- members of cs_reader see the tenants that ledger.readers maps their own role to; cs_pruner is reserved for retention.
create schema ledger authorization cs_owner;
create schema keystore authorization cs_owner;
revoke all on schema ledger, keystore from public;
grant usage on schema ledger to cs_append, cs_gateway, cs_reader, cs_pruner;
grant usage on schema keystore to cs_gateway;
