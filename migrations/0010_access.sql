-- API keys. The gateway may create and revoke them and change nothing else about them; a key is never deleted, so that
-- the access review of any day can be made.
create schema access authorization cs_owner;
revoke all on schema access from public;
grant usage on schema access to cs_gateway;

set local role cs_owner;

create sequence access.api_key_revisions;

create table access.api_keys (
  id text primary key check (id ~ '^[a-z0-9]{12}$'),
  -- Order of changes: readers ask for what is newer than the last revision they saw.
  revision bigint not null,
  -- SHA-256 of a 256-bit random secret; a slow password hash would add nothing.
  secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
  tenant text not null check (tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'),
  name text not null check (char_length(name) between 1 and 200),
  agent text check (char_length(agent) between 1 and 200),
  models text[] check (cardinality(models) <= 1000),
  roles text[] not null check (cardinality(roles) between 1 and 16),
  groups text[] not null check (cardinality(groups) <= 64),
  daily_nusd bigint check (daily_nusd >= 0),
  weekly_nusd bigint check (weekly_nusd >= 0),
  monthly_nusd bigint check (monthly_nusd >= 0),
  bootstrap boolean not null,
  created_by text not null check (char_length(created_by) between 1 and 600),
  created_ms bigint not null,
  expires_ms bigint,
  revoked_by text check (char_length(revoked_by) between 1 and 600),
  revoked_ms bigint,
  check ((revoked_ms is null) = (revoked_by is null))
);
create unique index api_keys_revision on access.api_keys (revision);
create index api_keys_tenant on access.api_keys (tenant, id);

-- Revisions become visible in their own order: the advisory lock is held until commit, so nobody can read a revision
-- while a smaller one is still uncommitted and miss that one for ever.
create function access.on_api_key_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and old.revoked_ms is not null then
    raise exception 'a revoked key stays as it is' using errcode = 'check_violation';
  end if;
  perform pg_advisory_xact_lock(6172938450182);
  new.revision := nextval('access.api_key_revisions');
  perform pg_notify('countersign_keys', '');
  return new;
end
$$;
revoke all on function access.on_api_key_change() from public;

create trigger api_keys_change before insert or update on access.api_keys
  for each row execute function access.on_api_key_change();

grant select, insert on access.api_keys to cs_gateway;
grant update (revoked_ms, revoked_by) on access.api_keys to cs_gateway;
grant usage on sequence access.api_key_revisions to cs_gateway;
