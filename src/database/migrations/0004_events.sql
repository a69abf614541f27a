-- Events: what triggers are defined, what waits to be delivered, and what could not be.

create table triggers (
  app_id uuid not null,
  id uuid not null,
  script_id uuid not null,
  kind text not null,
  enabled boolean not null default true,
  -- Why it was disabled by PiCloud itself, such as a user who is gone.
  disabled_reason text,
  paused_until timestamptz,
  -- Collections that it is about: *, prefix:* or a name. Of pubsub: topics: *, prefix.* or a name.
  pattern text not null default '*',
  -- Empty: all.
  ops text[] not null default '{}',
  -- Of the kind: schedule and time zone, filters, the sealed secret.
  details jsonb not null default '{}',
  retry_max_attempts integer not null,
  retry_backoff text not null,
  retry_base_ms integer not null,
  -- `key`: events of one key, document or topic one after the other.
  ordering text,
  -- Whether a run's writes and the end of its event are one transaction.
  transactional boolean not null default false,
  registered_by uuid references users on delete set null,
  -- Of cron: the firing that comes next, and the last one.
  next_at timestamptz,
  last_fired_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (app_id, id),
  constraint triggers_script_fkey foreign key (app_id, script_id) references scripts on delete cascade,
  constraint triggers_kind_check check (kind in ('kv', 'docs', 'cron', 'pubsub', 'email', 'dead_letter')),
  constraint triggers_backoff_check check (retry_backoff in ('exponential', 'linear', 'constant')),
  constraint triggers_attempts_check check (retry_max_attempts between 1 and 100 and retry_base_ms between 1 and 3600000),
  constraint triggers_ordering_check check (ordering is null or ordering = 'key')
);

create index triggers_kind_idx on triggers (app_id, kind) where enabled;
create index triggers_script_idx on triggers (app_id, script_id);
create index triggers_due_idx on triggers (next_at) where kind = 'cron' and enabled;
create index triggers_registered_idx on triggers (registered_by);

-- What waits to be delivered. A row that was delivered is gone.
create table outbox (
  app_id uuid not null references apps on delete cascade,
  id uuid not null,
  -- A kind of trigger, or http for a route. Text without a check: an older binary leaves kinds alone that it does not know.
  source_kind text not null,
  op text not null,
  -- The route's id when the source is http; null for what an operator replayed.
  trigger_id uuid,
  script_id uuid not null,
  -- `ctx.event`; of http the request.
  payload jsonb not null,
  -- Of the run that it will be: one more than of the run that caused it.
  trigger_depth integer not null,
  root_execution_id uuid not null,
  origin_principal uuid,
  attempt_count integer not null default 0,
  retry_max_attempts integer not null,
  retry_backoff text not null,
  retry_base_ms integer not null,
  transactional boolean not null default false,
  ordering_key text,
  -- A delivery of dead letters: it is not tried again, and tells how the letter was handled.
  dead_letter_id uuid,
  -- When it may be claimed: from the start, after a failure, or when a claim's lease ends.
  due_at timestamptz not null default now(),
  -- The process that has it.
  claimed_by uuid,
  first_attempt_at timestamptz,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (app_id, id)
);

create index outbox_due_idx on outbox (due_at);
create index outbox_app_due_idx on outbox (app_id, due_at, created_at);
create index outbox_claimed_idx on outbox (claimed_by) where claimed_by is not null;
create index outbox_ordering_idx on outbox (app_id, trigger_id, ordering_key, created_at) where ordering_key is not null;

create table dead_letters (
  app_id uuid not null references apps on delete cascade,
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
  first_attempt_at timestamptz,
  last_attempt_at timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolution text,
  primary key (app_id, id),
  constraint dead_letters_resolution_check check (
    resolution is null or resolution in ('replayed', 'ignored', 'handled_by_script', 'handler_failed'))
);

create index dead_letters_unresolved_idx on dead_letters (app_id, created_at desc, id desc) where resolved_at is null;
create index dead_letters_created_idx on dead_letters (app_id, created_at desc, id desc);
create index dead_letters_age_idx on dead_letters (created_at);

-- Whether a name is meant: *, prefix:* (or prefix.* for topics) or the name itself.
create function pattern_matches(pattern text, name text) returns boolean language sql immutable parallel safe as $$
  select pattern = '*' or pattern = name
    or (right(pattern, 2) in (':*', '.*') and starts_with(name, left(pattern, -1)) and length(name) > length(pattern) - 1)
$$;

-- Writes one row for each trigger that an event matches. What run caused it stands in the setting picloud.run:
-- `depth,root execution,user`; without it somebody changed the data by hand.
create function emit_event(of_app uuid, of_kind text, operation text, of_name text, of_key text, body jsonb) returns void
language plpgsql as $$
declare
  run text[] := string_to_array(nullif(current_setting('picloud.run', true), ''), ',');
begin
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
end $$;

create function emit_kv() returns trigger language plpgsql as $$
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
end $$;

create trigger kv_entries_emit after insert or update or delete on kv_entries
  for each row execute function emit_kv();

create function emit_docs() returns trigger language plpgsql as $$
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
end $$;

create trigger docs_emit after insert or update or delete on docs
  for each row execute function emit_docs();

-- A hint that something waits; the rows are the truth.
create function notify_outbox() returns trigger language plpgsql as $$
begin
  perform pg_notify('picloud_outbox', '');
  return null;
end $$;

create trigger outbox_notify after insert on outbox for each statement execute function notify_outbox();

-- What a trigger has waiting ends with it, and while it is disabled there is nothing that waits.
create function drop_events() returns trigger language plpgsql as $$
begin
  delete from outbox where app_id = old.app_id and trigger_id = old.id;
  return null;
end $$;

create trigger triggers_deleted after delete on triggers for each row execute function drop_events();
create trigger triggers_disabled after update of enabled on triggers for each row
  when (old.enabled and not new.enabled) execute function drop_events();

-- Whoever may not have triggers in an app any more has none there that run: they stay, disabled, and say why.
create function disable_triggers(of_app uuid, of_user uuid, reason text) returns void language sql as $$
  update triggers set enabled = false, disabled_reason = reason, updated_at = now()
  where registered_by = of_user and enabled and (of_app is null or app_id = of_app)
$$;

create function triggers_follow_user() returns trigger language plpgsql as $$
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
end $$;

-- Before: afterwards nobody knows any more who had registered it.
create trigger users_deleted before delete on users for each row execute function triggers_follow_user();
create trigger users_changed after update of is_active, instance_role on users for each row
  execute function triggers_follow_user();

create function triggers_follow_member() returns trigger language plpgsql as $$
begin
  perform disable_triggers(old.app_id, u.id,
    format('The user %s, who had registered it, is no admin of the app any more.', u.username))
  from users u where u.id = old.user_id and u.instance_role = 'member';
  return null;
end $$;

create trigger app_members_deleted after delete on app_members for each row
  when (old.role = 'app_admin') execute function triggers_follow_member();
create trigger app_members_changed after update of role on app_members for each row
  when (old.role = 'app_admin' and new.role <> 'app_admin') execute function triggers_follow_member();
