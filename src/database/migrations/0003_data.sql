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
