-- roles
role cs_append
role cs_gateway
role cs_notary
role cs_owner
role cs_pruner
role cs_reader

-- schemas
schema access owner cs_owner
schema approvals owner cs_owner
schema governance owner cs_owner
schema keystore owner cs_owner
schema ledger owner cs_owner
schema policy owner cs_owner

-- relations
sequence access.api_key_revisions owner cs_owner
table access.api_keys owner cs_owner
table approvals.requests owner cs_owner
table governance.changes owner cs_owner
table governance.exported owner cs_owner
sequence governance.revisions owner cs_owner
table keystore.erasures owner cs_owner
table keystore.root owner cs_owner
table keystore.subject_keys owner cs_owner
table keystore.tenant_keys owner cs_owner
table ledger.anchor_tries owner cs_owner
table ledger.budget_scopes owner cs_owner
table ledger.budget_totals owner cs_owner
table ledger.checkpoints owner cs_owner
table ledger.closed_logs owner cs_owner
table ledger.copies owner cs_owner
table ledger.cosignatures owner cs_owner
partitioned table ledger.entries owner cs_owner row security
table ledger.entries_00 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 0)
table ledger.entries_01 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 1)
table ledger.entries_02 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 2)
table ledger.entries_03 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 3)
table ledger.entries_04 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 4)
table ledger.entries_05 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 5)
table ledger.entries_06 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 6)
table ledger.entries_07 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 7)
table ledger.entries_08 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 8)
table ledger.entries_09 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 9)
table ledger.entries_10 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 10)
table ledger.entries_11 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 11)
table ledger.entries_12 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 12)
table ledger.entries_13 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 13)
table ledger.entries_14 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 14)
table ledger.entries_15 owner cs_owner with toast_tuple_target=8160 FOR VALUES WITH (modulus 16, remainder 15)
table ledger.epoch_heads owner cs_owner row security
table ledger.epochs owner cs_owner
table ledger.heads owner cs_owner
table ledger.jobs owner cs_owner
table ledger.logs owner cs_owner row security
table ledger.open_calls owner cs_owner
table ledger.prunes owner cs_owner
table ledger.readers owner cs_owner
table ledger.receipts owner cs_owner row security
table ledger.tiles owner cs_owner row security
table ledger.timestamps owner cs_owner
table ledger.writers owner cs_owner
table policy.store owner cs_owner

-- columns
access.api_keys id text not null
access.api_keys revision bigint not null
access.api_keys secret_sha256 bytea not null
access.api_keys tenant text not null
access.api_keys name text not null
access.api_keys agent text
access.api_keys models text[]
access.api_keys roles text[] not null
access.api_keys groups text[] not null
access.api_keys daily_nusd bigint
access.api_keys weekly_nusd bigint
access.api_keys monthly_nusd bigint
access.api_keys bootstrap boolean not null
access.api_keys created_by text not null
access.api_keys created_ms bigint not null
access.api_keys expires_ms bigint
access.api_keys revoked_by text
access.api_keys revoked_ms bigint
approvals.requests id text not null
approvals.requests tenant text not null
approvals.requests action text not null
approvals.requests digest text not null
approvals.requests subject jsonb not null
approvals.requests approver_roles text[] not null
approvals.requests requester text not null
approvals.requests requester_identities text[] not null
approvals.requests state text not null
approvals.requests created_ms bigint not null
approvals.requests expires_ms bigint not null
approvals.requests decided_by text
approvals.requests decided_identities text[]
approvals.requests decided_ms bigint
approvals.requests reason text
approvals.requests consumed_ms bigint
governance.changes revision bigint not null
governance.changes id text not null
governance.changes kind text not null
governance.changes tenant text not null
governance.changes key text not null
governance.changes value text
governance.changes mac bytea not null
governance.exported target text not null
governance.exported log text collate C not null
governance.exported seq bigint not null
keystore.erasures log text collate C not null
keystore.erasures seq bigint not null
keystore.erasures n bigint not null
keystore.root single boolean not null default true
keystore.root check_value text not null
keystore.subject_keys id bigint not null default (((('x'::text || "right"((gen_random_uuid())::text, 12)) || "right"((gen_random_uuid())::text, 3)))::bit(60))::bigint
keystore.subject_keys tenant text collate C not null
keystore.subject_keys subject text collate C not null
keystore.subject_keys month text not null
keystore.subject_keys wrapped bytea not null
keystore.subject_keys seals text not null default 'call'::text
keystore.subject_keys kept_days integer not null default 0
keystore.tenant_keys tenant text collate C not null
keystore.tenant_keys wrapped bytea not null
ledger.anchor_tries target text collate C not null
ledger.anchor_tries failures integer not null
ledger.anchor_tries next_try timestamp with time zone not null
ledger.anchor_tries problem text
ledger.anchor_tries forked boolean not null default false
ledger.budget_scopes scope text collate C not null
ledger.budget_scopes limit_day bigint
ledger.budget_scopes limit_week bigint
ledger.budget_scopes limit_month bigint
ledger.budget_scopes initial_day bigint not null
ledger.budget_scopes initial_week bigint not null
ledger.budget_scopes initial_month bigint not null
ledger.budget_scopes created bigint not null
ledger.budget_totals scope text collate C not null
ledger.budget_totals n bigint not null
ledger.budget_totals day integer not null
ledger.budget_totals week integer not null
ledger.budget_totals month integer not null
ledger.budget_totals spent_day bigint not null
ledger.budget_totals spent_week bigint not null
ledger.budget_totals spent_month bigint not null
ledger.budget_totals reserved bigint not null
ledger.checkpoints log text collate C not null
ledger.checkpoints size bigint not null
ledger.checkpoints root bytea not null
ledger.checkpoints frontier bytea not null
ledger.checkpoints note text not null
ledger.checkpoints vkey text not null
ledger.closed_logs log text collate C not null
ledger.copies log text collate C not null
ledger.copies size bigint not null
ledger.copies place text collate C not null
ledger.copies stored timestamp with time zone not null default clock_timestamp()
ledger.cosignatures log text collate C not null
ledger.cosignatures size bigint not null
ledger.cosignatures vkey text collate C not null
ledger.cosignatures line text not null
ledger.cosignatures stated timestamp with time zone not null
ledger.cosignatures stored timestamp with time zone not null default clock_timestamp()
ledger.entries log text collate C not null
ledger.entries seq bigint not null
ledger.entries kind text collate C not null
ledger.entries class text collate C not null
ledger.entries call text collate C not null
ledger.entries header text collate C not null
ledger.entries hash bytea not null
ledger.entries t bigint not null
ledger.entries dbt bigint not null
ledger.entries wid text collate C not null
ledger.entries wseq bigint not null
ledger.entries leaves bytea not null
ledger.entries facts text collate C not null
ledger.entries facts_salt text collate C not null
ledger.entries sealed bytea storage external
ledger.entries content bytea storage external
ledger.entries key bigint
ledger.entries booked bigint
ledger.epoch_heads log text collate C not null
ledger.epoch_heads epoch bigint not null
ledger.epoch_heads size bigint not null
ledger.epoch_heads root bytea not null
ledger.epoch_heads frontier bytea not null
ledger.epoch_heads path bytea not null
ledger.epochs epoch bigint not null
ledger.epochs slots bigint not null
ledger.epochs used bigint not null
ledger.epochs root bytea not null
ledger.epochs secret bytea not null
ledger.epochs made timestamp with time zone not null default clock_timestamp()
ledger.heads log text collate C not null
ledger.heads inc integer not null
ledger.jobs name text collate C not null
ledger.jobs holder text not null
ledger.jobs until timestamp with time zone not null
ledger.logs log text collate C not null
ledger.logs slot bigint not null
ledger.logs tenant text collate C not null
ledger.logs inc integer not null default 0
ledger.logs nonce text not null
ledger.logs origin text not null
ledger.open_calls log text collate C not null
ledger.open_calls call text collate C not null
ledger.open_calls seq bigint not null
ledger.open_calls wid text collate C not null
ledger.open_calls reserved bigint not null
ledger.open_calls scopes text[] not null
ledger.prunes log text collate C not null
ledger.prunes seq bigint not null
ledger.prunes target text collate C not null
ledger.prunes before bigint not null
ledger.prunes reached bigint not null
ledger.readers role name collate C not null
ledger.readers tenant text collate C not null
ledger.receipts log text collate C not null
ledger.receipts seq bigint not null
ledger.receipts wid text collate C not null
ledger.receipts digest text not null
ledger.receipts sig text not null
ledger.tiles log text collate C not null
ledger.tiles level smallint not null
ledger.tiles n bigint not null
ledger.tiles hashes bytea not null storage external
ledger.tiles root bytea not null
ledger.timestamps log text collate C not null
ledger.timestamps size bigint not null
ledger.timestamps authority text collate C not null
ledger.timestamps token bytea not null
ledger.timestamps stated timestamp with time zone not null
ledger.timestamps stored timestamp with time zone not null default clock_timestamp()
ledger.writers wid text collate C not null
ledger.writers key text not null
ledger.writers generation bigint not null
ledger.writers lease_until timestamp with time zone not null
ledger.writers fenced boolean not null default false
ledger.writers wseq bigint not null default 0
policy.store kind text collate C not null
policy.store digest text collate C not null
policy.store bytes bytea not null
policy.store stored timestamp with time zone not null default clock_timestamp()

