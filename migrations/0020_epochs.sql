-- Tiles of the logs' Merkle trees, epochs that bind the heads of all tenants' logs, and the signed checkpoints of the
-- deployment's log. All of it follows from entries, and nothing here is touched by an append.

-- cs_notary signs checkpoints: it reads the deployment's headers and publishes, and sees nothing of a tenant.
do $$
begin
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'cs_notary') then
    create role cs_notary nologin noinherit;
  end if;
exception when duplicate_object or unique_violation then
  null;
end
$$;
grant usage on schema ledger to cs_notary;
set local role cs_owner;

create table ledger.tiles (
  log text collate "C" not null references ledger.logs (log),
  level smallint not null,
  n bigint not null,
  hashes bytea not null check (octet_length(hashes) = 8192),
  root bytea not null check (octet_length(root) = 32),
  primary key (log, level, n)
);
comment on table ledger.tiles is 'Full tiles of 256 hashes (c2sp.org/tlog-tiles). A partial tile is read from entries, or from the roots of the tiles below.';
alter table ledger.tiles alter column hashes set storage external;

create table ledger.epochs (
  epoch bigint primary key check (epoch >= 0),
  slots bigint not null,
  used bigint not null check (used <= slots),
  root bytea not null check (octet_length(root) = 32),
  secret bytea not null check (octet_length(secret) = 32),
  made timestamptz not null default clock_timestamp()
);
comment on column ledger.epochs.used is 'Logs there were, by slot from 0 on; one without entries is bound as empty.';
comment on column ledger.epochs.secret is 'What the leaves of this epoch were blinded with; it opens every slot, so only the gateway reads it.';

create table ledger.epoch_heads (
  log text collate "C" not null references ledger.logs (log),
  epoch bigint not null references ledger.epochs (epoch),
  size bigint not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  frontier bytea not null,
  path bytea not null,
  primary key (log, epoch),
  unique (log, size)
);
comment on table ledger.epoch_heads is 'Heads that changed in an epoch. frontier: what the tree is continued from; path: from the slot to the root of the epoch.';

create table ledger.checkpoints (
  log text collate "C" not null references ledger.logs (log),
  size bigint not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  frontier bytea not null,
  note text not null,
  vkey text not null,
  primary key (log, size)
);
comment on table ledger.checkpoints is 'Published checkpoints of the deployment''s log, as signed notes (c2sp.org/tlog-checkpoint).';

create table ledger.jobs (
  name text collate "C" primary key check (name ~ '^[a-z-]{1,32}$'),
  holder text not null,
  until timestamptz not null
);
comment on table ledger.jobs is 'Who does a job for all processes at the moment. Two at once do no harm: their results exclude each other by key.';

do $$
declare
  target text;
begin
  foreach target in array array['tiles', 'epochs', 'epoch_heads', 'checkpoints'] loop
    execute format('create trigger refuse_change before update or delete or truncate on ledger.%I '
      'for each statement execute function ledger.refuse_change()', target);
    execute format('alter table ledger.%I enable always trigger refuse_change', target);
  end loop;
  foreach target in array array['tiles', 'epoch_heads'] loop
    execute format('alter table ledger.%I enable row level security', target);
    execute format('create policy append on ledger.%I to cs_append using (true) with check (true)', target);
    execute format('create policy gateway on ledger.%I for select to cs_gateway using (true)', target);
    -- ledger.logs shows a reader its own tenants only.
    execute format('create policy reader on ledger.%I for select to cs_reader using (log in (select l.log from ledger.logs l))', target);
  end loop;
end
$$;
create policy notary on ledger.logs for select to cs_notary using (tenant = '_deployment');
create policy notary on ledger.entries for select to cs_notary
  using (log in (select l.log from ledger.logs l where l.tenant = '_deployment'));

grant select on ledger.tiles, ledger.epochs, ledger.epoch_heads, ledger.checkpoints, ledger.jobs to cs_gateway;
grant select on ledger.tiles, ledger.epoch_heads, ledger.checkpoints to cs_reader;
grant select (epoch, slots, used, root, made) on ledger.epochs to cs_reader;
grant select on ledger.checkpoints to cs_notary;
grant select (log, slot, tenant, inc, origin) on ledger.logs to cs_notary;
grant select (log, seq, kind, header) on ledger.entries to cs_notary;
grant select, insert on ledger.tiles, ledger.epochs, ledger.epoch_heads, ledger.checkpoints to cs_append;
grant select, insert, update on ledger.jobs to cs_append;
reset role;

