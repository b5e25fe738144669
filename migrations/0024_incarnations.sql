-- An operator declares what a restored database has lost: every log ends where it is, and the tenants and the deployment go on
-- with logs of a new incarnation. Their first entries say what was lost (ledger.check_links refuses any other); the caller
-- appends them. Calling it again before it has done so finds the same logs. Not for the gateway: the owner of the database does it.
create function ledger.declare_loss(least_ integer) returns void
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
  select greatest(max(l.inc) + 1, least_), max(l.slot) into inc_, slot_ from ledger.logs l;
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