-- constraints and indexes
access.api_keys constraint api_keys_agent_check CHECK (((char_length(agent) >= 1) AND (char_length(agent) <= 200)))
access.api_keys constraint api_keys_check CHECK (((revoked_ms IS NULL) = (revoked_by IS NULL)))
access.api_keys constraint api_keys_created_by_check CHECK (((char_length(created_by) >= 1) AND (char_length(created_by) <= 600)))
access.api_keys constraint api_keys_daily_nusd_check CHECK ((daily_nusd >= 0))
access.api_keys constraint api_keys_groups_check CHECK ((cardinality(groups) <= 64))
access.api_keys constraint api_keys_id_check CHECK ((id ~ '^[a-z0-9]{12}$'::text))
access.api_keys constraint api_keys_models_check CHECK ((cardinality(models) <= 1000))
access.api_keys constraint api_keys_monthly_nusd_check CHECK ((monthly_nusd >= 0))
access.api_keys constraint api_keys_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
access.api_keys constraint api_keys_pkey PRIMARY KEY (id)
access.api_keys constraint api_keys_revoked_by_check CHECK (((char_length(revoked_by) >= 1) AND (char_length(revoked_by) <= 600)))
access.api_keys constraint api_keys_roles_check CHECK (((cardinality(roles) >= 1) AND (cardinality(roles) <= 16)))
access.api_keys constraint api_keys_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
access.api_keys constraint api_keys_tenant_check CHECK ((tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'::text))
access.api_keys constraint api_keys_weekly_nusd_check CHECK ((weekly_nusd >= 0))
CREATE INDEX api_keys_tenant ON access.api_keys USING btree (tenant, id)
CREATE UNIQUE INDEX api_keys_revision ON access.api_keys USING btree (revision)
approvals.requests constraint requests_action_check CHECK ((action ~ '^[a-z][a-z._-]{0,63}$'::text))
approvals.requests constraint requests_approver_roles_check CHECK (((cardinality(approver_roles) >= 1) AND (cardinality(approver_roles) <= 8)))
approvals.requests constraint requests_check CHECK ((expires_ms > created_ms))
approvals.requests constraint requests_check1 CHECK ((NOT (requester_identities && COALESCE(decided_identities, ARRAY[]::text[]))))
approvals.requests constraint requests_check2 CHECK (((state = ANY (ARRAY['approved'::text, 'denied'::text, 'consumed'::text])) <= (decided_by IS NOT NULL)))
approvals.requests constraint requests_check3 CHECK (((state = 'consumed'::text) = (consumed_ms IS NOT NULL)))
approvals.requests constraint requests_decided_by_check CHECK (((char_length(decided_by) >= 1) AND (char_length(decided_by) <= 600)))
approvals.requests constraint requests_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
approvals.requests constraint requests_id_check CHECK ((id ~ '^ap-[0-9a-f]{32}$'::text))
approvals.requests constraint requests_pkey PRIMARY KEY (id)
approvals.requests constraint requests_reason_check CHECK ((char_length(reason) <= 2000))
approvals.requests constraint requests_requester_check CHECK (((char_length(requester) >= 1) AND (char_length(requester) <= 600)))
approvals.requests constraint requests_requester_identities_check CHECK (((cardinality(requester_identities) >= 1) AND (cardinality(requester_identities) <= 32)))
approvals.requests constraint requests_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'expired'::text, 'consumed'::text])))
approvals.requests constraint requests_subject_check CHECK ((octet_length((subject)::text) <= 65536))
approvals.requests constraint requests_tenant_check CHECK ((tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'::text))
CREATE INDEX requests_listing ON approvals.requests USING btree (created_ms DESC, id DESC)
CREATE UNIQUE INDEX requests_open ON approvals.requests USING btree (digest, requester) WHERE (state = ANY (ARRAY['pending'::text, 'approved'::text]))
governance.changes constraint changes_id_check CHECK ((id ~ '^[a-z]{2}-[0-9a-f]{32}$'::text))
governance.changes constraint changes_id_key UNIQUE (id)
governance.changes constraint changes_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 300)))
governance.changes constraint changes_kind_check CHECK ((kind = ANY (ARRAY['release'::text, 'shadow'::text, 'observe'::text, 'waiver'::text, 'switch'::text])))
governance.changes constraint changes_mac_check CHECK ((octet_length(mac) = 32))
governance.changes constraint changes_pkey PRIMARY KEY (revision)
governance.changes constraint changes_tenant_check CHECK ((tenant ~ '^([a-z0-9][a-z0-9-]{0,40}|_deployment)$'::text))
governance.changes constraint changes_value_check CHECK ((octet_length(value) <= 16384))
CREATE INDEX changes_state ON governance.changes USING btree (kind, tenant, key, revision DESC)
governance.exported constraint exported_log_check CHECK ((log ~ '^[0-9a-f]{64}$'::text))
governance.exported constraint exported_pkey PRIMARY KEY (target, log)
governance.exported constraint exported_seq_check CHECK ((seq >= 0))
governance.exported constraint exported_target_check CHECK (((char_length(target) >= 1) AND (char_length(target) <= 64)))
keystore.erasures constraint erasures_pkey PRIMARY KEY (log, seq)
keystore.root constraint root_pkey PRIMARY KEY (single)
keystore.root constraint root_single_check CHECK (single)
keystore.subject_keys constraint subject_keys_kept_days_check CHECK ((kept_days >= 0))
keystore.subject_keys constraint subject_keys_pkey PRIMARY KEY (id)
keystore.subject_keys constraint subject_keys_seals_check CHECK ((seals = ANY (ARRAY['call'::text, 'decision'::text, 'outcome'::text])))
keystore.subject_keys constraint subject_keys_tenant_subject_month_seals_kept_days_key UNIQUE (tenant, subject, month, seals, kept_days)
keystore.tenant_keys constraint tenant_keys_pkey PRIMARY KEY (tenant)
ledger.anchor_tries constraint anchor_tries_failures_check CHECK ((failures >= 0))
ledger.anchor_tries constraint anchor_tries_pkey PRIMARY KEY (target)
ledger.anchor_tries constraint anchor_tries_problem_check CHECK ((length(problem) <= 500))
ledger.anchor_tries constraint anchor_tries_target_check CHECK (((length(target) <= 300) AND (target ~ '^[a-z]{1,10}:[^[:cntrl:]]+$'::text)))
ledger.budget_scopes constraint budget_scopes_limit_day_check CHECK ((limit_day >= 0))
ledger.budget_scopes constraint budget_scopes_limit_month_check CHECK ((limit_month >= 0))
ledger.budget_scopes constraint budget_scopes_limit_week_check CHECK ((limit_week >= 0))
ledger.budget_scopes constraint budget_scopes_pkey PRIMARY KEY (scope)
ledger.budget_scopes constraint budget_scopes_scope_check CHECK ((scope ~ '^[A-Za-z0-9._:-]{1,128}$'::text))
ledger.budget_totals constraint budget_totals_pkey PRIMARY KEY (scope, n)
ledger.checkpoints constraint checkpoints_log_fkey FOREIGN KEY (log) REFERENCES ledger.logs(log)
ledger.checkpoints constraint checkpoints_pkey PRIMARY KEY (log, size)
ledger.checkpoints constraint checkpoints_root_check CHECK ((octet_length(root) = 32))
ledger.checkpoints constraint checkpoints_size_check CHECK ((size > 0))
ledger.closed_logs constraint closed_logs_log_fkey FOREIGN KEY (log) REFERENCES ledger.logs(log)
ledger.closed_logs constraint closed_logs_pkey PRIMARY KEY (log)
ledger.copies constraint copies_log_size_fkey FOREIGN KEY (log, size) REFERENCES ledger.checkpoints(log, size)
ledger.copies constraint copies_pkey PRIMARY KEY (log, size, place)
ledger.copies constraint copies_place_check CHECK ((length(place) <= 400))
ledger.cosignatures constraint cosignatures_line_check CHECK ((length(line) <= 1000))
ledger.cosignatures constraint cosignatures_log_size_fkey FOREIGN KEY (log, size) REFERENCES ledger.checkpoints(log, size)
ledger.cosignatures constraint cosignatures_pkey PRIMARY KEY (log, size, vkey)
ledger.cosignatures constraint cosignatures_vkey_check CHECK ((length(vkey) <= 400))
ledger.entries constraint entries_log_call_class_key UNIQUE (log, call, class)
ledger.entries constraint entries_pkey PRIMARY KEY (log, seq)
CREATE INDEX entries_governance ON ONLY ledger.entries USING btree (log, seq) WHERE (kind = ANY (ARRAY['erasure'::text, 'hold'::text]))
CREATE INDEX entries_prunes ON ONLY ledger.entries USING btree (log, seq) WHERE (kind = 'prune'::text)
ledger.epoch_heads constraint epoch_heads_epoch_fkey FOREIGN KEY (epoch) REFERENCES ledger.epochs(epoch)
ledger.epoch_heads constraint epoch_heads_log_fkey FOREIGN KEY (log) REFERENCES ledger.logs(log)
ledger.epoch_heads constraint epoch_heads_log_size_key UNIQUE (log, size)
ledger.epoch_heads constraint epoch_heads_pkey PRIMARY KEY (log, epoch)
ledger.epoch_heads constraint epoch_heads_root_check CHECK ((octet_length(root) = 32))
ledger.epoch_heads constraint epoch_heads_size_check CHECK ((size > 0))
ledger.epochs constraint epochs_check CHECK ((used <= slots))
ledger.epochs constraint epochs_epoch_check CHECK ((epoch >= 0))
ledger.epochs constraint epochs_pkey PRIMARY KEY (epoch)
ledger.epochs constraint epochs_root_check CHECK ((octet_length(root) = 32))
ledger.epochs constraint epochs_secret_check CHECK ((octet_length(secret) = 32))
ledger.heads constraint heads_log_fkey FOREIGN KEY (log) REFERENCES ledger.logs(log)
ledger.heads constraint heads_pkey PRIMARY KEY (log)
ledger.jobs constraint jobs_name_check CHECK ((name ~ '^[a-z-]{1,32}$'::text))
ledger.jobs constraint jobs_pkey PRIMARY KEY (name)
ledger.logs constraint logs_log_check CHECK ((log ~ '^[0-9a-f]{64}$'::text))
ledger.logs constraint logs_pkey PRIMARY KEY (log)
ledger.logs constraint logs_slot_key UNIQUE (slot)
ledger.logs constraint logs_tenant_inc_key UNIQUE (tenant, inc)
ledger.open_calls constraint open_calls_pkey PRIMARY KEY (log, call)
CREATE INDEX open_calls_wid ON ledger.open_calls USING btree (wid)
ledger.prunes constraint prunes_pkey PRIMARY KEY (log, seq)
ledger.readers constraint readers_pkey PRIMARY KEY (role, tenant)
ledger.receipts constraint receipts_pkey PRIMARY KEY (log, seq)
ledger.tiles constraint tiles_hashes_check CHECK ((octet_length(hashes) = 8192))
ledger.tiles constraint tiles_log_fkey FOREIGN KEY (log) REFERENCES ledger.logs(log)
ledger.tiles constraint tiles_pkey PRIMARY KEY (log, level, n)
ledger.tiles constraint tiles_root_check CHECK ((octet_length(root) = 32))
ledger.timestamps constraint timestamps_authority_check CHECK ((authority ~ '^[a-z0-9-]{1,41}$'::text))
ledger.timestamps constraint timestamps_log_size_fkey FOREIGN KEY (log, size) REFERENCES ledger.checkpoints(log, size)
ledger.timestamps constraint timestamps_pkey PRIMARY KEY (log, size, authority)
ledger.timestamps constraint timestamps_token_check CHECK ((octet_length(token) <= 65536))
ledger.writers constraint writers_pkey PRIMARY KEY (wid)
ledger.writers constraint writers_wid_check CHECK ((wid ~ '^[a-z0-9._:-]{1,64}$'::text))
policy.store constraint store_bytes_check CHECK ((octet_length(bytes) <= 16777216))
policy.store constraint store_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
policy.store constraint store_kind_check CHECK ((kind = ANY (ARRAY['bundle'::text, 'parameters'::text])))
policy.store constraint store_pkey PRIMARY KEY (kind, digest)

