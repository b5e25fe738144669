-- What others outside say of checkpoints: cosignatures of witnesses, tokens of timestamp authorities, copies in an object store;
-- and when each of them is asked next. Nothing here is believed by a verifier because it stands here: all of it is signed by
-- somebody else, and checked with keys that the reader brings.
set local role cs_owner;

create table ledger.cosignatures (
  log text collate "C" not null,
  size bigint not null,
  vkey text collate "C" not null check (length(vkey) <= 400),
  line text not null check (length(line) <= 1000),
  stated timestamptz not null,
  stored timestamptz not null default clock_timestamp(),
  primary key (log, size, vkey),
  foreign key (log, size) references ledger.checkpoints (log, size)
);
comment on table ledger.cosignatures is 'Signature lines of witnesses under checkpoints (c2sp.org/tlog-cosignature). stated: the time the witness signed.';

create table ledger.timestamps (
  log text collate "C" not null,
  size bigint not null,
  authority text collate "C" not null check (authority ~ '^[a-z0-9-]{1,41}$'),
  token bytea not null check (octet_length(token) <= 65536),
  stated timestamptz not null,
  stored timestamptz not null default clock_timestamp(),
  primary key (log, size, authority),
  foreign key (log, size) references ledger.checkpoints (log, size)
);
comment on table ledger.timestamps is 'RFC 3161 tokens over the exact text of checkpoint notes. stated: the time in the token.';

create table ledger.copies (
  log text collate "C" not null,
  size bigint not null,
  place text collate "C" not null check (length(place) <= 400),
  stored timestamptz not null default clock_timestamp(),
  primary key (log, size, place),
  foreign key (log, size) references ledger.checkpoints (log, size)
);
comment on table ledger.copies is 'Checkpoints that an object store has taken, with all that belongs to them.';

create table ledger.anchor_tries (
  target text collate "C" primary key check (length(target) <= 300 and target ~ '^[a-z]{1,10}:[^[:cntrl:]]+$'),
  failures integer not null check (failures >= 0),
  next_try timestamptz not null,
  problem text check (length(problem) <= 500),
  forked boolean not null default false
);
comment on table ledger.anchor_tries is 'Who did not answer, or refused, and when they are asked again. forked: a witness has seen another history.';

do $$
declare
  target text;
begin
  foreach target in array array['cosignatures', 'timestamps', 'copies'] loop
    execute format('create trigger refuse_change before update or delete or truncate on ledger.%I '
      'for each statement execute function ledger.refuse_change()', target);
    execute format('alter table ledger.%I enable always trigger refuse_change', target);
  end loop;
end
$$;

grant select on ledger.cosignatures, ledger.timestamps, ledger.copies, ledger.anchor_tries to cs_gateway, cs_reader;
grant select, insert on ledger.cosignatures, ledger.timestamps, ledger.copies to cs_append;
grant select, insert, update on ledger.anchor_tries to cs_append;
reset role;

-- False when there is one of this key already.
create function ledger.store_cosignature(log_ text, size_ bigint, vkey_ text, line_ text, stated_ timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.cosignatures (log, size, vkey, line, stated) values (log_, size_, vkey_, line_, stated_) on conflict do nothing;
  return found;
end
$$;

create function ledger.store_timestamp(log_ text, size_ bigint, authority_ text, token_ bytea, stated_ timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.timestamps (log, size, authority, token, stated) values (log_, size_, authority_, token_, stated_) on conflict do nothing;
  return found;
end
$$;

create function ledger.store_copy(log_ text, size_ bigint, place_ text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.copies (log, size, place) values (log_, size_, place_) on conflict do nothing;
  return found;
end
$$;

-- A try that succeeded (problem_ null) or failed; after each failure in a row the pause doubles, from first_ms_ up to most_ms_.
create function ledger.note_anchor_try(target_ text, problem_ text, forked_ boolean, first_ms_ integer, most_ms_ integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.anchor_tries as t (target, failures, next_try, problem, forked)
  values (target_, case when problem_ is null then 0 else 1 end,
    clock_timestamp() + case when problem_ is null then 0 else first_ms_ end * interval '1 millisecond', problem_, forked_)
  on conflict (target) do update set
    failures = case when problem_ is null then 0 else least(t.failures + 1, 1000) end,
    next_try = clock_timestamp() + case when problem_ is null then 0
      else least(most_ms_, first_ms_ * power(2, least(t.failures, 20))) end * interval '1 millisecond',
    problem = problem_, forked = forked_;
end
$$;

grant create on schema ledger to cs_append;
do $$
declare
  name text;
begin
  foreach name in array array['store_cosignature', 'store_timestamp', 'store_copy', 'note_anchor_try'] loop
    execute format('alter function ledger.%I owner to cs_append', name);
    execute format('revoke all on function ledger.%I from public', name);
  end loop;
end
$$;
revoke create on schema ledger from cs_append;
grant execute on function ledger.store_cosignature, ledger.store_timestamp, ledger.store_copy, ledger.note_anchor_try to cs_gateway;