-- True when the caller holds the job from now on, for that long.
create function ledger.take_job(name_ text, holder_ text, lease_ms_ integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.jobs as j (name, holder, until)
  values (name_, holder_, clock_timestamp() + lease_ms_ * interval '1 millisecond')
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where j.holder = excluded.holder or j.until < clock_timestamp();
  return found;
end
$$;

-- Builds the full tiles that the first size_ entries of a log fill and that are not there yet, at most most_ of them, from the
-- entries' hashes alone; answers how many. The caller comes again until it is 0.
create function ledger.build_tiles(log_ text, size_ bigint, most_ integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  built integer := 0;
  level_ integer := 0;
  total bigint := size_;
  next_ bigint;
  nodes bytea[];
  bytes bytea;
  width integer;
begin
  while total >= 256 and built < most_ loop
    select coalesce(max(t.n) + 1, 0) into next_ from ledger.tiles t where t.log = log_ and t.level = level_;
    while (next_ + 1) * 256 <= total and built < most_ loop
      if level_ = 0 then
        select array_agg(e.hash order by e.seq), string_agg(e.hash, '' order by e.seq) into nodes, bytes
        from ledger.entries e where e.log = log_ and e.seq >= next_ * 256 and e.seq < (next_ + 1) * 256;
      else
        select array_agg(t.root order by t.n), string_agg(t.root, '' order by t.n) into nodes, bytes
        from ledger.tiles t where t.log = log_ and t.level = level_ - 1 and t.n >= next_ * 256 and t.n < (next_ + 1) * 256;
      end if;
      if cardinality(nodes) is distinct from 256 then
        return built;
      end if;
      width := 128;
      while width >= 1 loop
        for i in 1..width loop
          nodes[i] := sha256('\x01'::bytea || nodes[2 * i - 1] || nodes[2 * i]);
        end loop;
        width := width / 2;
      end loop;
      insert into ledger.tiles (log, level, n, hashes, root) values (log_, level_, next_, bytes, nodes[1]) on conflict do nothing;
      built := built + 1;
      next_ := next_ + 1;
    end loop;
    total := total / 256;
    level_ := level_ + 1;
  end loop;
  return built;
end
$$;

-- Stores an epoch before its entry is appended, so that a crash in between leaves something to append from. False when another
-- process was faster.
create function ledger.prepare_epoch(epoch_ bigint, slots_ bigint, used_ bigint, root_ bytea, secret_ bytea,
  log_ text[], size_ bigint[], head_ bytea[], frontier_ bytea[], path_ bytea[]) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if epoch_ <> (select coalesce(max(e.epoch) + 1, 0) from ledger.epochs e) then
    return false;
  end if;
  insert into ledger.epochs (epoch, slots, used, root, secret) values (epoch_, slots_, used_, root_, secret_) on conflict do nothing;
  if not found then
    return false;
  end if;
  if exists (
    select 1 from unnest(log_, size_) u(log, size)
    where not exists (select 1 from ledger.entries e where e.log = u.log and e.seq = u.size - 1)
      or exists (select 1 from ledger.epoch_heads h where h.log = u.log and h.size >= u.size)) then
    raise exception 'a head of this epoch is not beyond the one before, or beyond its log' using errcode = 'CS060';
  end if;
  insert into ledger.epoch_heads (log, epoch, size, root, frontier, path)
  select u.log, epoch_, u.size, u.head, u.frontier, u.path
  from unnest(log_, size_, head_, frontier_, path_) u(log, size, head, frontier, path);
  return true;
end
$$;

-- Publishes a signed checkpoint of the deployment's log. False when one of that size or a larger one is there already.
create function ledger.publish_checkpoint(log_ text, size_ bigint, root_ bytea, frontier_ bytea, note_ text, vkey_ text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(5170044922);
  if not exists (select 1 from ledger.logs l join ledger.entries e on e.log = l.log and e.seq = size_ - 1
    where l.log = log_ and l.tenant = '_deployment') then
    raise exception 'the deployment''s log is not as long as this checkpoint' using errcode = 'CS061';
  end if;
  if exists (select 1 from ledger.checkpoints c where c.log = log_ and c.size >= size_) then
    return false;
  end if;
  insert into ledger.checkpoints (log, size, root, frontier, note, vkey) values (log_, size_, root_, frontier_, note_, vkey_);
  return true;
end
$$;

grant create on schema ledger to cs_append;
do $$
declare
  name text;
begin
  foreach name in array array['take_job', 'build_tiles', 'prepare_epoch', 'publish_checkpoint'] loop
    execute format('alter function ledger.%I owner to cs_append', name);
    execute format('revoke all on function ledger.%I from public', name);
  end loop;
end
$$;
revoke create on schema ledger from cs_append;
-- Who can append can not sign, and who can sign can not append.
grant execute on function ledger.take_job, ledger.build_tiles to cs_gateway, cs_notary;
grant execute on function ledger.prepare_epoch to cs_gateway;
grant execute on function ledger.publish_checkpoint to cs_notary;
