TABLE api_keys (
  id uuid not null,
  user_id uuid not null,
  name text not null,
  prefix text not null,
  token_hmac bytea not null,
  scopes text[] not null,
  app_id uuid,
  created_at timestamp with time zone not null default now(),
  last_used_at timestamp with time zone,
  expires_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint api_keys_bound_scopes_check CHECK (((app_id IS NULL) OR (NOT ('instance:admin'::text = ANY (scopes))))),
  constraint api_keys_scopes_check CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['script:read'::text, 'script:write'::text, 'route:write'::text, 'domain:manage'::text, 'log:read'::text, 'app:admin'::text, 'instance:admin'::text]))),
  constraint api_keys_token_key UNIQUE (token_hmac),
  constraint api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX api_keys_app_idx ON public.api_keys USING btree (app_id) WHERE (app_id IS NOT NULL);
CREATE INDEX api_keys_prefix_idx ON public.api_keys USING btree (prefix);
CREATE INDEX api_keys_user_idx ON public.api_keys USING btree (user_id, created_at);

TABLE app_domains (
  app_id uuid not null,
  id uuid not null,
  pattern text not null,
  shape text not null,
  shape_key text not null,
  created_at timestamp with time zone not null default now(),
  constraint app_domains_pkey PRIMARY KEY (app_id, id),
  constraint app_domains_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint app_domains_shape_check CHECK ((shape = ANY (ARRAY['exact'::text, 'wildcard'::text, 'parameterised'::text]))),
  constraint app_domains_shape_key UNIQUE (shape_key)
);

TABLE app_keys (
  app_id uuid not null,
  key_id text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint app_keys_pkey PRIMARY KEY (app_id),
  constraint app_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);
CREATE INDEX app_keys_key_idx ON public.app_keys USING btree (key_id);

TABLE app_members (
  app_id uuid not null,
  user_id uuid not null,
  role text not null,
  created_at timestamp with time zone not null default now(),
  constraint app_members_pkey PRIMARY KEY (app_id, user_id),
  constraint app_members_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint app_members_role_check CHECK ((role = ANY (ARRAY['app_admin'::text, 'editor'::text, 'viewer'::text]))),
  constraint app_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX app_members_user_idx ON public.app_members USING btree (user_id);
CREATE TRIGGER app_members_changed AFTER UPDATE OF role ON public.app_members FOR EACH ROW WHEN (((old.role = 'app_admin'::text) AND (new.role <> 'app_admin'::text))) EXECUTE FUNCTION triggers_follow_member();
CREATE TRIGGER app_members_deleted AFTER DELETE ON public.app_members FOR EACH ROW WHEN ((old.role = 'app_admin'::text)) EXECUTE FUNCTION triggers_follow_member();

TABLE app_slug_history (
  slug text not null,
  app_id uuid not null,
  created_at timestamp with time zone not null default now(),
  constraint app_slug_history_pkey PRIMARY KEY (slug),
  constraint app_slug_history_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);
CREATE INDEX app_slug_history_app_idx ON public.app_slug_history USING btree (app_id);

TABLE apps (
  id uuid not null,
  slug text not null,
  name text not null,
  description text not null default ''::text,
  catalog_version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  settings jsonb not null default '{}'::jsonb,
  forgotten_in xid8 not null default pg_current_xact_id(),
  paused_at timestamp with time zone,
  paused_until timestamp with time zone,
  constraint apps_pkey PRIMARY KEY (id),
  constraint apps_paused_check CHECK (((paused_until IS NULL) OR (paused_at IS NOT NULL))),
  constraint apps_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text)),
  constraint apps_slug_key UNIQUE (slug)
);
CREATE TRIGGER apps_note_deleted BEFORE DELETE ON public.apps FOR EACH ROW EXECUTE FUNCTION note_deleted_app();
CREATE TRIGGER apps_notify_catalog AFTER INSERT OR DELETE OR UPDATE ON public.apps FOR EACH ROW EXECUTE FUNCTION notify_catalog();
CREATE TRIGGER apps_remove_doc_indexes AFTER DELETE ON public.apps FOR EACH ROW EXECUTE FUNCTION remove_doc_indexes();

