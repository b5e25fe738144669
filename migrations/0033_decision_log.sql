-- How far the decisions of each log have been sent to those who collect decision logs. Sent again after a crash, never left out.
set local role cs_owner;

create table governance.exported (
  target text not null check (char_length(target) between 1 and 64),
  log text collate "C" not null check (log ~ '^[0-9a-f]{64}$'),
  -- The last entry that was handed over.
  seq bigint not null check (seq >= 0),
  primary key (target, log)
);

grant select, insert on governance.exported to cs_gateway;
grant update (seq) on governance.exported to cs_gateway;
reset role;
