-- The only way into the ledger. One call appends a batch for any number of logs and answers one token per item, comma-separated:
--   seq:t:hash:wseq   appended (or, when sent again, already there)
--   -:scope           a budget scope has no room          ?:scope   a budget scope does not exist
--   x                 the call is not open (any more)     =         another entry has this (log, call, class)
--   0                 not there (items that are only asked for)
-- Texts are lists with a comma between the items (facts: a line feed), leaves in hex, sealed and content in base64, an empty one null:
-- PostgreSQL reads array literals, and bytea in hex, several times slower.
-- Items are sorted by log. Lock order, for every writer of these tables: writer row, heads, budget scopes, each in key order.
--
-- again_ is set after a failure that left it open whether the batch was committed. The caller first raises its generation
-- (ledger.resume_writer), so that no older call can still commit; then items that are there answer as the first time did, items
-- in ask_ are only looked up, and the rest is appended with the writer sequence going on densely.
create function ledger.append(
  wid_ text, generation_ bigint, wseq_ bigint, again_ boolean,
  log_ text, kind_ text, class_ text, call_ text, time_ bigint[], body_ text,
  leaves_ text, facts_ text, salt_ text, sealed_ text, content_ text, key_ bigint[],
  open_ boolean[], amount_ bigint[], scopes_ text[], ask_ boolean[],
  receipt_log_ text, receipt_seq_ bigint[], receipt_digest_ text, receipt_sig_ text
) returns text language plpgsql security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  -- One element an item.
  logs constant text[] := string_to_array(log_, ',');
  kinds constant text[] := string_to_array(kind_, ',');
  classes constant text[] := string_to_array(class_, ',');
  calls constant text[] := string_to_array(call_, ',');
  bodies constant text[] := string_to_array(body_, ',');
  leaves constant text[] := string_to_array(leaves_, ',');
  salts constant text[] := string_to_array(salt_, ',');
  sealed constant text[] := string_to_array(sealed_, ',', '');
  content constant text[] := string_to_array(content_, ',', '');
  n constant integer := cardinality(logs);
  k integer := 1;
  -- By item; an element that is not assigned is null.
  answer text[];
  seqs bigint[];
  wseqs bigint[];
  times bigint[];
  hashes bytea[];
  headers text[];
  booked bigint[];
  -- What closing an open call gives back, by item.
  held bigint[];
  owed text[];
  -- Budget scopes of this batch, in key order, and what happens to them.
  names text[];
  existing text[];
  room bigint[];
  hold bigint[];
  add_day bigint[];
  add_week bigint[];
  add_month bigint[];
  last bigint[];
  days integer[];
  weeks integer[];
  months integer[];
  was_day bigint[];
  was_week bigint[];
  was_month bigint[];
  was_held bigint[];
  late boolean := 'late_outcome' = any (kinds);
  r record;
  heads text[];
  incs integer[];
  head text;
  s bigint;
  w bigint := wseq_ - 1;
  tm bigint;
  prev bytea;
  scope_ text;
  j integer := 0;
  refused text;
  -- Late outcomes: the periods their unknown was booked in that still run.
  same_day boolean[];
  same_week boolean[];
  same_month boolean[];
  now_ bigint;
  day_ integer;
  week_ integer;
  month_ integer;
  -- One line an item.
  facts constant text[] := string_to_array(facts_, e'\n');
