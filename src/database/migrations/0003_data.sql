-- Data of scripts: keys and values, documents; which scripts import which modules.

create table kv_entries (
  app_id uuid not null references apps on delete cascade,
  -- Byte order, whatever the database's own is.
  collection text collate "C" not null,
  key text collate "C" not null,
  value jsonb not null,
  -- From then on it is not there, though the row may be for a moment.
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- What it counts for; see data_usage.
  bytes integer not null generated always as
    (100 + octet_length(collection) + octet_length(key) + octet_length(value::text)) stored,
  primary key (app_id, collection, key),
  constraint kv_entries_names_check check (
    octet_length(collection) between 1 and 256 and octet_length(key) between 1 and 256)
);

create index kv_entries_expires_idx on kv_entries (expires_at) where expires_at is not null;

create table docs (
  app_id uuid not null references apps on delete cascade,
  collection text collate "C" not null,
  id uuid not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  bytes integer not null generated always as (100 + octet_length(collection) + octet_length(data::text)) stored,
  primary key (app_id, collection, id),
  constraint docs_collection_check check (octet_length(collection) between 1 and 256),
  constraint docs_data_check check (jsonb_typeof(data) = 'object')
);

-- Fields by which documents are found. Not indexes of Postgres, of which every statement on docs would have to look at
-- those of all apps: one table of values, kept by a trigger, with one index for all.
create table doc_indexes (
  app_id uuid not null references apps on delete cascade,
  collection text collate "C" not null,
  -- Keys from the outermost to the innermost.
  path text[] not null,
  is_unique boolean not null default false,
  -- building: kept for what is written, but older documents are not all in it yet. dropping: not to be used any more.
  state text not null default 'building',
  error text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (app_id, collection, path),
  constraint doc_indexes_state_check check (state in ('building', 'ready', 'failed', 'dropping'))
);

create index doc_indexes_unfinished_idx on doc_indexes (state) where state in ('building', 'dropping');

create table doc_index_entries (
  app_id uuid not null,
  collection text collate "C" not null,
  path text[] not null,
  doc_id uuid not null,
  value jsonb not null,
  is_unique boolean not null,
  primary key (app_id, collection, doc_id, path),
  constraint doc_index_entries_doc_fkey foreign key (app_id, collection, doc_id) references docs on delete cascade
);

create index doc_index_entries_value_idx on doc_index_entries (app_id, collection, path, value, doc_id);
create unique index doc_index_entries_unique_key on doc_index_entries (app_id, collection, path, value)
  where is_unique and jsonb_typeof(value) in ('string', 'number', 'boolean');