-- triggers
CREATE TRIGGER api_keys_change BEFORE INSERT OR UPDATE ON access.api_keys FOR EACH ROW EXECUTE FUNCTION access.on_api_key_change() enabled O
CREATE TRIGGER requests_change BEFORE INSERT OR UPDATE ON approvals.requests FOR EACH ROW EXECUTE FUNCTION approvals.on_request_change() enabled O
CREATE TRIGGER changes_insert BEFORE INSERT ON governance.changes FOR EACH ROW EXECUTE FUNCTION governance.on_change() enabled O
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON governance.changes FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.checkpoints FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.closed_logs FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.copies FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.cosignatures FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_00 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_00 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_00 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_01 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_01 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_01 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_02 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_02 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_02 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_03 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_03 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_03 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_04 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_04 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_04 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_05 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_05 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_05 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_06 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_06 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_06 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_07 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_07 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_07 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_08 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_08 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_08 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_09 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_09 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_09 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_10 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_10 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_10 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_11 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_11 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_11 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_12 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_12 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_12 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_13 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_13 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_13 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_14 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_14 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_14 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER check_links AFTER INSERT ON ledger.entries_15 REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_links() enabled A
CREATE TRIGGER check_pruning AFTER UPDATE ON ledger.entries_15 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN ((CURRENT_USER = 'cs_pruner'::name)) EXECUTE FUNCTION ledger.check_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entries_15 FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change_but_pruning() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.epoch_heads FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.epochs FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.heads FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.logs FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER keep_record BEFORE DELETE OR TRUNCATE ON ledger.prunes FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.receipts FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.tiles FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.timestamps FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON policy.store FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change() enabled A

