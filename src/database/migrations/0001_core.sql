-- Apps, people, scripts with immutable versions, routes, and the record of every execution.
--
-- Every table of app data has app_id as the first column of its key, and refers to scripts by (app_id, script_id),
-- so that a row of one app can never point at a script of another, and the schema can be distributed by app.

create table instance_settings (
  key text primary key,
  value jsonb not null,
  updated_at timestamptz not null default now()
);

create table users (
  id uuid primary key,
  username text not null,
  password_hash text not null,
  instance_role text not null default 'member',
  email text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  last_login_at timestamptz,
  constraint users_role_check check (instance_role in ('owner', 'admin', 'member'))
);

create unique index users_username_key on users (lower(username));
create unique index users_email_key on users (lower(email)) where email is not null;

-- Only the SHA-256 of a token is stored.
create table sessions (
  token_sha256 bytea primary key,
  user_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create index sessions_user_idx on sessions (user_id);
create index sessions_expires_idx on sessions (expires_at);

create table apps (
  id uuid primary key,
  slug text not null constraint apps_slug_key unique,
  name text not null,
  description text not null default '',
  -- Grows with every change of what the data plane must know of this app: routes, live versions, domains, settings.
  catalog_version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint apps_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$')
);

create table app_members (
  app_id uuid not null references apps on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null,
  created_at timestamptz not null default now(),
  primary key (app_id, user_id),
  constraint app_members_role_check check (role in ('app_admin', 'editor', 'viewer'))
);

create index app_members_user_idx on app_members (user_id);

create table app_domains (
  app_id uuid not null references apps on delete cascade,
  id uuid not null,
  pattern text not null,
  shape text not null,
  -- The pattern without its parameter's name: two claims collide when their keys are equal, over all apps.
  shape_key text not null constraint app_domains_shape_key unique,
  created_at timestamptz not null default now(),
  primary key (app_id, id),
  constraint app_domains_shape_check check (shape in ('exact', 'wildcard', 'parameterised'))
);

create table scripts (
  app_id uuid not null references apps on delete cascade,
  id uuid not null,
  name text not null,
  kind text not null default 'endpoint',
  description text not null default '',
  -- Who may run it at /api/v1/execute/{id} without a route.
  direct_execute text not null default 'members',
  -- The version that runs; null while there are only drafts.
  live_version integer,
  last_version integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (app_id, id),
  constraint scripts_id_key unique (id),
  constraint scripts_name_key unique (app_id, name),
  constraint scripts_kind_check check (kind in ('endpoint', 'module')),
  constraint scripts_direct_execute_check check (direct_execute in ('members', 'public')),
  constraint scripts_module_name_check check (kind <> 'module' or name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint scripts_name_check check (char_length(name) between 1 and 128)
);

create table script_versions (
  app_id uuid not null,
  script_id uuid not null,
  version integer not null,
  source text not null,
  source_sha256 bytea not null,
  timeout_seconds integer not null,
  memory_limit_mb integer not null,
  sandbox jsonb not null default '{}',
  -- No foreign key: history outlives people.
  author_id uuid,
  message text not null default '',
  created_at timestamptz not null default now(),
  primary key (app_id, script_id, version),
  constraint script_versions_script_fkey foreign key (app_id, script_id) references scripts on delete cascade,
  constraint script_versions_version_check check (version > 0)
);

alter table scripts add constraint scripts_live_version_fkey
  foreign key (app_id, id, live_version) references script_versions (app_id, script_id, version)
  deferrable initially deferred;

create function refuse_update() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger script_versions_immutable before update on script_versions
  for each row execute function refuse_update();

create table routes (
  app_id uuid not null,
  id uuid not null,
  script_id uuid not null,
  host_kind text not null default 'any',
  host text not null default '',
  host_param_name text,
  path_kind text not null,
  path text not null,
  -- Upper case; null answers every method.
  method text,
  dispatch_mode text not null default 'sync',
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (app_id, id),
  constraint routes_id_key unique (id),
  constraint routes_script_fkey foreign key (app_id, script_id) references scripts on delete cascade,
  constraint routes_host_kind_check check (host_kind in ('any', 'strict', 'wildcard')),
  constraint routes_path_kind_check check (path_kind in ('exact', 'prefix', 'param')),
  constraint routes_dispatch_mode_check check (dispatch_mode in ('sync', 'async')),
  constraint routes_path_check check (path like '/%')
);

create unique index routes_binding_key on routes (app_id, host_kind, host, path_kind, path, coalesce(method, ''));
create index routes_script_idx on routes (app_id, script_id);

-- One row a run, whatever started it.
create table executions (
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
  logs jsonb not null default '[]',
  created_at timestamptz not null,
  primary key (app_id, id),
  constraint executions_script_fkey foreign key (app_id, script_id) references scripts on delete cascade,
  constraint executions_status_check check (status in ('success', 'error', 'timeout', 'budget_exceeded'))
);

create index executions_script_idx on executions (app_id, script_id, created_at desc, id desc);
create index executions_created_idx on executions (created_at);

-- Rows that were not written because runs came faster than the log may grow.
create table execution_drops (
  app_id uuid not null,
  script_id uuid not null,
  minute timestamptz not null,
  dropped bigint not null,
  primary key (app_id, script_id, minute),
  constraint execution_drops_script_fkey foreign key (app_id, script_id) references scripts on delete cascade
);

-- What the data plane knows of an app changed: `app_id:catalog_version`. A hint; the rows are the truth.
create function notify_catalog() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('picloud_catalog', old.id || ':0');
  elsif tg_op = 'INSERT' or new.catalog_version <> old.catalog_version then
    perform pg_notify('picloud_catalog', new.id || ':' || new.catalog_version);
  end if;
  return null;
end $$;

create trigger apps_notify_catalog after insert or update or delete on apps
  for each row execute function notify_catalog();
