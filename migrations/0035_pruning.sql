-- Pruning: the ciphertext of entries whose key was destroyed, which nobody can read any more, is removed once their retention is
-- over. Headers, section hashes and facts stay, so chains, trees and proofs stay as they were. A `prune` entry orders it and is
-- durable before a row is touched; nothing else takes a body away.

-- cs_pruner owns the pruning functions and never logs in. A migrator that is not a superuser must be able to give it objects.
do $$
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    grant cs_pruner to current_user;
  end if;
exception when insufficient_privilege then
  null; -- Granted by somebody else, or the next statement that needs it says so.
end
$$;
grant usage on schema keystore to cs_pruner;
set local role cs_owner;

create table ledger.prunes (
  log text collate "C" not null,
  seq bigint not null,
  target text collate "C" not null,
  before bigint not null,
  reached bigint not null,
  primary key (log, seq)
);
comment on table ledger.prunes is 'How far a prune entry has been carried out: for the bodies of target up to reached. The entries are what counts.';

-- Every look at whether something is left to do asks for all of them.
create index entries_prunes on ledger.entries (log, seq) where kind = 'prune';

grant select (log, seq, kind, facts, key, sealed, content), update (sealed, content) on ledger.entries to cs_pruner;
grant select (log, tenant, inc) on ledger.logs to cs_pruner;
grant select (id) on keystore.subject_keys to cs_pruner;
grant select, insert, update (reached) on ledger.prunes to cs_pruner;
grant select on ledger.prunes to cs_gateway;
create policy pruner on ledger.logs for select to cs_pruner using (true);
create policy pruner_reads on ledger.entries for select to cs_pruner using (true);
create policy pruner_empties on ledger.entries for update to cs_pruner using (true) with check (true);
reset role;

