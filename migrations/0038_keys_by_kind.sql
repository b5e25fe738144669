-- Keys by kind: a caller's decisions of a month are sealed with another key than the outcomes of the same calls, so that either can be
-- destroyed while the other is kept. Calls that policies want kept for a time of their own have keys of their own.
set local role cs_owner;

alter table keystore.subject_keys
  add column seals text not null default 'call' check (seals in ('call', 'decision', 'outcome')),
  add column kept_days integer not null default 0 check (kept_days >= 0),
  drop constraint subject_keys_tenant_subject_month_key,
  add unique (tenant, subject, month, seals, kept_days);
comment on column keystore.subject_keys.seals is 'Entries that the key seals; call: both, of a time when they shared one.';
comment on column keystore.subject_keys.kept_days is 'Days that policies want the entries kept at least; 0 when none asked for a time.';
