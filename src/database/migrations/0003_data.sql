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