-- policies
policy append on ledger.entries ALL to cs_append using (true) check (true)
policy gateway on ledger.entries SELECT to cs_gateway using (true) check ()
policy notary on ledger.entries SELECT to cs_notary using ((log IN ( SELECT l.log
   FROM ledger.logs l
  WHERE (l.tenant = '_deployment'::text)))) check ()
policy pruner_empties on ledger.entries UPDATE to cs_pruner using (true) check (true)
policy pruner_reads on ledger.entries SELECT to cs_pruner using (true) check ()
policy reader on ledger.entries SELECT to cs_reader using ((log IN ( SELECT l.log
   FROM ((ledger.logs l
     JOIN ledger.readers r ON ((r.tenant = l.tenant)))
     JOIN pg_roles m ON ((m.rolname = r.role)))
  WHERE pg_has_role(CURRENT_USER, m.oid, 'MEMBER'::text)))) check ()
policy append on ledger.epoch_heads ALL to cs_append using (true) check (true)
policy gateway on ledger.epoch_heads SELECT to cs_gateway using (true) check ()
policy reader on ledger.epoch_heads SELECT to cs_reader using ((log IN ( SELECT l.log
   FROM ledger.logs l))) check ()
policy append on ledger.logs ALL to cs_append using (true) check (true)
policy gateway on ledger.logs SELECT to cs_gateway using (true) check ()
policy notary on ledger.logs SELECT to cs_notary using ((tenant = '_deployment'::text)) check ()
policy pruner on ledger.logs SELECT to cs_pruner using (true) check ()
policy reader on ledger.logs SELECT to cs_reader using ((tenant IN ( SELECT r.tenant
   FROM (ledger.readers r
     JOIN pg_roles m ON ((m.rolname = r.role)))
  WHERE pg_has_role(CURRENT_USER, m.oid, 'MEMBER'::text)))) check ()
policy append on ledger.receipts ALL to cs_append using (true) check (true)
policy gateway on ledger.receipts SELECT to cs_gateway using (true) check ()
policy reader on ledger.receipts SELECT to cs_reader using ((log IN ( SELECT l.log
   FROM ((ledger.logs l
     JOIN ledger.readers r ON ((r.tenant = l.tenant)))
     JOIN pg_roles m ON ((m.rolname = r.role)))
  WHERE pg_has_role(CURRENT_USER, m.oid, 'MEMBER'::text)))) check ()
policy append on ledger.tiles ALL to cs_append using (true) check (true)
policy gateway on ledger.tiles SELECT to cs_gateway using (true) check ()
policy reader on ledger.tiles SELECT to cs_reader using ((log IN ( SELECT l.log
   FROM ledger.logs l))) check ()