begin
  -- A later statement must see what others committed while this one waited for a lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'ledger.append needs READ COMMITTED' using errcode = 'CS010';
  end if;
  -- These go into JSON as they are; commas only between items. (A regular expression takes ten times as long.)
  if ltrim(convert_to(concat(kind_, class_, call_, body_, wid_), 'UTF8'), ',abcdefghijklmnopqrstuvwxyz0123456789._:-'::bytea) <> ''
    or (cardinality(kinds), cardinality(classes), cardinality(calls), cardinality(bodies), length(body_)) <> (n, n, n, n, 65 * n - 1) then
    raise exception 'a header string has a character or length that is not allowed' using errcode = 'CS030';
  end if;

  -- KEY SHARE lets the lease be renewed meanwhile, and makes fencing wait for this transaction.
  perform 1 from ledger.writers where wid = wid_ and generation = generation_ and not fenced for key share;
  if not found then
    perform 1 from ledger.writers where wid = wid_ and 'late_outcome' = all (kinds);
    if not found then
      raise exception 'this writer is fenced' using errcode = 'CS020';
    end if;
  end if;

  -- Heads are never updated, so what this statement returns after a wait is not stale.
  select array_agg(l.log), array_agg(l.inc) into heads, incs
  from (select x.log, x.inc from ledger.heads x where x.log = any (logs) order by x.log for no key update) l;

  if again_ then
    for r in
      select i.k, e.seq, e.t, e.hash, e.wseq, e.wid = wid_ and left(e.header, 73) = '{"body":"' || bodies[i.k] as mine
      from generate_series(1, n) i(k) join ledger.entries e on e.log = logs[i.k] and e.call = calls[i.k] and e.class = classes[i.k]
    loop
      answer[r.k] := '=';
      if r.mine then
        answer[r.k] := concat(r.seq, ':', r.t, ':', encode(r.hash, 'hex'), ':', r.wseq);
        w := greatest(w, r.wseq);
      end if;
    end loop;
    for k in 1..n loop
      if ask_[k] and answer[k] is null then answer[k] := '0'; end if;
    end loop;
  end if;

  if 'outcome' = any (kinds) then
    for r in
      with closed as (
        delete from ledger.open_calls o using generate_series(1, n) i(k)
        where kinds[i.k] = 'outcome' and answer[i.k] is null and o.log = logs[i.k] and o.call = calls[i.k]
        returning i.k, o.reserved, o.scopes)
      select * from closed
    loop
      held[r.k] := r.reserved;
      owed[r.k] := array_to_string(r.scopes, ',');
    end loop;
  end if;

  now_ := floor(extract(epoch from clock_timestamp()) * 1000);
  if cardinality(scopes_) > 0 or held is not null or late then
    day_ := now_ / 86400000;
    week_ := (day_ + 3) / 7;
    month_ := extract(year from to_timestamp(now_ / 1000) at time zone 'UTC') * 12
      + extract(month from to_timestamp(now_ / 1000) at time zone 'UTC') - 1;
  end if;

  if late then
    for r in
      select i.k, e.booked, e.dbt, d.facts::jsonb -> 'ledger' -> 'scopes' as scopes
      from generate_series(1, n) i(k)
      join ledger.entries e on e.log = logs[i.k] and e.call = calls[i.k] and e.class = 'outcome'
      join ledger.entries d on d.log = logs[i.k] and d.call = calls[i.k] and d.class = 'decision'
      where kinds[i.k] = 'late_outcome' and answer[i.k] is null and e.facts::jsonb ->> 'status' = 'unknown'
    loop
      held[r.k] := coalesce(r.booked, 0);
      owed[r.k] := (select string_agg(v, ',') from jsonb_array_elements_text(r.scopes) v);
      same_day[r.k] := r.dbt / 86400000 = day_;
      same_week[r.k] := (r.dbt / 86400000 + 3) / 7 = week_;
      same_month[r.k] := date_trunc('month', to_timestamp(r.dbt / 1000) at time zone 'UTC')
        = date_trunc('month', to_timestamp(now_ / 1000) at time zone 'UTC');
    end loop;
  end if;

  if cardinality(scopes_) > 0 or owed is not null then
    names := string_to_array(array_to_string(scopes_ || owed, ','), ',');
    -- Locked in one statement and read in the next: the first one's snapshot is older than the wait.
    perform 1 from ledger.budget_scopes where scope = any (names) order by scope for no key update;
    for r in
      select b.limit_day, b.limit_week, b.limit_month, t.*
      from ledger.budget_scopes b
      cross join lateral (select * from ledger.budget_totals x where x.scope = b.scope order by x.n desc limit 1) t
      where b.scope = any (names) order by b.scope
    loop
      j := j + 1;
      existing[j] := r.scope;
      if r.day < day_ then r.spent_day := 0; end if;
      if r.week < week_ then r.spent_week := 0; end if;
      if r.month < month_ then r.spent_month := 0; end if;
      -- Null, no limit, stays null.
      room[j] := least(r.limit_day - r.spent_day, r.limit_week - r.spent_week, r.limit_month - r.spent_month) - r.reserved;
      last[j] := r.n; days[j] := greatest(r.day, day_); weeks[j] := greatest(r.week, week_); months[j] := greatest(r.month, month_);
      was_day[j] := r.spent_day; was_week[j] := r.spent_week; was_month[j] := r.spent_month; was_held[j] := r.reserved;
      hold[j] := 0; add_day[j] := 0; add_week[j] := 0; add_month[j] := 0;
    end loop;
    names := existing;
  end if;

  for h in 1..coalesce(cardinality(heads), 0) loop
    head := heads[h];
    -- A statement of its own per log, with the log as a parameter: only that partition is opened.
    select x.seq, x.hash, x.t into s, prev, tm from ledger.entries x where x.log = head order by x.seq desc limit 1;
    if not found then
      s := -1;
      prev := decode(repeat('00', 32), 'hex');
      tm := 0;
    end if;
    while k <= n and logs[k] = head loop
      refused := answer[k];
      if refused is null then
        if kinds[k] in ('outcome', 'late_outcome') then
          if held[k] is null then refused := 'x'; end if;
        elsif scopes_[k] <> '' then
          foreach scope_ in array string_to_array(scopes_[k], ',') loop
            j := array_position(names, scope_);
            if j is null then refused := '?:' || scope_; exit; end if;
            if amount_[k] > room[j] then refused := '-:' || scope_; exit; end if;
          end loop;
        end if;
      end if;
      if refused is not null then
        answer[k] := refused;
      else
        if held[k] is not null then
          booked[k] := coalesce(amount_[k], 0) - case when kinds[k] = 'outcome' then 0 else held[k] end;
          if owed[k] <> '' then
            foreach scope_ in array string_to_array(owed[k], ',') loop
              j := array_position(names, scope_);
              if kinds[k] = 'outcome' then
                hold[j] := hold[j] - held[k];
                room[j] := room[j] + held[k] - booked[k];
                add_day[j] := add_day[j] + booked[k];
                add_week[j] := add_week[j] + booked[k];
                add_month[j] := add_month[j] + booked[k];
              else
                -- A difference belongs to the periods the unknown was booked in; room only ever shrinks here.
                room[j] := room[j] - greatest(booked[k], 0);
                if same_day[k] then add_day[j] := add_day[j] + booked[k]; end if;
                if same_week[k] then add_week[j] := add_week[j] + booked[k]; end if;
                if same_month[k] then add_month[j] := add_month[j] + booked[k]; end if;
              end if;
            end loop;
          end if;
        elsif scopes_[k] <> '' then
          foreach scope_ in array string_to_array(scopes_[k], ',') loop
            j := array_position(names, scope_);
            hold[j] := hold[j] + amount_[k];
            room[j] := room[j] - amount_[k];
          end loop;
        end if;
        s := s + 1;
        w := w + 1;
        -- A writer whose clock is ahead of the database does not take the log with it: what came later would count in another month.
        tm := greatest(tm, least(time_[k], now_ + 60000));
        headers[k] := concat('{"body":"', bodies[k], '","call":"', calls[k], '","inc":', incs[h], ',"kind":"', kinds[k], '","log":"',
          head, '","prev":"', encode(prev, 'hex'), '","seq":', s, ',"t":', tm, ',"v":1,"wid":"', wid_, '","wseq":', w, '}');
        prev := sha256('\x00'::bytea || convert_to(headers[k], 'UTF8'));
        hashes[k] := prev;
        seqs[k] := s;
        wseqs[k] := w;
        times[k] := tm;
        answer[k] := concat(s, ':', tm, ':', encode(prev, 'hex'), ':', w);
      end if;
      k := k + 1;
    end loop;
  end loop;
  if k <= n then
    raise exception 'unknown log, or items not sorted by log' using errcode = 'CS040';
  end if;

  insert into ledger.entries
    (log, seq, kind, class, call, header, hash, t, dbt, wid, wseq, leaves, facts, facts_salt, sealed, content, key, booked)
  select logs[i], seqs[i], kinds[i], classes[i], calls[i], headers[i], hashes[i], times[i], now_, wid_, wseqs[i], decode(leaves[i], 'hex'), facts[i],
    salts[i], decode(sealed[i], 'base64'), decode(content[i], 'base64'), key_[i], booked[i]
  from generate_series(1, n) i where seqs[i] is not null;

  if true = any (open_) then
    insert into ledger.open_calls (log, call, seq, wid, reserved, scopes)
    select logs[i], calls[i], seqs[i], wid_, coalesce(amount_[i], 0), string_to_array(coalesce(scopes_[i], ''), ',')
    from generate_series(1, n) i where open_[i] and seqs[i] is not null;
  end if;

  if cardinality(names) > 0 then
    insert into ledger.budget_totals (scope, n, day, week, month, spent_day, spent_week, spent_month, reserved)
    select names[i], last[i] + 1, days[i], weeks[i], months[i],
      was_day[i] + add_day[i], was_week[i] + add_week[i], was_month[i] + add_month[i], was_held[i] + hold[i]
    from generate_series(1, cardinality(names)) i
    where hold[i] <> 0 or add_day[i] <> 0 or add_week[i] <> 0 or add_month[i] <> 0;
  end if;

  if cardinality(receipt_seq_) > 0 then
    insert into ledger.receipts (log, seq, wid, digest, sig)
    select x.log, x.seq, wid_, x.digest, x.sig
    from unnest(string_to_array(receipt_log_, ','), receipt_seq_, string_to_array(receipt_digest_, ','), string_to_array(receipt_sig_, ',')) x(log, seq, digest, sig)
    on conflict do nothing;
  end if;
  return array_to_string(answer, ',');
end
$$;

grant create on schema ledger to cs_append;
alter function ledger.append owner to cs_append;
revoke create on schema ledger from cs_append;
revoke all on function ledger.append from public;
grant execute on function ledger.append to cs_gateway;
