-- Wrapped keys, apart from the ledger: archives and long backups of the ledger must not hold them.
set local role cs_owner;

create table keystore.root (
  single boolean primary key default true check (single),
  check_value text not null
);
comment on table keystore.root is 'A MAC of a fixed text under the root key, so that another root key is noticed at start.';

create table keystore.tenant_keys (
  tenant text collate "C" primary key,
  wrapped bytea not null
);

create table keystore.subject_keys (
  id bigint generated always as identity primary key,
  tenant text collate "C" not null,
  subject text collate "C" not null,
  month text not null,
  wrapped bytea not null,
  unique (tenant, subject, month)
);
comment on column keystore.subject_keys.subject is 'HMAC of the subject under a key of the tenant.';

grant select, insert on all tables in schema keystore to cs_gateway;