TABLE audit_log (
  id uuid not null,
  created_at timestamp with time zone not null default now(),
  actor_id uuid,
  actor_name text not null,
  key_id uuid,
  app_id uuid,
  action text not null,
  target_kind text not null,
  target_id text not null,
  target_name text not null,
  before_sha256 bytea,
  after_sha256 bytea,
  changed text[] not null default '{}'::text[],
  request_id uuid,
  address text,
  constraint audit_log_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_log_actor_idx ON public.audit_log USING btree (actor_id, created_at DESC, id DESC);
CREATE INDEX audit_log_app_idx ON public.audit_log USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX audit_log_created_idx ON public.audit_log USING btree (created_at DESC, id DESC);
CREATE TRIGGER audit_log_immutable BEFORE UPDATE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION refuse_update();

TABLE catalog_deletions (
  app_id uuid not null,
  changed_in xid8 not null,
  id uuid not null,
  constraint catalog_deletions_pkey PRIMARY KEY (app_id, changed_in, id),
  constraint catalog_deletions_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);

TABLE data_usage (
  app_id uuid not null,
  kind text not null,
  collection text not null,
  shard integer not null,
  entries bigint not null,
  bytes bigint not null,
  constraint data_usage_pkey PRIMARY KEY (app_id, kind, collection, shard),
  constraint data_usage_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);

TABLE dead_letters (
  app_id uuid not null,
  id uuid not null,
  original_event_id uuid not null,
  source text not null,
  op text not null,
  trigger_id uuid,
  script_id uuid not null,
  payload jsonb not null,
  trigger_depth integer not null,
  root_execution_id uuid not null,
  attempt_count integer not null,
  first_attempt_at timestamp with time zone,
  last_attempt_at timestamp with time zone,
  last_error text,
  created_at timestamp with time zone not null default now(),
  resolved_at timestamp with time zone,
  resolution text,
  origin_principal uuid,
  ordering_key text,
  constraint dead_letters_pkey PRIMARY KEY (app_id, id),
  constraint dead_letters_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint dead_letters_resolution_check CHECK (((resolution IS NULL) OR (resolution = ANY (ARRAY['replayed'::text, 'ignored'::text, 'handled_by_script'::text, 'handler_failed'::text]))))
);
CREATE INDEX dead_letters_age_idx ON public.dead_letters USING btree (created_at);
CREATE INDEX dead_letters_created_idx ON public.dead_letters USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX dead_letters_unresolved_idx ON public.dead_letters USING btree (app_id, created_at DESC, id DESC) WHERE (resolved_at IS NULL);

TABLE doc_index_entries (
  app_id uuid not null,
  index_id bigint not null,
  value jsonb not null,
  doc_id uuid not null,
  is_unique boolean not null,
  is_gone boolean not null default false,
  constraint doc_index_entries_pkey PRIMARY KEY (app_id, index_id, value, doc_id) INCLUDE (is_gone)
);
CREATE INDEX doc_index_entries_gone_idx ON public.doc_index_entries USING btree (app_id, index_id) WHERE is_gone;
CREATE UNIQUE INDEX doc_index_entries_unique_key ON public.doc_index_entries USING btree (app_id, index_id, value) WHERE is_unique;

TABLE doc_indexes (
  app_id uuid not null,
  collection text not null,
  path text[] not null,
  is_unique boolean not null default false,
  state text not null default 'building'::text,
  error text,
  created_at timestamp with time zone not null default now(),
  changed_at timestamp with time zone not null default now(),
  id bigint not null,
  constraint doc_indexes_pkey PRIMARY KEY (app_id, collection, path),
  constraint doc_indexes_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint doc_indexes_id_key UNIQUE (app_id, id),
  constraint doc_indexes_state_check CHECK ((state = ANY (ARRAY['building'::text, 'ready'::text, 'failed'::text, 'dropping'::text, 'removing'::text])))
);
CREATE INDEX doc_indexes_unfinished_idx ON public.doc_indexes USING btree (state) WHERE (state = ANY (ARRAY['building'::text, 'dropping'::text, 'removing'::text]));

TABLE docs (
  app_id uuid not null,
  collection text not null,
  id uuid not null,
  data jsonb not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  bytes integer not null generated ((100 + octet_length(collection)) + octet_length((data)::text)),
  constraint docs_pkey PRIMARY KEY (app_id, collection, id),
  constraint docs_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint docs_collection_check CHECK (((octet_length(collection) >= 1) AND (octet_length(collection) <= 256))),
  constraint docs_data_check CHECK ((jsonb_typeof(data) = 'object'::text))
);
CREATE TRIGGER docs_emit AFTER INSERT OR DELETE OR UPDATE ON public.docs FOR EACH ROW EXECUTE FUNCTION emit_docs();
CREATE TRIGGER docs_keep_indexes AFTER INSERT OR DELETE OR UPDATE OF data ON public.docs FOR EACH ROW EXECUTE FUNCTION keep_doc_indexes();
CREATE TRIGGER docs_usage AFTER INSERT OR DELETE OR UPDATE ON public.docs FOR EACH ROW EXECUTE FUNCTION keep_usage('docs');

TABLE dropped_events (
  app_id uuid not null,
  dropped bigint not null,
  constraint dropped_events_pkey PRIMARY KEY (app_id),
  constraint dropped_events_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);

TABLE email_receipts (
  app_id uuid not null,
  trigger_id uuid not null,
  key text not null,
  event_id uuid not null,
  received_at timestamp with time zone not null,
  constraint email_receipts_pkey PRIMARY KEY (app_id, trigger_id, key),
  constraint email_receipts_trigger_fkey FOREIGN KEY (app_id, trigger_id) REFERENCES triggers(app_id, id) ON DELETE CASCADE
);
CREATE INDEX email_receipts_age_idx ON public.email_receipts USING btree (received_at);

TABLE execution_drops (
  app_id uuid not null,
  script_id uuid not null,
  minute timestamp with time zone not null,
  dropped bigint not null,
  constraint execution_drops_pkey PRIMARY KEY (app_id, script_id, minute),
  constraint execution_drops_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE
);
CREATE INDEX execution_drops_minute_idx ON public.execution_drops USING btree (minute);

TABLE executions (
  app_id uuid not null,
  id uuid not null,
  script_id uuid not null,
  version integer not null,
  request_id uuid not null,
  root_execution_id uuid not null,
  trigger_kind text not null,
  trigger_id uuid,
  status text not null,
  status_code integer,
  duration_ms double precision not null,
  operations bigint not null default 0,
  request jsonb,
  response_summary text,
  error jsonb,
  logs jsonb not null default '[]'::jsonb,
  created_at timestamp with time zone not null,
  request_body jsonb,
  rerun_of uuid,
  principal_id uuid,
  constraint executions_pkey PRIMARY KEY (app_id, id),
  constraint executions_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE,
  constraint executions_status_check CHECK ((status = ANY (ARRAY['success'::text, 'error'::text, 'timeout'::text, 'budget_exceeded'::text])))
);
CREATE INDEX executions_app_idx ON public.executions USING btree (app_id, created_at DESC, id DESC);
CREATE INDEX executions_children_idx ON public.executions USING btree (app_id, root_execution_id) WHERE (root_execution_id <> id);
CREATE INDEX executions_failed_idx ON public.executions USING btree (app_id, status, created_at DESC, id DESC) WHERE (status <> 'success'::text);
CREATE INDEX executions_script_failed_idx ON public.executions USING btree (app_id, script_id, status, created_at DESC, id DESC) WHERE (status <> 'success'::text);
CREATE INDEX executions_script_idx ON public.executions USING btree (app_id, script_id, created_at DESC, id DESC);
CREATE INDEX executions_trigger_idx ON public.executions USING btree (app_id, trigger_id, created_at DESC, id DESC) WHERE (trigger_id IS NOT NULL);
CREATE INDEX executions_triggered_idx ON public.executions USING btree (app_id, trigger_kind, created_at DESC, id DESC) WHERE (trigger_kind <> 'http'::text);
CREATE INDEX executions_version_idx ON public.executions USING btree (app_id, script_id, version);

TABLE housekeeping (
  task text not null,
  due_at timestamp with time zone not null,
  constraint housekeeping_pkey PRIMARY KEY (task)
);

TABLE idempotency_keys (
  app_id uuid not null,
  scope_id uuid not null,
  key text not null,
  request_sha256 bytea not null,
  execution_id uuid not null,
  status integer,
  headers jsonb,
  body bytea,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (app_id, scope_id, key),
  constraint idempotency_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint idempotency_keys_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 200)))
);
CREATE INDEX idempotency_keys_created_idx ON public.idempotency_keys USING btree (created_at);

