-- A log that began after the copy was made is not in the restored database, but its slot was given. New logs get slots above every one
-- that is known outside: least_slot_ is the least to use. No more than 4,096 are left out: epochs have a leaf for each, and what is known
-- outside is read from a file without a signature.
drop function ledger.declare_loss(integer);
create function ledger.declare_loss(least_ integer, least_slot_ bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  inc_ integer;
  slot_ bigint;
  nonce_ text;
  log_ text;
begin
  -- No log is opened meanwhile.
  perform pg_advisory_xact_lock(5170044921);
  if exists (
    select 1 from ledger.logs l where l.inc > 0
      and not exists (select 1 from ledger.closed_logs c where c.log = l.log)
      and not exists (select 1 from ledger.entries e where e.log = l.log)) then
    return;
  end if;
  -- Waits for appends in progress; none begins after it.
  perform 1 from ledger.writers order by wid for update;
  update ledger.writers set fenced = true, generation = generation + 1 where not fenced;
  perform 1 from ledger.heads order by log for no key update;
  select greatest(max(l.inc) + 1, least_), greatest(max(l.slot), least(least_slot_ - 1, max(l.slot) + 4096)) into inc_, slot_ from ledger.logs l;
  for r in
    select l.log, l.tenant, l.origin from ledger.logs l
    where not exists (select 1 from ledger.closed_logs c where c.log = l.log) order by l.tenant <> '_deployment', l.slot
  loop
    slot_ := slot_ + 1;
    nonce_ := left(encode(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'hex'), 32);
    log_ := encode(sha256(convert_to(concat('["', r.origin, '",', slot_, ',"', nonce_, '"]'), 'UTF8')), 'hex');
    insert into ledger.closed_logs (log) values (r.log);
    insert into ledger.logs (log, slot, tenant, inc, nonce, origin) values (log_, slot_, r.tenant, inc_, nonce_, r.origin);
    insert into ledger.heads (log, inc) values (log_, inc_);
    -- Nothing more comes into the ended log, so calls that are open in it are closed in the one that goes on from it.
    with open_ as (delete from ledger.open_calls o where o.log = r.log returning o.call, o.seq, o.wid, o.reserved, o.scopes)
    insert into ledger.open_calls (log, call, seq, wid, reserved, scopes)
    select log_, o.call, o.seq, o.wid, o.reserved, o.scopes from open_ o;
  end loop;
  -- Witnesses that have seen the lost history were right about it.
  update ledger.anchor_tries set forked = false, next_try = clock_timestamp() where forked;
end
$$;

grant create on schema ledger to cs_append;
alter function ledger.declare_loss owner to cs_append;
revoke create on schema ledger from cs_append;
revoke all on function ledger.declare_loss from public;
grant execute on function ledger.declare_loss to cs_owner;
