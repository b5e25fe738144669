-- The ledger's tables. Text keys sort by bytes ("C"): they are ASCII, and a locale's comparison costs several times more.
set local role cs_owner;

create table ledger.logs (
  log text collate "C" primary key check (log ~ '^[0-9a-f]{64}$'),
  slot bigint not null unique,
  tenant text collate "C" not null,
  inc integer not null default 0,
  nonce text not null,
  origin text not null,
  unique (tenant, inc)
);
comment on table ledger.logs is 'One hash chain per tenant. log = SHA-256 of canonical [origin, slot, nonce]; a slot is never used twice.';

create table ledger.heads (
  log text collate "C" primary key references ledger.logs (log),
  inc integer not null
);
comment on table ledger.heads is 'Rows to lock, never updated: the state of a chain is its last entry, so a long snapshot cannot slow the hot row.';

create table ledger.entries (
  log text collate "C" not null,
  seq bigint not null,
  kind text collate "C" not null,
  class text collate "C" not null,
  call text collate "C" not null,
  header text collate "C" not null,
  hash bytea not null,
  t bigint not null,
  dbt bigint not null,
  wid text collate "C" not null,
  wseq bigint not null,
  leaves bytea not null,
  facts text collate "C" not null,
  facts_salt text collate "C" not null,
  sealed bytea,
  content bytea,
  key bigint,
  booked bigint,
  primary key (log, seq),
  unique (log, call, class)
) partition by hash (log);
comment on column ledger.entries.header is 'The exact hashed text.';
comment on column ledger.entries.leaves is 'Section leaf hashes, 32 bytes each, in the order of kind and version.';
comment on column ledger.entries.dbt is 'Database time in unix ms when the entry was written; decides the budget period.';
comment on column ledger.entries.booked is 'Nano-USD this entry added to the spent totals of its call''s scopes.';
-- Ciphertext does not compress, and a row of a few KB is read as a whole: keep it in the page as long as it fits.
alter table ledger.entries alter column sealed set storage external, alter column content set storage external;

create table ledger.receipts (
  log text collate "C" not null,
  seq bigint not null,
  wid text collate "C" not null,
  digest text not null,
  sig text not null,
  primary key (log, seq)
);
comment on table ledger.receipts is 'Writer signatures over entries; they arrive with a later batch, so the newest entries may have none yet.';

create table ledger.writers (
  wid text collate "C" primary key check (wid ~ '^[a-z0-9._:-]{1,64}$'),
  key text not null,
  generation bigint not null,
  lease_until timestamptz not null,
  fenced boolean not null default false,
  wseq bigint not null default 0
);
comment on column ledger.writers.wseq is 'Highest writer sequence the process had seen acknowledged when it last renewed.';

create table ledger.open_calls (
  log text collate "C" not null,
  call text collate "C" not null,
  seq bigint not null,
  wid text collate "C" not null,
  reserved bigint not null,
  scopes text[] not null,
  primary key (log, call)
);
create index open_calls_wid on ledger.open_calls (wid);

create table ledger.budget_scopes (
  scope text collate "C" primary key check (scope ~ '^[A-Za-z0-9._:-]{1,128}$'),
  limit_day bigint check (limit_day >= 0),
  limit_week bigint check (limit_week >= 0),
  limit_month bigint check (limit_month >= 0),
  initial_day bigint not null,
  initial_week bigint not null,
  initial_month bigint not null,
  created bigint not null
);
create table ledger.budget_totals (
  -- No foreign key: it would be checked with every append, and only functions that read the scope first add rows.
  scope text collate "C" not null,
  n bigint not null,
  day integer not null,
  week integer not null,
  month integer not null,
  spent_day bigint not null,
  spent_week bigint not null,
  spent_month bigint not null,
  reserved bigint not null,
  primary key (scope, n)
);
comment on table ledger.budget_totals is 'Running totals; the highest n counts. Added, not updated: a long snapshot must not slow a hot row. Older rows are pruned.';

create table ledger.readers (
  role name not null,
  tenant text collate "C" not null,
  primary key (role, tenant)
);
comment on table ledger.readers is 'Which database role may read which tenant''s log.';

create function ledger.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'ledger rows are never changed or removed' using errcode = 'CS050';
end
$$;
revoke all on function ledger.refuse_change() from public;

-- Sixteen partitions and, on each of them and on the parents, triggers that fire even for a session in replica role: a trigger
-- of the parent does not fire for a statement that names a partition.
do $$
declare
  part integer;
  target text;
  targets text[] := array['logs', 'heads', 'entries', 'receipts'];
begin
  for part in 0..15 loop
    target := 'entries_' || to_char(part, 'FM00');
    execute format('create table ledger.%I partition of ledger.entries for values with (modulus 16, remainder %s)', target, part);
    execute format('alter table ledger.%I set (toast_tuple_target = 8160)', target);
    targets := targets || target;
  end loop;
  foreach target in array targets loop
    execute format('create trigger refuse_change before update or delete or truncate on ledger.%I '
      'for each statement execute function ledger.refuse_change()', target);
    execute format('alter table ledger.%I enable always trigger refuse_change', target);
  end loop;
end
$$;

alter table ledger.logs enable row level security;
alter table ledger.entries enable row level security;
alter table ledger.receipts enable row level security;
do $$
declare
  target text;
begin
  foreach target in array array['logs', 'entries', 'receipts'] loop
    execute format('create policy append on ledger.%I to cs_append using (true) with check (true)', target);
    execute format('create policy gateway on ledger.%I for select to cs_gateway using (true)', target);
    -- By the role the session logged in as or was granted, never by a setting it could change.
    execute format('create policy reader on ledger.%I for select to cs_reader using (log in '
      '(select l.log from ledger.logs l join ledger.readers r on r.tenant = l.tenant join pg_catalog.pg_roles m on m.rolname = r.role '
      'where pg_has_role(current_user, m.oid, ''MEMBER'')))', target);
  end loop;
end
$$;
-- The policy on logs must not ask logs itself.
drop policy reader on ledger.logs;
create policy reader on ledger.logs for select to cs_reader
  using (tenant in (select r.tenant from ledger.readers r join pg_catalog.pg_roles m on m.rolname = r.role
    where pg_has_role(current_user, m.oid, 'MEMBER')));

grant select on all tables in schema ledger to cs_gateway;
grant select on ledger.logs, ledger.entries, ledger.receipts, ledger.readers to cs_reader;
grant select on ledger.logs, ledger.heads, ledger.entries, ledger.writers, ledger.budget_scopes to cs_append;
grant insert on ledger.logs, ledger.heads, ledger.entries, ledger.receipts, ledger.writers, ledger.budget_scopes to cs_append;
grant select on ledger.receipts to cs_append;
grant select, insert, delete on ledger.open_calls, ledger.budget_totals to cs_append;
-- Row locks need the right to update one column; heads are never updated.
grant update (inc) on ledger.heads to cs_append;
grant update (generation, lease_until, fenced, wseq) on ledger.writers to cs_append;
grant update (limit_day, limit_week, limit_month) on ledger.budget_scopes to cs_append;
