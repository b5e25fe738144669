-- Erasure: a subject's key is destroyed by an `erasure` entry that names it, and by nothing else the gateway can do. The entries
-- are what counts; what is kept here only says which of them have been carried out.
grant usage on schema keystore to cs_append;
set local role cs_owner;

-- A reference is never used twice, also not after the keystore was restored from an older copy: what an old entry is about must
-- not become the name of a new key.
alter table keystore.subject_keys alter column id drop identity;
alter table keystore.subject_keys alter column id
  set default ('x' || right(gen_random_uuid()::text, 12) || right(gen_random_uuid()::text, 3))::bit(60)::bigint;

create table keystore.erasures (
  log text collate "C" not null,
  seq bigint not null,
  n bigint not null,
  primary key (log, seq)
);
comment on table keystore.erasures is 'Erasure entries that have been carried out; n rises with every destruction, so that caches notice.';
grant select on keystore.erasures to cs_gateway;
grant select, insert, update on keystore.erasures to cs_append;
grant select, delete on keystore.subject_keys to cs_append;

-- Few entries are of these kinds, and every start asks for all of them.
create index entries_governance on ledger.entries (log, seq) where kind in ('erasure', 'hold');

reset role;

-- Destroys the keys that erasure entries name: all of them when all_, else those of entries not carried out yet. Answers a number
-- that is another one after every destruction. An entry whose facts name no keys destroys nothing.
create function ledger.apply_erasures(all_ boolean) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  gone bigint;
  last_ bigint;
begin
  if not all_ and not exists (
    select 1 from ledger.entries e
    where e.kind = 'erasure' and not exists (select 1 from keystore.erasures a where a.log = e.log and a.seq = e.seq)) then
    return (select coalesce(max(n), 0) from keystore.erasures);
  end if;
  -- One at a time: numbers become visible in their own order.
  perform pg_advisory_xact_lock(5170044923);
  select coalesce(max(n), 0) into last_ from keystore.erasures;
  for r in
    select e.log, e.seq, e.facts, l.tenant, a.n is not null as known
    from ledger.entries e join ledger.logs l on l.log = e.log left join keystore.erasures a on a.log = e.log and a.seq = e.seq
    where e.kind = 'erasure' and (all_ or a.n is null) order by e.log, e.seq
  loop
    gone := 0;
    begin
      delete from keystore.subject_keys k using jsonb_array_elements_text(r.facts::jsonb -> 'keys') x
      where k.id = x::bigint and k.tenant = r.tenant;
      get diagnostics gone = row_count;
    exception when data_exception then
      -- Facts of another form: verification names the entry, and one bad entry must not keep a gateway from starting.
      null;
    end;
    if gone > 0 or not r.known then
      last_ := last_ + 1;
      insert into keystore.erasures as a (log, seq, n) values (r.log, r.seq, last_) on conflict (log, seq) do update set n = excluded.n;
    end if;
  end loop;
  return last_;
end
$$;

grant create on schema ledger to cs_append;
alter function ledger.apply_erasures owner to cs_append;
revoke create on schema ledger from cs_append;
revoke all on function ledger.apply_erasures from public;
grant execute on function ledger.apply_erasures to cs_gateway;