TABLE instance_settings (
  key text not null,
  value jsonb not null,
  updated_at timestamp with time zone not null default now(),
  constraint instance_settings_pkey PRIMARY KEY (key)
);

TABLE kv_entries (
  app_id uuid not null,
  collection text not null,
  key text not null,
  value jsonb not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  bytes integer not null generated (((100 + octet_length(collection)) + octet_length(key)) + octet_length((value)::text)),
  constraint kv_entries_pkey PRIMARY KEY (app_id, collection, key),
  constraint kv_entries_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint kv_entries_names_check CHECK ((((octet_length(collection) >= 1) AND (octet_length(collection) <= 256)) AND ((octet_length(key) >= 1) AND (octet_length(key) <= 256))))
);
CREATE INDEX kv_entries_expires_idx ON public.kv_entries USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE TRIGGER kv_entries_emit AFTER INSERT OR DELETE OR UPDATE ON public.kv_entries FOR EACH ROW EXECUTE FUNCTION emit_kv();
CREATE TRIGGER kv_entries_usage AFTER INSERT OR DELETE OR UPDATE ON public.kv_entries FOR EACH ROW EXECUTE FUNCTION keep_usage('kv');

TABLE outbox (
  app_id uuid not null,
  id uuid not null,
  source_kind text not null,
  op text not null,
  trigger_id uuid,
  script_id uuid not null,
  payload jsonb not null,
  trigger_depth integer not null,
  root_execution_id uuid not null,
  origin_principal uuid,
  attempt_count integer not null default 0,
  retry_max_attempts integer not null,
  retry_backoff text not null,
  retry_base_ms integer not null,
  transactional boolean not null default false,
  ordering_key text,
  dead_letter_id uuid,
  due_at timestamp with time zone not null default now(),
  claimed_by uuid,
  first_attempt_at timestamp with time zone,
  last_error text,
  created_at timestamp with time zone not null default clock_timestamp(),
  blocked boolean not null default false,
  constraint outbox_pkey PRIMARY KEY (app_id, id),
  constraint outbox_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);
CREATE INDEX outbox_claimed_idx ON public.outbox USING btree (claimed_by) WHERE (claimed_by IS NOT NULL);
CREATE INDEX outbox_due_idx ON public.outbox USING btree (app_id, due_at, created_at) WHERE (NOT blocked);
CREATE INDEX outbox_ordering_idx ON public.outbox USING btree (app_id, trigger_id, ordering_key, created_at, id) WHERE (ordering_key IS NOT NULL);
CREATE INDEX outbox_under_way_idx ON public.outbox USING btree (app_id, trigger_id, ordering_key) WHERE ((ordering_key IS NOT NULL) AND (claimed_by IS NOT NULL));
CREATE TRIGGER outbox_deleted AFTER DELETE ON public.outbox REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION unblock_events();
CREATE TRIGGER outbox_notify AFTER INSERT ON public.outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();
CREATE TRIGGER outbox_released AFTER UPDATE OF claimed_by ON public.outbox FOR EACH ROW WHEN (((old.claimed_by IS NOT NULL) AND (new.claimed_by IS NULL) AND (new.ordering_key IS NOT NULL))) EXECUTE FUNCTION unblock_older();