-- A member of facts as text; null when it is not there, or the facts have another form, which verification names.
create function ledger.fact(facts_ text, name_ text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return facts_::jsonb ->> name_;
exception when data_exception then
  return null;
end
$$;

-- The keys that an erasure's facts name.
create function ledger.named_keys(facts_ text) returns bigint[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return array(select x::bigint from jsonb_array_elements_text(facts_::jsonb -> 'keys') x);
exception when data_exception then
  return '{}';
end
$$;

-- The keys that erasures before a place in a tenant's logs destroyed, or have yet to.
create function ledger.erased_keys(tenant_ text, inc_ integer, seq_ bigint) returns table (key bigint, inc integer, seq bigint)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select distinct on (k.key) k.key, l.inc, e.seq
  from ledger.logs l join ledger.entries e on e.log = l.log and e.kind = 'erasure', unnest(ledger.named_keys(e.facts)) k(key)
  where l.tenant = tenant_ and (l.inc, e.seq) < (inc_, seq_)
  order by k.key, l.inc, e.seq
$$;

-- The keys whose bodies a prune entry at that place takes away. A hold that is in force there keeps those that were destroyed before
-- it was placed, as it may be about them; what was destroyed while it was in force is nothing it is about.
create function ledger.prunable_keys(tenant_ text, inc_ integer, seq_ bigint) returns setof bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  with holds as (
    select distinct on (ledger.fact(e.facts, 'hold')) ledger.fact(e.facts, 'action') as action, l.inc, e.seq
    from ledger.logs l join ledger.entries e on e.log = l.log and e.kind = 'hold'
    where l.tenant = tenant_ and (l.inc, e.seq) < (inc_, seq_)
    order by ledger.fact(e.facts, 'hold'), l.inc desc, e.seq desc)
  select r.key from ledger.erased_keys(tenant_, inc_, seq_) r
  where not exists (select 1 from holds h where h.action is distinct from 'release' and (h.inc, h.seq) > (r.inc, r.seq))
    and not exists (select 1 from keystore.subject_keys s where s.id = r.key)
$$;

-- What prune entries that are being carried out take away from a log: bodies sealed by key, before a sequence.
create function ledger.prunable(target_ text) returns table (key bigint, before bigint)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select k.key, max(d.before)
  from ledger.prunes d
  join ledger.entries p on p.log = d.log and p.seq = d.seq and p.kind = 'prune'
  join ledger.logs l on l.log = p.log
  join ledger.logs t on t.log = d.target and t.tenant = l.tenant
  cross join lateral ledger.prunable_keys(l.tenant, l.inc, p.seq) k(key)
  where d.target = target_ and d.reached < d.before
    and ledger.fact(p.facts, 'log') = d.target and ledger.fact(p.facts, 'before') = d.before::text
  group by k.key
$$;

-- Carries out one step of what prune entries order: looks at most at most_ entries of one log. looked is 0 when nothing is left, or
-- when it has to wait because an erasure before the prune entry has not been carried out.
create function ledger.carry_out_prunes(most_ bigint) returns table (looked bigint, removed bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  until_ bigint;
begin
  -- One at a time.
  perform pg_advisory_xact_lock(5170044924);
  insert into ledger.prunes (log, seq, target, before, reached)
  select p.log, p.seq, t.log, x.before, 0
  from ledger.entries p join ledger.logs l on l.log = p.log
  join ledger.logs t on t.tenant = l.tenant and t.log = ledger.fact(p.facts, 'log')
  cross join lateral (
    select case when f.before ~ '^[0-9]{1,15}$' then f.before::bigint end as before from (select ledger.fact(p.facts, 'before') as before) f) x
  where p.kind = 'prune' and not exists (select 1 from ledger.prunes d where d.log = p.log and d.seq = p.seq)
    -- No further than its log goes.
    and exists (select 1 from ledger.entries e where e.log = t.log and e.seq = x.before - 1);
  for r in
    select d.log, d.seq, d.target, d.before, d.reached, l.tenant, l.inc from ledger.prunes d join ledger.logs l on l.log = d.log
    where d.reached < d.before order by d.log, d.seq
  loop
    continue when exists (
      select 1 from ledger.erased_keys(r.tenant, r.inc, r.seq) k join keystore.subject_keys s on s.id = k.key);
    until_ := least(r.before, r.reached + most_);
    update ledger.entries e set sealed = null, content = null from ledger.prunable(r.target) w
    where e.log = r.target and e.seq >= r.reached and e.seq < until_ and e.key = w.key and e.seq < w.before
      and (e.sealed is not null or e.content is not null);
    get diagnostics removed = row_count;
    update ledger.prunes d set reached = until_ where d.log = r.log and d.seq = r.seq;
    looked := until_ - r.reached;
    return next;
    return;
  end loop;
  looked := 0;
  removed := 0;
  return next;
end
$$;

-- An update is let through for the pruning function alone, and then checked when it is over.
create function ledger.refuse_change_but_pruning() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op <> 'UPDATE' or current_user <> 'cs_pruner' then
    raise exception 'ledger rows are never changed or removed' using errcode = 'CS050';
  end if;
  return null;
end
$$;

create function ledger.check_pruning() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  log_ text;
  right_ bigint := 0;
  fits bigint;
begin
  for log_ in select distinct n.log from new_rows n loop
    select count(*) into fits
    from new_rows n join old_rows o on o.log = n.log and o.seq = n.seq
    join ledger.prunable(log_) w on w.key = n.key and n.seq < w.before
    where n.log = log_ and n.sealed is null and n.content is null
      and (n.kind, n.class, n.call, n.header, n.hash, n.t, n.dbt, n.wid, n.wseq, n.leaves, n.facts, n.facts_salt, n.key, n.booked)
        is not distinct from
        (o.kind, o.class, o.call, o.header, o.hash, o.t, o.dbt, o.wid, o.wseq, o.leaves, o.facts, o.facts_salt, o.key, o.booked);
    right_ := right_ + fits;
  end loop;
  if right_ <> (select count(*) from new_rows) then
    raise exception 'no prune entry orders that, or the keys of these bodies are not destroyed' using errcode = 'CS054';
  end if;
  return null;
end
$$;

do $$
declare
  target text;
begin
  execute 'grant create on schema ledger to cs_pruner';
  foreach target in array array['prunable_keys(text, integer, bigint)', 'erased_keys(text, integer, bigint)', 'prunable(text)',
    'carry_out_prunes(bigint)', 'fact(text, text)', 'named_keys(text)'] loop
    execute format('alter function ledger.%s owner to cs_pruner', target);
    execute format('revoke all on function ledger.%s from public', target);
    execute format('grant execute on function ledger.%s to cs_gateway', target);
  end loop;
  execute 'revoke create on schema ledger from cs_pruner';
end
$$;
revoke all on function ledger.refuse_change_but_pruning(), ledger.check_pruning() from public;
grant execute on function ledger.refuse_change_but_pruning() to cs_owner;
grant execute on function ledger.check_pruning() to cs_owner, cs_pruner;

set local role cs_owner;
do $$
declare
  target text;
begin
  foreach target in array array['entries'] || array(select 'entries_' || to_char(part, 'FM00') from generate_series(0, 15) part) loop
    execute format('drop trigger refuse_change on ledger.%I', target);
    execute format('create trigger refuse_change before update or delete or truncate on ledger.%I '
      'for each statement execute function ledger.refuse_change_but_pruning()', target);
    execute format('alter table ledger.%I enable always trigger refuse_change', target);
    execute format('create trigger check_pruning after update on ledger.%I referencing old table as old_rows new table as new_rows '
      'for each statement when (current_user = ''cs_pruner'') execute function ledger.check_pruning()', target);
    execute format('alter table ledger.%I enable always trigger check_pruning', target);
  end loop;
  create trigger keep_record before delete or truncate on ledger.prunes
    for each statement execute function ledger.refuse_change();
  alter table ledger.prunes enable always trigger keep_record;
end
$$;