-- rights
access.api_key_revisions to cs_gateway: USAGE
access.api_keys to cs_gateway: INSERT, SELECT
access.api_keys.revoked_by to cs_gateway: UPDATE
access.api_keys.revoked_ms to cs_gateway: UPDATE
approvals.requests to cs_gateway: INSERT, SELECT
approvals.requests.consumed_ms to cs_gateway: UPDATE
approvals.requests.decided_by to cs_gateway: UPDATE
approvals.requests.decided_identities to cs_gateway: UPDATE
approvals.requests.decided_ms to cs_gateway: UPDATE
approvals.requests.reason to cs_gateway: UPDATE
approvals.requests.state to cs_gateway: UPDATE
function ledger.append to cs_gateway: EXECUTE
function ledger.apply_erasures to cs_gateway: EXECUTE
function ledger.build_tiles to cs_gateway: EXECUTE
function ledger.build_tiles to cs_notary: EXECUTE
function ledger.carry_out_prunes to cs_gateway: EXECUTE
function ledger.check_links to cs_append: EXECUTE
function ledger.check_links to cs_owner: EXECUTE
function ledger.check_pruning to cs_owner: EXECUTE
function ledger.check_pruning to cs_pruner: EXECUTE
function ledger.declare_loss to cs_owner: EXECUTE
function ledger.erased_keys to cs_gateway: EXECUTE
function ledger.fact to cs_gateway: EXECUTE
function ledger.fence_expired to cs_gateway: EXECUTE
function ledger.first_at to cs_gateway: EXECUTE
function ledger.named_keys to cs_gateway: EXECUTE
function ledger.note_anchor_try to cs_gateway: EXECUTE
function ledger.open_log to cs_gateway: EXECUTE
function ledger.prepare_epoch to cs_gateway: EXECUTE
function ledger.prunable to cs_gateway: EXECUTE
function ledger.prunable_keys to cs_gateway: EXECUTE
function ledger.prune_budget_totals to cs_gateway: EXECUTE
function ledger.publish_checkpoint to cs_notary: EXECUTE
function ledger.read_budgets to cs_gateway: EXECUTE
function ledger.refuse_change_but_pruning to cs_owner: EXECUTE
function ledger.register_writer to cs_gateway: EXECUTE
function ledger.renew_lease to cs_gateway: EXECUTE
function ledger.resume_writer to cs_gateway: EXECUTE
function ledger.retire_writer to cs_gateway: EXECUTE
function ledger.set_budget_scope to cs_gateway: EXECUTE
function ledger.store_copy to cs_gateway: EXECUTE
function ledger.store_cosignature to cs_gateway: EXECUTE
function ledger.store_receipts to cs_gateway: EXECUTE
function ledger.store_timestamp to cs_gateway: EXECUTE
function ledger.take_job to cs_gateway: EXECUTE
function ledger.take_job to cs_notary: EXECUTE
governance.changes to cs_gateway: INSERT, SELECT
governance.exported to cs_gateway: INSERT, SELECT
governance.exported.seq to cs_gateway: UPDATE
governance.revisions to cs_gateway: USAGE
keystore.erasures to cs_append: INSERT, SELECT, UPDATE
keystore.erasures to cs_gateway: SELECT
keystore.root to cs_gateway: INSERT, SELECT
keystore.subject_keys to cs_append: DELETE, SELECT
keystore.subject_keys to cs_gateway: INSERT, SELECT
keystore.subject_keys.id to cs_pruner: SELECT
keystore.tenant_keys to cs_gateway: INSERT, SELECT
ledger.anchor_tries to cs_append: INSERT, SELECT, UPDATE
ledger.anchor_tries to cs_gateway: SELECT
ledger.anchor_tries to cs_reader: SELECT
ledger.budget_scopes to cs_append: INSERT, SELECT
ledger.budget_scopes to cs_gateway: SELECT
ledger.budget_scopes.limit_day to cs_append: UPDATE
ledger.budget_scopes.limit_month to cs_append: UPDATE
ledger.budget_scopes.limit_week to cs_append: UPDATE
ledger.budget_totals to cs_append: DELETE, INSERT, SELECT
ledger.budget_totals to cs_gateway: SELECT
ledger.checkpoints to cs_append: INSERT, SELECT
ledger.checkpoints to cs_gateway: SELECT
ledger.checkpoints to cs_notary: SELECT
ledger.checkpoints to cs_reader: SELECT
ledger.closed_logs to cs_append: INSERT, SELECT
ledger.closed_logs to cs_gateway: SELECT
ledger.closed_logs to cs_notary: SELECT
ledger.copies to cs_append: INSERT, SELECT
ledger.copies to cs_gateway: SELECT
ledger.copies to cs_reader: SELECT
ledger.cosignatures to cs_append: INSERT, SELECT
ledger.cosignatures to cs_gateway: SELECT
ledger.cosignatures to cs_reader: SELECT
ledger.entries to cs_append: INSERT, SELECT
ledger.entries to cs_gateway: SELECT
ledger.entries to cs_reader: SELECT
ledger.entries.content to cs_pruner: SELECT
ledger.entries.content to cs_pruner: UPDATE
ledger.entries.facts to cs_pruner: SELECT
ledger.entries.header to cs_notary: SELECT
ledger.entries.key to cs_pruner: SELECT
ledger.entries.kind to cs_notary: SELECT
ledger.entries.kind to cs_pruner: SELECT
ledger.entries.log to cs_notary: SELECT
ledger.entries.log to cs_pruner: SELECT
ledger.entries.sealed to cs_pruner: SELECT
ledger.entries.sealed to cs_pruner: UPDATE
ledger.entries.seq to cs_notary: SELECT
ledger.entries.seq to cs_pruner: SELECT
ledger.entries_00 to cs_gateway: SELECT
ledger.entries_01 to cs_gateway: SELECT
ledger.entries_02 to cs_gateway: SELECT
ledger.entries_03 to cs_gateway: SELECT
ledger.entries_04 to cs_gateway: SELECT
ledger.entries_05 to cs_gateway: SELECT
ledger.entries_06 to cs_gateway: SELECT
ledger.entries_07 to cs_gateway: SELECT
ledger.entries_08 to cs_gateway: SELECT
ledger.entries_09 to cs_gateway: SELECT
ledger.entries_10 to cs_gateway: SELECT
ledger.entries_11 to cs_gateway: SELECT
ledger.entries_12 to cs_gateway: SELECT
ledger.entries_13 to cs_gateway: SELECT
ledger.entries_14 to cs_gateway: SELECT
ledger.entries_15 to cs_gateway: SELECT
ledger.epoch_heads to cs_append: INSERT, SELECT
ledger.epoch_heads to cs_gateway: SELECT
ledger.epoch_heads to cs_reader: SELECT
ledger.epochs to cs_append: INSERT, SELECT
ledger.epochs to cs_gateway: SELECT
ledger.epochs.epoch to cs_reader: SELECT
ledger.epochs.made to cs_reader: SELECT
ledger.epochs.root to cs_reader: SELECT
ledger.epochs.slots to cs_reader: SELECT
ledger.epochs.used to cs_reader: SELECT
ledger.heads to cs_append: INSERT, SELECT
ledger.heads to cs_gateway: SELECT
ledger.heads.inc to cs_append: UPDATE
ledger.jobs to cs_append: INSERT, SELECT, UPDATE
ledger.jobs to cs_gateway: SELECT
ledger.logs to cs_append: INSERT, SELECT
ledger.logs to cs_gateway: SELECT
ledger.logs to cs_reader: SELECT
ledger.logs.inc to cs_notary: SELECT
ledger.logs.inc to cs_pruner: SELECT
ledger.logs.log to cs_notary: SELECT
ledger.logs.log to cs_pruner: SELECT
ledger.logs.origin to cs_notary: SELECT
ledger.logs.slot to cs_notary: SELECT
ledger.logs.tenant to cs_notary: SELECT
ledger.logs.tenant to cs_pruner: SELECT
ledger.open_calls to cs_append: DELETE, INSERT, SELECT
ledger.open_calls to cs_gateway: SELECT
ledger.prunes to cs_gateway: SELECT
ledger.prunes to cs_pruner: INSERT, SELECT
ledger.prunes.reached to cs_pruner: UPDATE
ledger.readers to cs_gateway: SELECT
ledger.readers to cs_reader: SELECT
ledger.receipts to cs_append: INSERT, SELECT
ledger.receipts to cs_gateway: SELECT
ledger.receipts to cs_reader: SELECT
ledger.tiles to cs_append: INSERT, SELECT
ledger.tiles to cs_gateway: SELECT
ledger.tiles to cs_reader: SELECT
ledger.timestamps to cs_append: INSERT, SELECT
ledger.timestamps to cs_gateway: SELECT
ledger.timestamps to cs_reader: SELECT
ledger.writers to cs_append: INSERT, SELECT
ledger.writers to cs_gateway: SELECT
ledger.writers.fenced to cs_append: UPDATE
ledger.writers.generation to cs_append: UPDATE
ledger.writers.lease_until to cs_append: UPDATE
ledger.writers.wseq to cs_append: UPDATE
policy.store to cs_gateway: INSERT, SELECT
schema access to cs_gateway: USAGE
schema approvals to cs_gateway: USAGE
schema governance to cs_gateway: USAGE
schema keystore to cs_append: USAGE
schema keystore to cs_gateway: USAGE
schema keystore to cs_pruner: USAGE
schema ledger to cs_append: USAGE
schema ledger to cs_gateway: USAGE
schema ledger to cs_notary: USAGE
schema ledger to cs_pruner: USAGE
schema ledger to cs_reader: USAGE
schema policy to cs_gateway: USAGE

