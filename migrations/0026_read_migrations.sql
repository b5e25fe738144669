-- Migrations are evidence: a gateway that finds one applied tells the ledger of it, once.
grant usage on schema migrations to cs_gateway;
grant select on migrations.applied to cs_gateway;
