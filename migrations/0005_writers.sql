-- Logs, and the writers' leases. A writer is one process; its row's generation is raised when a call of it may still be running
-- somewhere, and when it is fenced: an append with an older generation is refused.

create function ledger.open_log(tenant_ text, origin_ text, nonce_ text)
returns table (log text, slot bigint, inc integer, nonce text, origin text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  slot_ bigint;
  log_ text;
begin
  if not exists (select 1 from ledger.logs l where l.tenant = tenant_) then
    if tenant_ !~ '^(_deployment|[a-z0-9][a-z0-9-]{0,40})$' or origin_ !~ '^[A-Za-z0-9._:/-]{1,128}$' or nonce_ !~ '^[0-9a-f]{32}$' then
      raise exception 'tenant, origin or nonce has a form that is not allowed' using errcode = 'CS030';
    end if;
    -- One new log at a time: slots are dense and never used twice.
    perform pg_advisory_xact_lock(5170044921);
    if not exists (select 1 from ledger.logs l where l.tenant = tenant_) then
      select coalesce(max(l.slot) + 1, 0) into slot_ from ledger.logs l;
      log_ := encode(sha256(convert_to(concat('["', origin_, '",', slot_, ',"', nonce_, '"]'), 'UTF8')), 'hex');
      insert into ledger.logs (log, slot, tenant, inc, nonce, origin) values (log_, slot_, tenant_, 0, nonce_, origin_);
      insert into ledger.heads (log, inc) values (log_, 0);
    end if;
  end if;
  return query select l.log, l.slot, l.inc, l.nonce, l.origin from ledger.logs l where l.tenant = tenant_ order by l.inc desc limit 1;
end
$$;

create function ledger.register_writer(wid_ text, key_ text, lease_ms_ integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ledger.writers (wid, key, generation, lease_until)
  values (wid_, key_, 1, clock_timestamp() + lease_ms_ * interval '1 millisecond');
  return 1;
end
$$;

-- False when fenced. Not a key column: appends of this writer do not wait for it.
create function ledger.renew_lease(wid_ text, generation_ bigint, lease_ms_ integer, wseq_ bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update ledger.writers set lease_until = clock_timestamp() + lease_ms_ * interval '1 millisecond', wseq = greatest(wseq, wseq_)
  where wid = wid_ and generation = generation_ and not fenced;
  return found;
end
$$;

-- After an ambiguous failure: waits for a call of ours that may still run, and makes sure that none can commit later.
-- Null when fenced meanwhile.
create function ledger.resume_writer(wid_ text, generation_ bigint, lease_ms_ integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform 1 from ledger.writers where wid = wid_ for update;
  update ledger.writers set generation = generation + 1, lease_until = clock_timestamp() + lease_ms_ * interval '1 millisecond'
  where wid = wid_ and generation >= generation_ and not fenced returning generation into generation_;
  return case when found then generation_ end;
end
$$;

-- An orderly end: the lease is over at once, so that open calls, if any, need not wait for it.
create function ledger.retire_writer(wid_ text, wseq_ bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update ledger.writers set lease_until = clock_timestamp() - interval '1 millisecond', wseq = greatest(wseq, wseq_)
  where wid = wid_ and not fenced;
end
$$;

-- Fences every writer whose lease is over, except the caller. FOR UPDATE waits for nobody (a writer in the middle of an append is
-- alive and is skipped) and lets no append begin.
create function ledger.fence_expired(self_ text) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    with expired as (
      select w.wid from ledger.writers w where not w.fenced and w.lease_until < clock_timestamp() and w.wid <> self_
      order by w.wid for update skip locked)
    update ledger.writers w set fenced = true, generation = w.generation + 1 from expired e where w.wid = e.wid returning w.wid;
end
$$;

create function ledger.store_receipts(wid_ text, log_ text[], seq_ bigint[], digest_ text[], sig_ text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ledger.receipts (log, seq, wid, digest, sig)
  select log_[i], seq_[i], wid_, digest_[i], sig_[i] from generate_series(1, cardinality(log_)) i
  on conflict do nothing
$$;

-- The first entry at or after a time, by bisection: `t` never falls along a log. Equals the log's length when there is none.
create function ledger.first_at(log_ text, time_ bigint) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select coalesce(max(seq) + 1, 0) into high from ledger.entries where log = log_;
  while low < high loop
    middle := (low + high) / 2;
    if (select t from ledger.entries where log = log_ and seq = middle) < time_ then low := middle + 1; else high := middle; end if;
  end loop;
  return low;
end
$$;

grant create on schema ledger to cs_append;
do $$
declare
  name text;
begin
  foreach name in array array['open_log', 'register_writer', 'renew_lease', 'resume_writer', 'retire_writer', 'fence_expired',
    'store_receipts', 'first_at'] loop
    execute format('alter function ledger.%I owner to cs_append', name);
    execute format('revoke all on function ledger.%I from public', name);
    execute format('grant execute on function ledger.%I to cs_gateway', name);
  end loop;
end
$$;
revoke create on schema ledger from cs_append;