TABLE routes (
  app_id uuid not null,
  id uuid not null,
  script_id uuid not null,
  host_kind text not null default 'any'::text,
  host text not null default ''::text,
  host_param_name text,
  path_kind text not null,
  path text not null,
  method text,
  dispatch_mode text not null default 'sync'::text,
  enabled boolean not null default true,
  created_at timestamp with time zone not null default now(),
  rate_limit jsonb,
  idempotent boolean not null default false,
  changed_in xid8 not null default '0'::xid8,
  constraint routes_pkey PRIMARY KEY (app_id, id),
  constraint routes_dispatch_mode_check CHECK ((dispatch_mode = ANY (ARRAY['sync'::text, 'async'::text]))),
  constraint routes_host_kind_check CHECK ((host_kind = ANY (ARRAY['any'::text, 'strict'::text, 'wildcard'::text]))),
  constraint routes_id_key UNIQUE (id),
  constraint routes_path_check CHECK ((path ~~ '/%'::text)),
  constraint routes_path_kind_check CHECK ((path_kind = ANY (ARRAY['exact'::text, 'prefix'::text, 'param'::text]))),
  constraint routes_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX routes_binding_key ON public.routes USING btree (app_id, host_kind, host, path_kind, path, COALESCE(method, ''::text));
CREATE INDEX routes_changed_idx ON public.routes USING btree (app_id, changed_in);
CREATE INDEX routes_param_idx ON public.routes USING btree (app_id, split_part(path, '/'::text, 2) text_pattern_ops) WHERE (path_kind = 'param'::text);
CREATE INDEX routes_path_idx ON public.routes USING btree (app_id, path);
CREATE INDEX routes_script_idx ON public.routes USING btree (app_id, script_id);
CREATE TRIGGER routes_record_deletion AFTER DELETE ON public.routes REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION record_deletion();
CREATE TRIGGER routes_stamp_change BEFORE INSERT OR UPDATE ON public.routes FOR EACH ROW EXECUTE FUNCTION stamp_change();

TABLE schema_migrations (
  number integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migrations_pkey PRIMARY KEY (number)
);

TABLE script_imports (
  app_id uuid not null,
  script_id uuid not null,
  name text not null,
  constraint script_imports_pkey PRIMARY KEY (app_id, script_id, name),
  constraint script_imports_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE
);
CREATE INDEX script_imports_name_idx ON public.script_imports USING btree (app_id, name);

TABLE script_versions (
  app_id uuid not null,
  script_id uuid not null,
  version integer not null,
  source text not null,
  source_sha256 bytea not null,
  timeout_seconds integer not null,
  memory_limit_mb integer not null,
  sandbox jsonb not null default '{}'::jsonb,
  author_id uuid,
  message text not null default ''::text,
  created_at timestamp with time zone not null default now(),
  imports text[] not null default '{}'::text[],
  links jsonb not null default '{"calls": [], "exports": []}'::jsonb,
  constraint script_versions_pkey PRIMARY KEY (app_id, script_id, version),
  constraint script_versions_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE,
  constraint script_versions_version_check CHECK ((version > 0))
);
CREATE TRIGGER script_versions_immutable BEFORE UPDATE ON public.script_versions FOR EACH ROW EXECUTE FUNCTION refuse_update();

TABLE scripts (
  app_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null default 'endpoint'::text,
  description text not null default ''::text,
  direct_execute text not null default 'members'::text,
  live_version integer,
  last_version integer not null default 0,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  changed_in xid8 not null default '0'::xid8,
  constraint scripts_pkey PRIMARY KEY (app_id, id),
  constraint scripts_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE,
  constraint scripts_direct_execute_check CHECK ((direct_execute = ANY (ARRAY['members'::text, 'public'::text]))),
  constraint scripts_id_key UNIQUE (id),
  constraint scripts_kind_check CHECK ((kind = ANY (ARRAY['endpoint'::text, 'module'::text]))),
  constraint scripts_live_version_fkey FOREIGN KEY (app_id, id, live_version) REFERENCES script_versions(app_id, script_id, version) DEFERRABLE INITIALLY DEFERRED,
  constraint scripts_module_name_check CHECK (((kind <> 'module'::text) OR (name ~ '^[a-z][a-z0-9_]{0,62}$'::text))),
  constraint scripts_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 128))),
  constraint scripts_name_key UNIQUE (app_id, name)
);
CREATE INDEX scripts_changed_idx ON public.scripts USING btree (app_id, changed_in);
CREATE TRIGGER scripts_record_deletion AFTER DELETE ON public.scripts REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION record_deletion();
CREATE TRIGGER scripts_stamp_change BEFORE INSERT OR UPDATE ON public.scripts FOR EACH ROW EXECUTE FUNCTION stamp_change();

TABLE secrets (
  app_id uuid not null,
  name text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint secrets_pkey PRIMARY KEY (app_id, name),
  constraint secrets_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE
);