-- functions
-- owner cs_owner
CREATE OR REPLACE FUNCTION access.on_api_key_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op = 'UPDATE' and old.revoked_ms is not null then
    raise exception 'a revoked key stays as it is' using errcode = 'check_violation';
  end if;
  perform pg_advisory_xact_lock(6172938450182);
  new.revision := nextval('access.api_key_revisions');
  perform pg_notify('countersign_keys', '');
  return new;
end
$function$
-- owner cs_owner
CREATE OR REPLACE FUNCTION approvals.on_request_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
-- owner cs_owner
CREATE OR REPLACE FUNCTION governance.on_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform pg_advisory_xact_lock(6172938450184);
  new.revision := nextval('governance.revisions');
  perform pg_notify('countersign_governance', '');
  return new;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.append(wid_ text, generation_ bigint, wseq_ bigint, again_ boolean, log_ text, kind_ text, class_ text, call_ text, time_ bigint[], body_ text, leaves_ text, facts_ text, salt_ text, sealed_ text, content_ text, key_ bigint[], open_ boolean[], amount_ bigint[], scopes_ text[], ask_ boolean[], receipt_log_ text, receipt_seq_ bigint[], receipt_digest_ text, receipt_sig_ text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.apply_erasures(all_ boolean)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.build_tiles(log_ text, size_ bigint, most_ integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  built integer := 0;
  level_ integer := 0;
  total bigint := size_;
  next_ bigint;
  nodes bytea[];
  bytes bytea;
  width integer;
begin
  while total >= 256 and built < most_ loop
    select coalesce(max(t.n) + 1, 0) into next_ from ledger.tiles t where t.log = log_ and t.level = level_;
    while (next_ + 1) * 256 <= total and built < most_ loop
      if level_ = 0 then
        select array_agg(e.hash order by e.seq), string_agg(e.hash, '' order by e.seq) into nodes, bytes
        from ledger.entries e where e.log = log_ and e.seq >= next_ * 256 and e.seq < (next_ + 1) * 256;
      else
        select array_agg(t.root order by t.n), string_agg(t.root, '' order by t.n) into nodes, bytes
        from ledger.tiles t where t.log = log_ and t.level = level_ - 1 and t.n >= next_ * 256 and t.n < (next_ + 1) * 256;
      end if;
      if cardinality(nodes) is distinct from 256 then
        return built;
      end if;
      width := 128;
      while width >= 1 loop
        for i in 1..width loop
          nodes[i] := sha256('\x01'::bytea || nodes[2 * i - 1] || nodes[2 * i]);
        end loop;
        width := width / 2;
      end loop;
      insert into ledger.tiles (log, level, n, hashes, root) values (log_, level_, next_, bytes, nodes[1]) on conflict do nothing;
      built := built + 1;
      next_ := next_ + 1;
    end loop;
    total := total / 256;
    level_ := level_ + 1;
  end loop;
  return built;
end
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.carry_out_prunes(most_ bigint)
 RETURNS TABLE(looked bigint, removed bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  r record;
  until_ bigint;
begin
  -- One at a time.
  perform pg_advisory_xact_lock(5170044924);
  insert into ledger.prunes (log, seq, target, before, reached)
  select p.log, p.seq, t.log, x.before, 0
  from ledger.entries p join ledger.logs l on l.log = p.log
  join ledger.logs t on t.tenant = l.tenant and t.log = ledger.fact(p.facts, 'log')
  cross join lateral (
    select case when f.before ~ '^[0-9]{1,15}$' then f.before::bigint end as before from (select ledger.fact(p.facts, 'before') as before) f) x
  where p.kind = 'prune' and not exists (select 1 from ledger.prunes d where d.log = p.log and d.seq = p.seq)
    -- No further than its log goes.
    and exists (select 1 from ledger.entries e where e.log = t.log and e.seq = x.before - 1);
  for r in
    select d.log, d.seq, d.target, d.before, d.reached, l.tenant, l.inc from ledger.prunes d join ledger.logs l on l.log = d.log
    where d.reached < d.before order by d.log, d.seq
  loop
    continue when exists (
      select 1 from ledger.erased_keys(r.tenant, r.inc, r.seq) k join keystore.subject_keys s on s.id = k.key);
    until_ := least(r.before, r.reached + most_);
    update ledger.entries e set sealed = null, content = null from ledger.prunable(r.target) w
    where e.log = r.target and e.seq >= r.reached and e.seq < until_ and e.key = w.key and e.seq < w.before
      and (e.sealed is not null or e.content is not null);
    get diagnostics removed = row_count;
    update ledger.prunes d set reached = until_ where d.log = r.log and d.seq = r.seq;
    looked := until_ - r.reached;
    return next;
    return;
  end loop;
  looked := 0;
  removed := 0;
  return next;
end
$function$
-- owner countersign_super
CREATE OR REPLACE FUNCTION ledger.check_links()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
-- owner countersign_super
CREATE OR REPLACE FUNCTION ledger.check_pruning()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  log_ text;
  right_ bigint := 0;
  fits bigint;
begin
  for log_ in select distinct n.log from new_rows n loop
    select count(*) into fits
    from new_rows n join old_rows o on o.log = n.log and o.seq = n.seq
    join ledger.prunable(log_) w on w.key = n.key and n.seq < w.before
    where n.log = log_ and n.sealed is null and n.content is null
      and (n.kind, n.class, n.call, n.header, n.hash, n.t, n.dbt, n.wid, n.wseq, n.leaves, n.facts, n.facts_salt, n.key, n.booked)
        is not distinct from
        (o.kind, o.class, o.call, o.header, o.hash, o.t, o.dbt, o.wid, o.wseq, o.leaves, o.facts, o.facts_salt, o.key, o.booked);
    right_ := right_ + fits;
  end loop;
  if right_ <> (select count(*) from new_rows) then
    raise exception 'no prune entry orders that, or the keys of these bodies are not destroyed' using errcode = 'CS054';
  end if;
  return null;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.declare_loss(least_ integer, least_slot_ bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.erased_keys(tenant_ text, inc_ integer, seq_ bigint)
 RETURNS TABLE(key bigint, inc integer, seq bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select distinct on (k.key) k.key, l.inc, e.seq
  from ledger.logs l join ledger.entries e on e.log = l.log and e.kind = 'erasure', unnest(ledger.named_keys(e.facts)) k(key)
  where l.tenant = tenant_ and (l.inc, e.seq) < (inc_, seq_)
  order by k.key, l.inc, e.seq
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.fact(facts_ text, name_ text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return facts_::jsonb ->> name_;
exception when data_exception then
  return null;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.fence_expired(self_ text)
 RETURNS SETOF text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    with expired as (
      select w.wid from ledger.writers w where not w.fenced and w.lease_until < clock_timestamp() and w.wid <> self_
      order by w.wid for update skip locked)
    update ledger.writers w set fenced = true, generation = w.generation + 1 from expired e where w.wid = e.wid returning w.wid;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.first_at(log_ text, time_ bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select coalesce(max(seq) + 1, 0) into high from ledger.entries where log = log_;
  while low < high loop
    middle := (low + high) / 2;
    if (select t from ledger.entries where log = log_ and seq = middle) < time_ then low := middle + 1; else high := middle; end if;
  end loop;
  return low;
end
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.named_keys(facts_ text)
 RETURNS bigint[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return array(select x::bigint from jsonb_array_elements_text(facts_::jsonb -> 'keys') x);
exception when data_exception then
  return '{}';
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.note_anchor_try(target_ text, problem_ text, forked_ boolean, first_ms_ integer, most_ms_ integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.anchor_tries as t (target, failures, next_try, problem, forked)
  values (target_, case when problem_ is null then 0 else 1 end,
    clock_timestamp() + case when problem_ is null then 0 else first_ms_ end * interval '1 millisecond', problem_, forked_)
  on conflict (target) do update set
    failures = case when problem_ is null then 0 else least(t.failures + 1, 1000) end,
    next_try = clock_timestamp() + case when problem_ is null then 0
      else least(most_ms_, first_ms_ * power(2, least(t.failures, 20))) end * interval '1 millisecond',
    problem = problem_, forked = forked_;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.open_log(tenant_ text, origin_ text, nonce_ text)
 RETURNS TABLE(log text, slot bigint, inc integer, nonce text, origin text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
  slot_ bigint;
  log_ text;
begin
  if not exists (select 1 from ledger.logs l where l.tenant = tenant_) then
    if tenant_ !~ '^(_deployment|[a-z0-9][a-z0-9-]{0,40})$' or origin_ !~ '^[A-Za-z0-9._:/-]{1,128}$' or nonce_ !~ '^[0-9a-f]{32}$' then
      raise exception 'tenant, origin or nonce has a form that is not allowed' using errcode = 'CS030';
    end if;
    -- One new log at a time: slots are dense and never used twice.
    perform pg_advisory_xact_lock(5170044921);
    if not exists (select 1 from ledger.logs l where l.tenant = tenant_) then
      select coalesce(max(l.slot) + 1, 0) into slot_ from ledger.logs l;
      log_ := encode(sha256(convert_to(concat('["', origin_, '",', slot_, ',"', nonce_, '"]'), 'UTF8')), 'hex');
      insert into ledger.logs (log, slot, tenant, inc, nonce, origin) values (log_, slot_, tenant_, 0, nonce_, origin_);
      insert into ledger.heads (log, inc) values (log_, 0);
    end if;
  end if;
  return query select l.log, l.slot, l.inc, l.nonce, l.origin from ledger.logs l where l.tenant = tenant_ order by l.inc desc limit 1;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.prepare_epoch(epoch_ bigint, slots_ bigint, used_ bigint, root_ bytea, secret_ bytea, log_ text[], size_ bigint[], head_ bytea[], frontier_ bytea[], path_ bytea[])
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if epoch_ <> (select coalesce(max(e.epoch) + 1, 0) from ledger.epochs e) then
    return false;
  end if;
  insert into ledger.epochs (epoch, slots, used, root, secret) values (epoch_, slots_, used_, root_, secret_) on conflict do nothing;
  if not found then
    return false;
  end if;
  if exists (
    select 1 from unnest(log_, size_) u(log, size)
    where not exists (select 1 from ledger.entries e where e.log = u.log and e.seq = u.size - 1)
      or exists (select 1 from ledger.epoch_heads h where h.log = u.log and h.size >= u.size)) then
    raise exception 'a head of this epoch is not beyond the one before, or beyond its log' using errcode = 'CS060';
  end if;
  insert into ledger.epoch_heads (log, epoch, size, root, frontier, path)
  select u.log, epoch_, u.size, u.head, u.frontier, u.path
  from unnest(log_, size_, head_, frontier_, path_) u(log, size, head, frontier, path);
  return true;
end
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.prunable(target_ text)
 RETURNS TABLE(key bigint, before bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select k.key, max(d.before)
  from ledger.prunes d
  join ledger.entries p on p.log = d.log and p.seq = d.seq and p.kind = 'prune'
  join ledger.logs l on l.log = p.log
  join ledger.logs t on t.log = d.target and t.tenant = l.tenant
  cross join lateral ledger.prunable_keys(l.tenant, l.inc, p.seq) k(key)
  where d.target = target_ and d.reached < d.before
    and ledger.fact(p.facts, 'log') = d.target and ledger.fact(p.facts, 'before') = d.before::text
  group by k.key
$function$
-- owner cs_pruner
CREATE OR REPLACE FUNCTION ledger.prunable_keys(tenant_ text, inc_ integer, seq_ bigint)
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  with holds as (
    select distinct on (ledger.fact(e.facts, 'hold')) ledger.fact(e.facts, 'action') as action, l.inc, e.seq
    from ledger.logs l join ledger.entries e on e.log = l.log and e.kind = 'hold'
    where l.tenant = tenant_ and (l.inc, e.seq) < (inc_, seq_)
    order by ledger.fact(e.facts, 'hold'), l.inc desc, e.seq desc)
  select r.key from ledger.erased_keys(tenant_, inc_, seq_) r
  where not exists (select 1 from holds h where h.action is distinct from 'release' and (h.inc, h.seq) > (r.inc, r.seq))
    and not exists (select 1 from keystore.subject_keys s where s.id = r.key)
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.prune_budget_totals(limit_ integer)
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  with newest as (
    select b.scope, (select max(t.n) from ledger.budget_totals t where t.scope = b.scope) as n from ledger.budget_scopes b),
  old as (
    select t.scope, t.n from newest w join ledger.budget_totals t on t.scope = w.scope and t.n < w.n limit limit_),
  gone as (
    delete from ledger.budget_totals t using old o where t.scope = o.scope and t.n = o.n returning 1)
  select count(*) from gone
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.publish_checkpoint(log_ text, size_ bigint, root_ bytea, frontier_ bytea, note_ text, vkey_ text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform pg_advisory_xact_lock(5170044922);
  if not exists (select 1 from ledger.logs l join ledger.entries e on e.log = l.log and e.seq = size_ - 1
    where l.log = log_ and l.tenant = '_deployment') then
    raise exception 'the deployment''s log is not as long as this checkpoint' using errcode = 'CS061';
  end if;
  if exists (select 1 from ledger.checkpoints c where c.log = log_ and c.size >= size_) then
    return false;
  end if;
  insert into ledger.checkpoints (log, size, root, frontier, note, vkey) values (log_, size_, root_, frontier_, note_, vkey_);
  return true;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.read_budgets(scopes_ text[])
 RETURNS TABLE(scope text, limit_day bigint, limit_week bigint, limit_month bigint, spent_day bigint, spent_week bigint, spent_month bigint, reserved bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  with clock as (
    select floor(extract(epoch from c) / 86400)::integer as day,
      (extract(year from c at time zone 'UTC') * 12 + extract(month from c at time zone 'UTC') - 1)::integer as month
    from clock_timestamp() c)
  select b.scope, b.limit_day, b.limit_week, b.limit_month, case when t.day >= c.day then t.spent_day else 0 end,
    case when t.week >= (c.day + 3) / 7 then t.spent_week else 0 end, case when t.month >= c.month then t.spent_month else 0 end, t.reserved
  from clock c cross join ledger.budget_scopes b
  cross join lateral (select * from ledger.budget_totals x where x.scope = b.scope order by x.n desc limit 1) t
  where b.scope = any (scopes_)
$function$
-- owner cs_owner
CREATE OR REPLACE FUNCTION ledger.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'ledger rows are never changed or removed' using errcode = 'CS050';
end
$function$
-- owner countersign_super
CREATE OR REPLACE FUNCTION ledger.refuse_change_but_pruning()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op <> 'UPDATE' or current_user <> 'cs_pruner' then
    raise exception 'ledger rows are never changed or removed' using errcode = 'CS050';
  end if;
  return null;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.register_writer(wid_ text, key_ text, lease_ms_ integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.writers (wid, key, generation, lease_until)
  values (wid_, key_, 1, clock_timestamp() + lease_ms_ * interval '1 millisecond');
  return 1;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.renew_lease(wid_ text, generation_ bigint, lease_ms_ integer, wseq_ bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update ledger.writers set lease_until = clock_timestamp() + lease_ms_ * interval '1 millisecond', wseq = greatest(wseq, wseq_)
  where wid = wid_ and generation = generation_ and not fenced;
  return found;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.resume_writer(wid_ text, generation_ bigint, lease_ms_ integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform 1 from ledger.writers where wid = wid_ for update;
  update ledger.writers set generation = generation + 1, lease_until = clock_timestamp() + lease_ms_ * interval '1 millisecond'
  where wid = wid_ and generation >= generation_ and not fenced returning generation into generation_;
  return case when found then generation_ end;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.retire_writer(wid_ text, wseq_ bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update ledger.writers set lease_until = clock_timestamp() - interval '1 millisecond', wseq = greatest(wseq, wseq_)
  where wid = wid_ and not fenced;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.set_budget_scope(scope_ text, day_ bigint, week_ bigint, month_ bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.store_copy(log_ text, size_ bigint, place_ text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.copies (log, size, place) values (log_, size_, place_) on conflict do nothing;
  return found;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.store_cosignature(log_ text, size_ bigint, vkey_ text, line_ text, stated_ timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.cosignatures (log, size, vkey, line, stated) values (log_, size_, vkey_, line_, stated_) on conflict do nothing;
  return found;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.store_receipts(wid_ text, log_ text[], seq_ bigint[], digest_ text[], sig_ text[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  insert into ledger.receipts (log, seq, wid, digest, sig)
  select log_[i], seq_[i], wid_, digest_[i], sig_[i] from generate_series(1, cardinality(log_)) i
  on conflict do nothing
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.store_timestamp(log_ text, size_ bigint, authority_ text, token_ bytea, stated_ timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.timestamps (log, size, authority, token, stated) values (log_, size_, authority_, token_, stated_) on conflict do nothing;
  return found;
end
$function$
-- owner cs_append
CREATE OR REPLACE FUNCTION ledger.take_job(name_ text, holder_ text, lease_ms_ integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into ledger.jobs as j (name, holder, until)
  values (name_, holder_, clock_timestamp() + lease_ms_ * interval '1 millisecond')
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where j.holder = excluded.holder or j.until < clock_timestamp();
  return found;
end
$function$
