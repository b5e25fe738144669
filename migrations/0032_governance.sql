-- What people decide about policies while the gateways run: releases, observed tenants, waivers, kill switches. A row is never
-- changed; the newest row of a (kind, tenant, key) is its state, one without a value ends it. Every row carries a MAC under a key
-- that the database does not have, so a row of anybody else's making is not believed.
create schema governance authorization cs_owner;
revoke all on schema governance from public;
grant usage on schema governance to cs_gateway;

set local role cs_owner;

create sequence governance.revisions;

create table governance.changes (
  -- Order of changes: readers ask for what is newer than the last revision they saw.
  revision bigint primary key,
  id text not null unique check (id ~ '^[a-z]{2}-[0-9a-f]{32}$'),
  kind text not null check (kind in ('release', 'shadow', 'observe', 'waiver', 'switch')),
  -- _deployment: all tenants.
  tenant text not null check (tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'),
  key text not null check (char_length(key) between 1 and 300),
  value text check (octet_length(value) <= 16384),
  mac bytea not null check (octet_length(mac) = 32)
);
create index changes_state on governance.changes (kind, tenant, key, revision desc);

-- As for API keys: the lock is held until commit, so that nobody can miss a revision that was committed late.
create function governance.on_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(6172938450184);
  new.revision := nextval('governance.revisions');
  perform pg_notify('countersign_governance', '');
  return new;
end
$$;
revoke all on function governance.on_change() from public;

create trigger changes_insert before insert on governance.changes
  for each row execute function governance.on_change();
create trigger refuse_change before update or delete or truncate on governance.changes
  for each statement execute function ledger.refuse_change();
alter table governance.changes enable always trigger refuse_change;

grant select, insert on governance.changes to cs_gateway;
grant usage on sequence governance.revisions to cs_gateway;
reset role;
