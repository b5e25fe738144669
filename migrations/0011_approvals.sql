-- Two-person approvals. A row is never deleted; its state only moves forward (see approvals/rule.ts), guarded here too.
create schema approvals authorization cs_owner;
revoke all on schema approvals from public;
grant usage on schema approvals to cs_gateway;

set local role cs_owner;

create table approvals.requests (
  id text primary key check (id ~ '^ap-[0-9a-f]{32}$'),
  tenant text not null check (tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'),
  action text not null check (action ~ '^[a-z][a-z._-]{0,63}$'),
  -- SHA-256 over exactly what is approved.
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  -- What the approver is shown; the digest is over it.
  subject jsonb not null check (octet_length(subject::text) <= 65536),
  approver_roles text[] not null check (cardinality(approver_roles) between 1 and 8),
  requester text not null check (char_length(requester) between 1 and 600),
  requester_identities text[] not null check (cardinality(requester_identities) between 1 and 32),
  state text not null check (state in ('pending', 'approved', 'denied', 'expired', 'consumed')),
  created_ms bigint not null,
  expires_ms bigint not null check (expires_ms > created_ms),
  decided_by text check (char_length(decided_by) between 1 and 600),
  decided_identities text[],
  decided_ms bigint,
  reason text check (char_length(reason) <= 2000),
  consumed_ms bigint,
  check (not (requester_identities && coalesce(decided_identities, array[]::text[]))),
  check ((state in ('approved', 'denied', 'consumed')) <= (decided_by is not null)),
  check ((state = 'consumed') = (consumed_ms is not null))
);
-- The same wish of the same requester is one request.
create unique index requests_open on approvals.requests (digest, requester) where state in ('pending', 'approved');
create index requests_listing on approvals.requests (created_ms desc, id desc);

create function approvals.on_request_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    if new.state <> 'pending' then
      raise exception 'a request begins as pending' using errcode = 'check_violation';
    end if;
  elsif not ((old.state = 'pending' and new.state in ('approved', 'denied', 'expired'))
          or (old.state = 'approved' and new.state in ('consumed', 'expired'))) then
    raise exception 'a request does not go from % to %', old.state, new.state using errcode = 'check_violation';
  end if;
  return new;
end
$$;
revoke all on function approvals.on_request_change() from public;

create trigger requests_change before insert or update on approvals.requests
  for each row execute function approvals.on_request_change();

grant select, insert on approvals.requests to cs_gateway;
grant update (state, decided_by, decided_identities, decided_ms, reason, consumed_ms) on approvals.requests to cs_gateway;
