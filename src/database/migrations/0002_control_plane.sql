-- Keys, former slugs, settings of apps, rate limits, idempotency keys, the audit log, secrets, and executions that can be
-- filtered, rerun and swept.

create table api_keys (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  name text not null,
  -- The first 8 characters after `pic_`: finds the row. Not secret, not sufficient.
  prefix text not null,
  -- HMAC-SHA-256 of the whole text under a key derived from the server's.
  token_hmac bytea not null constraint api_keys_token_key unique,
  scopes text[] not null,
  -- Null: not bound to an app.
  app_id uuid references apps on delete cascade,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  constraint api_keys_scopes_check check (cardinality(scopes) > 0 and scopes <@ array[
    'script:read', 'script:write', 'route:write', 'domain:manage', 'log:read', 'app:admin', 'instance:admin']),
  constraint api_keys_bound_scopes_check check (app_id is null or not 'instance:admin' = any (scopes))
);

create index api_keys_prefix_idx on api_keys (prefix);
create index api_keys_user_idx on api_keys (user_id, created_at);
create index api_keys_app_idx on api_keys (app_id) where app_id is not null;

-- Slugs that apps had before; each leads to its app until another app takes it over.
create table app_slug_history (
  slug text primary key,
  app_id uuid not null references apps on delete cascade,
  created_at timestamptz not null default now()
);

create index app_slug_history_app_idx on app_slug_history (app_id);

-- What is not the default, by the names of the API (CONTRACT Q37).
alter table apps add column settings jsonb not null default '{}';

-- { requests, window_seconds, key }; null: no limit.
alter table routes add column rate_limit jsonb;
alter table routes add column idempotent boolean not null default false;

-- What a new binding could collide with.
create index routes_path_idx on routes (app_id, path);
create index routes_param_idx on routes (app_id, split_part(path, '/', 2) text_pattern_ops) where path_kind = 'param';

-- What the data plane reads again after a change: rows that changed in transactions which it could not see the time before.
-- Kept by triggers, so that no statement can forget it.
alter table scripts add column changed_in xid8 not null default '0';
alter table routes add column changed_in xid8 not null default '0';
-- Scripts and routes that are gone: of each app the newest thousand.
create table catalog_deletions (
  app_id uuid not null references apps on delete cascade,
  changed_in xid8 not null,
  id uuid not null,
  primary key (app_id, changed_in, id)
);
-- Deletions up to that transaction stand there no more; at first the one that made the app, since there may have been
-- another of its id before.
alter table apps add column forgotten_in xid8 not null default pg_current_xact_id();

create index scripts_changed_idx on scripts (app_id, changed_in);
create index routes_changed_idx on routes (app_id, changed_in);

create function stamp_change() returns trigger language plpgsql as $$
begin
  new.changed_in := pg_current_xact_id();
  return new;
end $$;

create trigger scripts_stamp_change before insert or update on scripts
  for each row execute function stamp_change();
create trigger routes_stamp_change before insert or update on routes
  for each row execute function stamp_change();

create function record_deletion() returns trigger language plpgsql as $$
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
end $$;

create trigger scripts_record_deletion after delete on scripts
  referencing old table as gone for each statement execute function record_deletion();
create trigger routes_record_deletion after delete on routes
  referencing old table as gone for each statement execute function record_deletion();

-- Answers that are given again to a request that is repeated with the same key (CONTRACT 14.3).
create table idempotency_keys (
  app_id uuid not null references apps on delete cascade,
  -- The route's id, or the script's for /api/v1/execute.
  scope_id uuid not null,
  key text not null,
  request_sha256 bytea not null,
  execution_id uuid not null,
  -- Null while the first request is under way.
  status integer,
  headers jsonb,
  body bytea,
  created_at timestamptz not null default now(),
  primary key (app_id, scope_id, key),
  constraint idempotency_keys_key_check check (char_length(key) between 1 and 200)
);

create index idempotency_keys_created_idx on idempotency_keys (created_at);

-- Every change made through the control plane: who, what, to what. Outlives what it tells of, so no foreign keys.
create table audit_log (
  id uuid primary key,
  created_at timestamptz not null default now(),
  -- Null: done on the host itself, not by a user.
  actor_id uuid,
  actor_name text not null,
  -- The API key that was used, if one was.
  key_id uuid,
  -- Null: it concerns the instance.
  app_id uuid,
  -- `noun.verb`.
  action text not null,
  target_kind text not null,
  target_id text not null,
  target_name text not null,
  -- SHA-256 of what was there before and after; null where there was nothing.
  before_sha256 bytea,
  after_sha256 bytea,
  -- Names of the fields that differ.
  changed text[] not null default '{}',
  request_id uuid,
  address text
);

create index audit_log_created_idx on audit_log (created_at desc, id desc);
create index audit_log_app_idx on audit_log (app_id, created_at desc, id desc);
create index audit_log_actor_idx on audit_log (actor_id, created_at desc, id desc);

create trigger audit_log_immutable before update on audit_log
  for each row execute function refuse_update();

-- The key of an app's secrets, sealed by the server's key of that id: rotating that one touches one row an app.
create table app_keys (
  app_id uuid primary key references apps on delete cascade,
  key_id text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now()
);

create index app_keys_key_idx on app_keys (key_id);

create table secrets (
  app_id uuid not null references apps on delete cascade,
  name text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (app_id, name)
);

-- The request is kept with its body, so that a run can be repeated; in a column of its own, so that lists need not read
-- it. `rerun_of` names what was repeated.
alter table executions add column request_body jsonb;
alter table executions add column rerun_of uuid;
alter table executions add column principal_id uuid;

-- Old runs are swept app by app, by the next index. Over all apps this one only cost writes, and misled the planner into
-- reading everybody's runs to find those of a small app.
drop index executions_created_idx;

-- Newest first, of a whole app. Failures and triggered runs are few among many, so they have small indexes of their own.
create index executions_app_idx on executions (app_id, created_at desc, id desc);
create index executions_failed_idx on executions (app_id, status, created_at desc, id desc) where status <> 'success';
create index executions_script_failed_idx on executions (app_id, script_id, status, created_at desc, id desc)
  where status <> 'success';
create index executions_triggered_idx on executions (app_id, trigger_kind, created_at desc, id desc)
  where trigger_kind <> 'http';
create index executions_children_idx on executions (app_id, root_execution_id) where root_execution_id <> id;
-- Whether a version may be forgotten.
create index executions_version_idx on executions (app_id, script_id, version);
create index execution_drops_minute_idx on execution_drops (minute);

-- When each recurring piece of housekeeping is due next, by the wall clock: a machine that restarts often still gets to it.
create table housekeeping (
  task text primary key,
  due_at timestamptz not null
);
