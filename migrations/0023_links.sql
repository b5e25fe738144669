-- Every statement that adds entries is checked when it is over: each row must hash to its hash, say what its columns say, and
-- link to the entry before it. The append function could be wrong, and whoever may insert without it could be too.
set local role cs_owner;

create table ledger.closed_logs (
  log text collate "C" primary key references ledger.logs (log)
);
comment on table ledger.closed_logs is 'Logs of an earlier incarnation: what happened in them after the restored head is lost, and nothing may take its place.';
grant select on ledger.closed_logs to cs_gateway, cs_append, cs_notary;
grant insert on ledger.closed_logs to cs_append;
reset role;

create function ledger.check_links() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  log_ text := '';
  seq_ bigint;
  inc_ integer;
  before_seq bigint;
  before bytea;
begin
  -- In the order of insertion: an entry comes after the one it links to.
  for r in select a.log, a.seq, a.kind, a.call, a.header, a.hash, a.t, a.wid, a.wseq from added a loop
    if r.log <> log_ then
      select h.inc into inc_ from ledger.heads h
      where h.log = r.log and not exists (select 1 from ledger.closed_logs c where c.log = r.log);
      if not found then
        raise exception 'there is no such log, or a later incarnation has replaced it' using errcode = 'CS052';
      end if;
      -- Asked for in the order of the key: a plan kept from when the table was small must not take another index.
      select e.seq, e.hash into before_seq, before from ledger.entries e
      where e.log = r.log and e.seq < r.seq order by e.seq desc limit 1;
      if not found then
        before := decode(repeat('00', 32), 'hex');
        if r.kind <> 'recovery' and inc_ > 0 then
          raise exception 'a log of a later incarnation begins with the entry that declares the loss' using errcode = 'CS053';
        end if;
      end if;
      log_ := r.log;
      seq_ := coalesce(before_seq + 1, 0);
    end if;
    -- The body's root is the one part of a header that is nowhere else.
    if r.seq <> seq_ or r.hash is distinct from sha256('\x00'::bytea || convert_to(r.header, 'UTF8'))
      or r.header is distinct from concat('{"body":"', substr(r.header, 10, 64), '","call":"', r.call, '","inc":', inc_,
        ',"kind":"', r.kind, '","log":"', log_, '","prev":"', encode(before, 'hex'), '","seq":', r.seq, ',"t":', r.t,
        ',"v":1,"wid":"', r.wid, '","wseq":', r.wseq, '}') then
      raise exception 'entry % does not link to the one before it, or is not what its columns say', r.seq using errcode = 'CS051';
    end if;
    before := r.hash;
    seq_ := seq_ + 1;
  end loop;
  return null;
end
$$;
revoke all on function ledger.check_links() from public;
grant execute on function ledger.check_links() to cs_owner, cs_append;

-- On each partition too: a trigger of the parent does not fire for a statement that names a partition.
set local role cs_owner;
do $$
declare
  target text;
begin
  foreach target in array array['entries'] || array(select 'entries_' || to_char(part, 'FM00') from generate_series(0, 15) part) loop
    execute format('create trigger check_links after insert on ledger.%I referencing new table as added '
      'for each statement execute function ledger.check_links()', target);
    execute format('alter table ledger.%I enable always trigger check_links', target);
  end loop;
  create trigger refuse_change before update or delete or truncate on ledger.closed_logs
    for each statement execute function ledger.refuse_change();
  alter table ledger.closed_logs enable always trigger refuse_change;
end
$$;
