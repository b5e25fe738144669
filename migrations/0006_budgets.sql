-- Creates a budget scope or changes its limits (nano-USD; null = none). `org` and `tenant:<id>` start from what their logs show
-- for the running day, week and month (UTC; weeks start on Monday); other scopes start at 0.
create function ledger.set_budget_scope(scope_ text, day_ bigint, week_ bigint, month_ bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_ bigint;
  today integer;
  this_week integer;
  month_start bigint;
  logs text[];
  spent record;
begin
  perform 1 from ledger.budget_scopes where scope = scope_ for no key update;
  if found then
    update ledger.budget_scopes set limit_day = day_, limit_week = week_, limit_month = month_ where scope = scope_;
    return false;
  end if;
  select array_agg(l.log order by l.log) into logs from ledger.logs l
  where (scope_ = 'org' and l.tenant <> '_deployment') or scope_ = 'tenant:' || l.tenant;
  -- Heads before scopes, as everywhere: nothing is appended to these logs between the sum and the first total.
  perform 1 from ledger.heads where log = any (logs) order by log for no key update;
  now_ := floor(extract(epoch from clock_timestamp()) * 1000);
  today := now_ / 86400000;
  this_week := (today + 3) / 7;
  month_start := extract(epoch from date_trunc('month', to_timestamp(now_ / 1000) at time zone 'UTC') at time zone 'UTC') * 1000;
  -- A day of slack: the entries' own clock finds the range, the database's decides.
  select coalesce(sum(e.booked) filter (where e.dbt / 86400000 >= today), 0) as day,
    coalesce(sum(e.booked) filter (where (e.dbt / 86400000 + 3) / 7 >= this_week), 0) as week,
    coalesce(sum(e.booked) filter (where e.dbt >= month_start), 0) as month
  into spent
  from unnest(logs) l cross join lateral (
    select x.booked, x.dbt from ledger.entries x where x.log = l and x.booked is not null
      and x.seq >= ledger.first_at(l, least(month_start, ((this_week::bigint * 7) - 3) * 86400000) - 86400000)) e;
  insert into ledger.budget_scopes (scope, limit_day, limit_week, limit_month, initial_day, initial_week, initial_month, created)
  values (scope_, day_, week_, month_, spent.day, spent.week, spent.month, now_) on conflict do nothing;
  if not found then
    update ledger.budget_scopes set limit_day = day_, limit_week = week_, limit_month = month_ where scope = scope_;
    return false;
  end if;
  insert into ledger.budget_totals (scope, n, day, week, month, spent_day, spent_week, spent_month, reserved)
  values (scope_, 0, today, this_week, extract(year from to_timestamp(now_ / 1000) at time zone 'UTC') * 12
    + extract(month from to_timestamp(now_ / 1000) at time zone 'UTC') - 1, spent.day, spent.week, spent.month, 0);
  return true;
end
$$;

-- Scopes as of now. A period that is over counts as 0.
create function ledger.read_budgets(scopes_ text[])
returns table (scope text, limit_day bigint, limit_week bigint, limit_month bigint, spent_day bigint, spent_week bigint, spent_month bigint,
  reserved bigint)
language sql stable set search_path = pg_catalog, pg_temp as $$
  with clock as (
    select floor(extract(epoch from c) / 86400)::integer as day,
      (extract(year from c at time zone 'UTC') * 12 + extract(month from c at time zone 'UTC') - 1)::integer as month
    from clock_timestamp() c)
  select b.scope, b.limit_day, b.limit_week, b.limit_month, case when t.day >= c.day then t.spent_day else 0 end,
    case when t.week >= (c.day + 3) / 7 then t.spent_week else 0 end, case when t.month >= c.month then t.spent_month else 0 end, t.reserved
  from clock c cross join ledger.budget_scopes b
  cross join lateral (select * from ledger.budget_totals x where x.scope = b.scope order by x.n desc limit 1) t
  where b.scope = any (scopes_)
$$;

-- Running totals that newer ones have replaced; at most `limit_` of them.
create function ledger.prune_budget_totals(limit_ integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with newest as (
    select b.scope, (select max(t.n) from ledger.budget_totals t where t.scope = b.scope) as n from ledger.budget_scopes b),
  old as (
    select t.scope, t.n from newest w join ledger.budget_totals t on t.scope = w.scope and t.n < w.n limit limit_),
  gone as (
    delete from ledger.budget_totals t using old o where t.scope = o.scope and t.n = o.n returning 1)
  select count(*) from gone
$$;

grant create on schema ledger to cs_append;
do $$
declare
  name text;
begin
  foreach name in array array['set_budget_scope', 'read_budgets', 'prune_budget_totals'] loop
    execute format('alter function ledger.%I owner to cs_append', name);
    execute format('revoke all on function ledger.%I from public', name);
    execute format('grant execute on function ledger.%I to cs_gateway', name);
  end loop;
end
$$;
revoke create on schema ledger from cs_append;