TABLE sessions (
  token_sha256 bytea not null,
  user_id uuid not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint sessions_pkey PRIMARY KEY (token_sha256),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX sessions_expires_idx ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_user_idx ON public.sessions USING btree (user_id);

TABLE triggers (
  app_id uuid not null,
  id uuid not null,
  script_id uuid not null,
  kind text not null,
  enabled boolean not null default true,
  disabled_reason text,
  paused_until timestamp with time zone,
  pattern text not null default '*'::text,
  ops text[] not null default '{}'::text[],
  details jsonb not null default '{}'::jsonb,
  retry_max_attempts integer not null,
  retry_backoff text not null,
  retry_base_ms integer not null,
  ordering text,
  transactional boolean not null default false,
  registered_by uuid,
  next_at timestamp with time zone,
  last_fired_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  dropped bigint not null default 0,
  constraint triggers_pkey PRIMARY KEY (app_id, id),
  constraint triggers_attempts_check CHECK ((((retry_max_attempts >= 1) AND (retry_max_attempts <= 100)) AND ((retry_base_ms >= 1) AND (retry_base_ms <= 3600000)))),
  constraint triggers_backoff_check CHECK ((retry_backoff = ANY (ARRAY['exponential'::text, 'linear'::text, 'constant'::text]))),
  constraint triggers_kind_check CHECK ((kind = ANY (ARRAY['kv'::text, 'docs'::text, 'cron'::text, 'pubsub'::text, 'email'::text, 'dead_letter'::text]))),
  constraint triggers_ordering_check CHECK (((ordering IS NULL) OR (ordering = 'key'::text))),
  constraint triggers_registered_by_fkey FOREIGN KEY (registered_by) REFERENCES users(id) ON DELETE SET NULL,
  constraint triggers_script_fkey FOREIGN KEY (app_id, script_id) REFERENCES scripts(app_id, id) ON DELETE CASCADE
);
CREATE INDEX triggers_due_idx ON public.triggers USING btree (next_at) WHERE ((kind = 'cron'::text) AND enabled);
CREATE INDEX triggers_kind_idx ON public.triggers USING btree (app_id, kind) WHERE enabled;
CREATE INDEX triggers_registered_idx ON public.triggers USING btree (registered_by);
CREATE INDEX triggers_script_idx ON public.triggers USING btree (app_id, script_id);
CREATE TRIGGER triggers_await_change BEFORE UPDATE OF enabled, paused_until ON public.triggers FOR EACH ROW WHEN (((old.enabled IS DISTINCT FROM new.enabled) OR (old.paused_until IS DISTINCT FROM new.paused_until))) EXECUTE FUNCTION await_emitters();
CREATE TRIGGER triggers_await_deletion BEFORE DELETE ON public.triggers FOR EACH ROW EXECUTE FUNCTION await_emitters();
CREATE TRIGGER triggers_deleted AFTER DELETE ON public.triggers FOR EACH ROW EXECUTE FUNCTION drop_events();
CREATE TRIGGER triggers_disabled AFTER UPDATE OF enabled ON public.triggers FOR EACH ROW WHEN ((old.enabled AND (NOT new.enabled))) EXECUTE FUNCTION drop_events();
CREATE TRIGGER triggers_module BEFORE INSERT OR UPDATE OF app_id, script_id ON public.triggers FOR EACH ROW EXECUTE FUNCTION refuse_module_triggers();

TABLE users (
  id uuid not null,
  username text not null,
  password_hash text not null,
  instance_role text not null default 'member'::text,
  email text,
  is_active boolean not null default true,
  created_at timestamp with time zone not null default now(),
  last_login_at timestamp with time zone,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_role_check CHECK ((instance_role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text])))
);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email)) WHERE (email IS NOT NULL);
CREATE UNIQUE INDEX users_username_key ON public.users USING btree (lower(username));
CREATE TRIGGER users_changed AFTER UPDATE OF is_active, instance_role ON public.users FOR EACH ROW EXECUTE FUNCTION triggers_follow_user();
CREATE TRIGGER users_deleted BEFORE DELETE ON public.users FOR EACH ROW EXECUTE FUNCTION triggers_follow_user();

VIEW leadership AS
 SELECT 'scheduler'::text AS duty;

CREATE OR REPLACE FUNCTION public.await_emitters()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(5, hashtext(old.app_id::text));
  return case when tg_op = 'DELETE' then old else new end;
end $function$;