-- What a document is found and sorted by: scalars as they are, null for what is missing, [] and {} for any array or map.
create function doc_key(data jsonb, path text[]) returns jsonb language sql immutable parallel safe as $$
  select case jsonb_typeof(data #> path)
    when 'array' then '[]'::jsonb
    when 'object' then '{}'::jsonb
    else coalesce(data #> path, 'null'::jsonb)
  end
$$;

-- The value of an indexed field. An index of Postgres takes no more than some 2,700 bytes.
create function doc_index_value(data jsonb, path text[]) returns jsonb language plpgsql immutable as $$
declare
  value jsonb := doc_key(data, path);
begin
  if octet_length(value::text) > 1024 then
    raise exception 'a value of an indexed field may have 1024 bytes' using errcode = 'PC001',
      detail = array_to_string(path, '.');
  end if;
  return value;
end $$;

create function keep_doc_indexes() returns trigger language plpgsql as $$
begin
  insert into doc_index_entries (app_id, collection, path, doc_id, value, is_unique)
  select i.app_id, i.collection, i.path, new.id, doc_index_value(new.data, i.path), i.is_unique
  from doc_indexes i
  where i.app_id = new.app_id and i.collection = new.collection and i.state <> 'failed'
  on conflict (app_id, collection, doc_id, path) do update set value = excluded.value
    where doc_index_entries.value <> excluded.value;
  return null;
end $$;

create trigger docs_keep_indexes after insert or update of data on docs
  for each row execute function keep_doc_indexes();

-- What a version imports by name (`*`: by names that are only known at run time), what it calls of those modules, and what
-- it offers to others.
alter table script_versions add column imports text[] not null default '{}';
alter table script_versions add column links jsonb not null default '{"calls": [], "exports": []}';

-- Imports of live versions. By name, so that a module may come later than those who import it.
create table script_imports (
  app_id uuid not null,
  script_id uuid not null,
  name text not null,
  primary key (app_id, script_id, name),
  constraint script_imports_script_fkey foreign key (app_id, script_id) references scripts on delete cascade
);

create index script_imports_name_idx on script_imports (app_id, name);

-- How much data each app has, by collection. A row counts its names and its JSON as text, and 100 bytes for what Postgres
-- keeps beside them. The figures of a collection are spread over rows of which each belongs to one connection at a time
-- (usage_shard), and are right when added up: one alone may be negative.
create table data_usage (
  app_id uuid not null references apps on delete cascade,
  kind text not null,
  collection text collate "C" not null,
  shard integer not null,
  entries bigint not null,
  bytes bigint not null,
  primary key (app_id, kind, collection, shard)
-- Half of a page is for the next versions of its rows.
) with (fillfactor = 50);

-- The rows of data_usage that are this connection's own: the smallest number that no other connection has. So writers of
-- one collection never wait for each other, however long a transaction takes.
create function usage_shard() returns integer language plpgsql as $$
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
end $$;

-- Names the app that is being deleted to the triggers of its data, of which there may be millions of rows.
create function note_deleted_app() returns trigger language plpgsql as $$
begin
  perform set_config('picloud.deleted_app', old.id::text, true);
  return old;
end $$;

create trigger apps_note_deleted before delete on apps for each row execute function note_deleted_app();

-- Refuses what grew an app's data beyond the quota of its settings. What transactions that have not ended yet add is not
-- seen.
create function check_quota(app uuid, quota bigint) returns void language plpgsql as $$
begin
  if quota < (select sum(bytes) from data_usage where app_id = app) then
    raise exception 'the app''s data would be larger than its quota of % bytes', quota
      using errcode = 'PC002', detail = quota::text;
  end if;
end $$;

-- Keeps data_usage, one row at a time: for single rows, transition tables would cost thrice as much, and conditions of the
-- triggers or calls of further functions half as much again. Whoever writes thousands of rows in a transaction has them
-- added up instead: see write_noted_usage.
create function keep_usage() returns trigger language plpgsql as $$
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
end $$;

-- What a connection adds first to a collection. @returns the app's quota
create function insert_usage(app uuid, of_kind text, of_collection text, of_shard integer, more_entries bigint,
  more_bytes bigint) returns bigint language plpgsql as $$
begin
  -- An app that is being deleted is gone before its data.
  insert into data_usage as u (app_id, kind, collection, shard, entries, bytes)
  select id, of_kind, of_collection, of_shard, more_entries, more_bytes from apps where id = app
  on conflict (app_id, kind, collection, shard) do update
    set entries = u.entries + excluded.entries, bytes = u.bytes + excluded.bytes;
  return (select (settings->>'quota_bytes')::bigint from apps where id = app);
end $$;

create type usage_change as (app_id uuid, kind text, collection text, entries bigint, bytes bigint);

-- Adds to what is noted of a collection. What is noted of another one is written before.
create function note_usage(app uuid, of_kind text, of_collection text, more_entries bigint, more_bytes bigint)
returns void language plpgsql as $$
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
end $$;

-- Changes of thousands of rows would make as many versions of one row of data_usage, and each is looked for among all.
-- So whoever makes them says `set local picloud.usage_bulk = 'on'` first, and calls this at the end of the transaction.
create function write_noted_usage() returns void language plpgsql as $$
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
end $$;

create trigger kv_entries_usage after insert or update or delete on kv_entries
  for each row execute function keep_usage('kv');
create trigger docs_usage after insert or update or delete on docs
  for each row execute function keep_usage('docs');
