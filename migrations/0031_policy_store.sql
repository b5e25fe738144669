-- What decided, kept by digest: a decision entry names bundles and parameters by their digests, and an explanation or a replay
-- years later uses these bytes, not the ones that happen to be installed then. Whoever reads computes the digest again, so a
-- row that was written wrongly is refused, not believed.
create schema if not exists policy authorization cs_owner;
revoke all on schema policy from public;
grant usage on schema policy to cs_gateway;
set local role cs_owner;

create table policy.store (
  kind text collate "C" not null check (kind in ('bundle', 'parameters')),
  digest text collate "C" not null check (digest ~ '^[0-9a-f]{64}$'),
  bytes bytea not null check (octet_length(bytes) <= 16777216),
  stored timestamptz not null default clock_timestamp(),
  primary key (kind, digest)
);
comment on table policy.store is 'bundle: the packed bundle, digest as entries name it. parameters: the canonical text of all tenants'' parameters, its SHA-256.';

create trigger refuse_change before update or delete or truncate on policy.store
  for each statement execute function ledger.refuse_change();
alter table policy.store enable always trigger refuse_change;
grant select, insert on policy.store to cs_gateway;
reset role;