CREATE OR REPLACE FUNCTION public.check_quota(app uuid, quota bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if quota < (select sum(bytes) from data_usage where app_id = app) then
    raise exception 'the app''s data would be larger than its quota of % bytes', quota
      using errcode = 'PC002', detail = quota::text;
  end if;
end $function$;

CREATE OR REPLACE FUNCTION public.disable_triggers(of_app uuid, of_user uuid, reason text)
 RETURNS void
 LANGUAGE sql
AS $function$
  update triggers set enabled = false, disabled_reason = reason, updated_at = now()
  where registered_by = of_user and (enabled or disabled_reason is null) and (of_app is null or app_id = of_app)
$function$;

CREATE OR REPLACE FUNCTION public.doc_index_value(data jsonb, path text[])
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
declare
  value jsonb := doc_key(data, path);
begin
  if octet_length(value::text) > 1024 then
    raise exception 'a value of an indexed field may have 1024 bytes' using errcode = 'PC001',
      detail = array_to_string(path, '.');
  end if;
  return value;
end $function$;

CREATE OR REPLACE FUNCTION public.doc_key(data jsonb, path text[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case jsonb_typeof(data #> path)
    when 'array' then '[]'::jsonb
    when 'object' then '{}'::jsonb
    else coalesce(data #> path, 'null'::jsonb)
  end
$function$;

CREATE OR REPLACE FUNCTION public.drop_events()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  n bigint;
begin
  -- What is being delivered ends, and is not counted.
  with gone as (
    delete from outbox where app_id = old.app_id and trigger_id = old.id returning claimed_by is null or due_at <= now() as waited
  )
  select count(*) from gone where waited into n;
  if n = 0 then
    return null;
  end if;
  -- Not of an app that is being deleted.
  insert into dropped_events as d (app_id, dropped) select id, n from apps where id = old.app_id
    on conflict (app_id) do update set dropped = d.dropped + excluded.dropped;
  if tg_op = 'UPDATE' then
    update triggers set dropped = dropped + n where app_id = old.app_id and id = old.id;
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.emit_docs()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  of_app uuid := case when tg_op = 'DELETE' then old.app_id else new.app_id end;
begin
  -- Most apps have none, and making the event costs more than to ask.
  if not exists (select from triggers where app_id = of_app and kind = 'docs' and enabled) then
    return null;
  end if;
  if tg_op = 'DELETE' then
    if old.app_id::text = current_setting('picloud.deleted_app', true) then
      return null;
    end if;
    perform emit_event(old.app_id, 'docs', 'delete', old.collection, old.id::text, jsonb_build_object('docs',
      jsonb_build_object('collection', old.collection, 'id', old.id, 'data', null, 'prev_data', old.data)));
  elsif tg_op = 'UPDATE' then
    perform emit_event(new.app_id, 'docs', 'update', new.collection, new.id::text, jsonb_build_object('docs',
      jsonb_build_object('collection', new.collection, 'id', new.id, 'data', new.data, 'prev_data', old.data)));
  else
    perform emit_event(new.app_id, 'docs', 'create', new.collection, new.id::text, jsonb_build_object('docs',
      jsonb_build_object('collection', new.collection, 'id', new.id, 'data', new.data, 'prev_data', null)));
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.emit_event(of_app uuid, of_kind text, operation text, of_name text, of_key text, body jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  run text[] := string_to_array(nullif(current_setting('picloud.run', true), ''), ',');
begin
  if current_setting('transaction_isolation') = 'read committed' then
    perform pg_advisory_xact_lock_shared(5, hashtext(of_app::text));
  else
    -- It goes on to see triggers as they were when it began; of one that has changed it is told so, and begins anew.
    perform from triggers t where t.app_id = of_app and t.kind = of_kind and t.enabled and pattern_matches(t.pattern, of_name)
    for share;
  end if;
  insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
    origin_principal, retry_max_attempts, retry_backoff, retry_base_ms, transactional, ordering_key, due_at)
  select t.app_id, e.id, of_kind, operation, t.id, t.script_id, jsonb_build_object('source', of_kind, 'op', operation) || body,
    coalesce(run[1]::integer, 0) + 1, coalesce(run[2]::uuid, e.id), nullif(run[3], '')::uuid,
    t.retry_max_attempts, t.retry_backoff, t.retry_base_ms, t.transactional,
    case when t.ordering = 'key' then of_name || e'\n' || of_key end, greatest(now(), t.paused_until)
  -- An app that is being deleted has no events any more.
  from triggers t join apps a on a.id = t.app_id
  cross join lateral (select gen_random_uuid() as id, t.id as of_trigger) e
  where t.app_id = of_app and t.kind = of_kind and t.enabled and (t.ops = '{}' or operation = any (t.ops))
    and pattern_matches(t.pattern, of_name);
end $function$;

CREATE OR REPLACE FUNCTION public.emit_kv()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  of_app uuid := case when tg_op = 'DELETE' then old.app_id else new.app_id end;
begin
  -- Most apps have none, and making the event costs more than to ask.
  if not exists (select from triggers where app_id = of_app and kind = 'kv' and enabled) then
    return null;
  end if;
  if tg_op = 'DELETE' then
    if old.expires_at <= now() or old.app_id::text = current_setting('picloud.deleted_app', true) then
      return null;
    end if;
    perform emit_event(old.app_id, 'kv', 'delete', old.collection, old.key, jsonb_build_object('kv',
      jsonb_build_object('collection', old.collection, 'key', old.key, 'value', null, 'prev_value', old.value)));
  elsif tg_op = 'UPDATE' and (old.expires_at is null or old.expires_at > now()) then
    perform emit_event(new.app_id, 'kv', 'update', new.collection, new.key, jsonb_build_object('kv',
      jsonb_build_object('collection', new.collection, 'key', new.key, 'value', new.value, 'prev_value', old.value)));
  else
    perform emit_event(new.app_id, 'kv', 'insert', new.collection, new.key, jsonb_build_object('kv',
      jsonb_build_object('collection', new.collection, 'key', new.key, 'value', new.value, 'prev_value', null)));
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.insert_usage(app uuid, of_kind text, of_collection text, of_shard integer, more_entries bigint, more_bytes bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
  -- An app that is being deleted is gone before its data.
  insert into data_usage as u (app_id, kind, collection, shard, entries, bytes)
  select id, of_kind, of_collection, of_shard, more_entries, more_bytes from apps where id = app
  on conflict (app_id, kind, collection, shard) do update
    set entries = u.entries + excluded.entries, bytes = u.bytes + excluded.bytes;
  return (select (settings->>'quota_bytes')::bigint from apps where id = app);
end $function$;

CREATE OR REPLACE FUNCTION public.keep_doc_indexes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  i record;
begin
  if tg_op = 'INSERT' then
    -- One statement, and none where there is no index: most documents are only ever inserted.
    if exists (select from doc_indexes where app_id = new.app_id and collection = new.collection) then
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
      select new.app_id, x.id, x.value, new.id,
        x.is_unique and jsonb_typeof(x.value) in ('string', 'number', 'boolean')
      from (
        select id, is_unique, doc_index_value(new.data, path) as value from doc_indexes
        where app_id = new.app_id and collection = new.collection and state in ('building', 'ready', 'dropping')
        offset 0
      ) x
      on conflict (app_id, index_id, value, doc_id) do update set is_unique = excluded.is_unique, is_gone = false;
    end if;
    return null;
  end if;
  if old.app_id::text = current_setting('picloud.deleted_app', true) then
    return null;
  end if;
  for i in
    select x.id, x.state, x.is_unique, doc_key(old.data, x.path) as was,
      case when tg_op = 'UPDATE' then doc_index_value(new.data, x.path) end as value
    from doc_indexes x
    where x.app_id = old.app_id and x.collection = old.collection and x.state in ('building', 'ready', 'dropping')
      and (tg_op = 'DELETE' or doc_key(old.data, x.path) <> doc_key(new.data, x.path))
  loop
    if i.state = 'building' then
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique, is_gone)
      values (old.app_id, i.id, i.was, old.id, false, true)
      on conflict (app_id, index_id, value, doc_id) do update set is_unique = false, is_gone = true;
    else
      delete from doc_index_entries
      where app_id = old.app_id and index_id = i.id and value = i.was and doc_id = old.id;
    end if;
    if tg_op = 'UPDATE' then
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
      values (new.app_id, i.id, i.value, new.id,
        i.is_unique and jsonb_typeof(i.value) in ('string', 'number', 'boolean'))
      on conflict (app_id, index_id, value, doc_id) do update set is_unique = excluded.is_unique, is_gone = false;
    end if;
  end loop;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.keep_usage()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  own_shard integer := nullif(current_setting('picloud.usage_shard', true), '');
  of_app uuid;
  of_collection text collate "C";
  more_entries integer;
  more_bytes bigint;
  quota bigint;
begin
  if tg_op = 'INSERT' then
    of_app := new.app_id; of_collection := new.collection; more_entries := 1; more_bytes := new.bytes;
  elsif tg_op = 'UPDATE' then
    if new.bytes = old.bytes then
      return null;
    end if;
    of_app := new.app_id; of_collection := new.collection; more_entries := 0; more_bytes := new.bytes - old.bytes;
  else
    if old.app_id::text = current_setting('picloud.deleted_app', true) then
      return null;
    end if;
    of_app := old.app_id; of_collection := old.collection; more_entries := -1; more_bytes := -old.bytes;
  end if;
  if current_setting('picloud.usage_bulk', true) = 'on' then
    perform note_usage(of_app, tg_argv[0], of_collection, more_entries, more_bytes);
    return null;
  end if;
  if own_shard is null then
    own_shard := usage_shard();
  end if;
  update data_usage u set entries = u.entries + more_entries, bytes = u.bytes + more_bytes from apps a
  where u.app_id = of_app and u.kind = tg_argv[0] and u.collection = of_collection and u.shard = own_shard
    and a.id = of_app
  returning (a.settings->>'quota_bytes')::bigint into quota;
  if not found then
    quota := insert_usage(of_app, tg_argv[0], of_collection, own_shard, more_entries, more_bytes);
  end if;
  if more_bytes > 0 and quota is not null then
    perform check_quota(of_app, quota);
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.note_deleted_app()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform set_config('picloud.deleted_app', old.id::text, true);
  return old;
end $function$;

CREATE OR REPLACE FUNCTION public.note_usage(app uuid, of_kind text, of_collection text, more_entries bigint, more_bytes bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  noted usage_change := nullif(current_setting('picloud.usage_noted', true), '')::usage_change;
begin
  if noted.app_id = app and noted.kind = of_kind and noted.collection = of_collection then
    more_entries := more_entries + noted.entries;
    more_bytes := more_bytes + noted.bytes;
  else
    perform write_noted_usage();
  end if;
  perform set_config('picloud.usage_noted', row(app, of_kind, of_collection, more_entries, more_bytes)::text, true);
end $function$;

CREATE OR REPLACE FUNCTION public.notify_catalog()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('picloud_catalog', old.id || ':0');
  elsif tg_op = 'INSERT' or new.catalog_version <> old.catalog_version then
    perform pg_notify('picloud_catalog', new.id || ':' || new.catalog_version);
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.notify_outbox()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('picloud_outbox', '');
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.pattern_matches(pattern text, name text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select pattern = '*' or pattern = name
    or (right(pattern, 2) = ':*' and starts_with(name, left(pattern, -1)))
    or (right(pattern, 2) = '.*' and starts_with(name, left(pattern, -1)) and length(name) > length(pattern) - 1)
$function$;

CREATE OR REPLACE FUNCTION public.receive_email(of_app uuid, of_trigger uuid, new_id uuid, keys text[], event jsonb)
 RETURNS TABLE(id uuid, accepted_at timestamp with time zone, is_duplicate boolean)
 LANGUAGE plpgsql
AS $function$
declare
  box triggers;
  known email_receipts;
  one text;
  came_at timestamptz;
begin
  -- In the order of whoever deletes an app, so that neither waits for the other.
  perform from apps a where a.id = of_app for key share;
  -- Whoever disables it meanwhile, and drops what it has waiting, waits for this.
  select * into box from triggers t
  where t.app_id = of_app and t.id = of_trigger and t.kind = 'email' and t.enabled for share;
  if not found then
    return;
  end if;
  came_at := clock_timestamp();
  foreach one in array keys loop
    insert into email_receipts as r (app_id, trigger_id, key, event_id, received_at)
    values (of_app, of_trigger, one, new_id, came_at)
    on conflict (app_id, trigger_id, key) do update set event_id = excluded.event_id, received_at = excluded.received_at
      where r.received_at <= clock_timestamp() - interval '24 hours';
    if not found and known is null then
      select * into known from email_receipts r
      where r.app_id = of_app and r.trigger_id = of_trigger and r.key = one;
    end if;
  end loop;
  if known is not null then
    -- What else it is known by means the same message from now on.
    update email_receipts r set event_id = known.event_id, received_at = known.received_at
    where r.app_id = of_app and r.trigger_id = of_trigger and r.key = any (keys) and r.event_id = new_id;
    return query select known.event_id, known.received_at, true;
    return;
  end if;
  insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
    retry_max_attempts, retry_backoff, retry_base_ms, transactional, ordering_key, due_at)
  values (of_app, new_id, 'email', 'receive', of_trigger, box.script_id, event, 1, new_id,
    box.retry_max_attempts, box.retry_backoff, box.retry_base_ms, box.transactional,
    case when box.ordering = 'key' then '' end, greatest(now(), box.paused_until));
  return query select new_id, came_at, false;
end $function$;

CREATE OR REPLACE FUNCTION public.record_deletion()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- Of an app that is deleted itself there is nothing left to tell.
  insert into catalog_deletions (app_id, changed_in, id)
  select gone.app_id, pg_current_xact_id(), gone.id from gone join apps on apps.id = gone.app_id
  on conflict do nothing;
  with surplus as (
    select apps.id as app_id, (
      select changed_in from catalog_deletions where app_id = apps.id
      order by changed_in desc offset 1000 limit 1) as changed_in
    from apps where apps.id in (select app_id from gone)),
  forgotten as (
    delete from catalog_deletions using surplus
    where catalog_deletions.app_id = surplus.app_id and catalog_deletions.changed_in <= surplus.changed_in)
  update apps set forgotten_in = greatest(forgotten_in, surplus.changed_in)
  from surplus where apps.id = surplus.app_id and surplus.changed_in is not null;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_doc_index_value(path text[])
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'a value of an indexed field may have 1024 bytes' using errcode = 'PC001',
    detail = array_to_string(path, '.');
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_module_triggers()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from scripts s where s.app_id = new.app_id and s.id = new.script_id and s.kind = 'module') then
    raise exception 'a module cannot be called by a trigger' using errcode = 'check_violation',
      table = 'triggers', constraint = 'triggers_module_check';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_update()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'restrict_violation';
end $function$;

CREATE OR REPLACE FUNCTION public.remove_doc_indexes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  delete from doc_index_entries where app_id = old.id;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.stamp_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.changed_in := pg_current_xact_id();
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.triggers_follow_member()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform disable_triggers(old.app_id, u.id,
    format('The user %s, who had registered it, is no admin of the app any more.', u.username))
  from users u where u.id = old.user_id and u.instance_role = 'member';
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.triggers_follow_user()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    perform disable_triggers(null, old.id, format('The user %s, who had registered it, was deleted.', old.username));
    return old;
  end if;
  if old.is_active and not new.is_active then
    perform disable_triggers(null, old.id, format('The user %s, who had registered it, was deactivated.', old.username));
  elsif old.instance_role <> 'member' and new.instance_role = 'member' then
    perform disable_triggers(t.app_id, old.id,
      format('The user %s, who had registered it, is no admin of the app any more.', old.username))
    from (select distinct app_id from triggers where registered_by = old.id) t
    where not exists (
      select from app_members m where m.app_id = t.app_id and m.user_id = old.id and m.role = 'app_admin');
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.unblock_events()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  of_key record;
begin
  -- A transaction that sees an earlier state cannot tell who is next: whoever began it sees to that after its commit.
  if current_setting('transaction_isolation') <> 'read committed' then
    return null;
  end if;
  for of_key in
    select distinct app_id, trigger_id, ordering_key, source_kind from gone where ordering_key is not null
    order by app_id, trigger_id, ordering_key
  loop
    perform unblock_next(of_key.app_id, of_key.trigger_id, of_key.ordering_key, of_key.source_kind);
  end loop;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.unblock_next(of_app uuid, of_trigger uuid, of_key text, of_kind text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  next record;
begin
  select o.id, o.blocked into next from outbox o
  where o.app_id = of_app and o.trigger_id = of_trigger and o.ordering_key = of_key and o.source_kind = of_kind
  order by o.created_at, o.id limit 1 for update;
  if next.blocked then
    update outbox set blocked = false where app_id = of_app and id = next.id;
    -- The process that ended the one before it may be gone before it looks again.
    perform pg_notify('picloud_outbox', '');
  end if;
end $function$;

CREATE OR REPLACE FUNCTION public.unblock_older()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform unblock_next(new.app_id, new.trigger_id, new.ordering_key, new.source_kind);
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.usage_shard()
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  lock_class constant integer := 20547;
  shard integer := nullif(current_setting('picloud.usage_shard', true), '');
begin
  if shard is not null then
    return shard;
  end if;
  -- A rollback takes the setting back, but not the lock.
  select l.objid::integer into shard from pg_locks l
  where l.locktype = 'advisory' and l.classid = lock_class and l.objsubid = 2 and l.pid = pg_backend_pid() and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
  limit 1;
  if shard is null then
    shard := 0;
    while not pg_try_advisory_lock(lock_class, shard) loop
      shard := shard + 1;
    end loop;
  end if;
  perform set_config('picloud.usage_shard', shard::text, false);
  return shard;
end $function$;

CREATE OR REPLACE FUNCTION public.write_noted_usage()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  noted usage_change := nullif(current_setting('picloud.usage_noted', true), '')::usage_change;
  quota bigint;
begin
  if noted.app_id is null then
    return;
  end if;
  perform set_config('picloud.usage_noted', '', true);
  quota := insert_usage(noted.app_id, noted.kind, noted.collection, usage_shard(), noted.entries, noted.bytes);
  if noted.bytes > 0 and quota is not null then
    perform check_quota(noted.app_id, quota);
  end if;
end $function$;
