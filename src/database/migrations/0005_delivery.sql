-- Events, the second part.

-- Documents: building indexes.

-- Runs as a whole: the event ends in the transaction of its run.

-- Inbound e-mail.

-- What came within the last day, by the digests of its Message-ID and of its signature. Old rows are deleted by
-- housekeeping; until then they do not count.
create table email_receipts (
  app_id uuid not null,
  trigger_id uuid not null,
  key text not null,
  -- The event that it became.
  event_id uuid not null,
  received_at timestamptz not null,
  primary key (app_id, trigger_id, key),
  constraint email_receipts_trigger_fkey foreign key (app_id, trigger_id) references triggers on delete cascade
);

create index email_receipts_age_idx on email_receipts (received_at);

-- Keeps a message for the script of a trigger, unless one of its keys came within a day: then it tells what that became.
-- No row: there is no such trigger, or it is disabled. Two at once with the same key wait for each other.
create function receive_email(of_app uuid, of_trigger uuid, new_id uuid, keys text[], event jsonb)
returns table (id uuid, accepted_at timestamptz, is_duplicate boolean) language plpgsql as $$
declare
  box triggers;
  known email_receipts;
  one text;
begin
  -- In the order of whoever deletes an app, so that neither waits for the other.
  perform from apps a where a.id = of_app for key share;
  -- Whoever disables it meanwhile, and drops what it has waiting, waits for this.
  select * into box from triggers t
  where t.app_id = of_app and t.id = of_trigger and t.kind = 'email' and t.enabled for share;
  if not found then
    return;
  end if;
  foreach one in array keys loop
    insert into email_receipts as r (app_id, trigger_id, key, event_id, received_at)
    values (of_app, of_trigger, one, new_id, clock_timestamp())
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
  return query select new_id, clock_timestamp(), false;
end $$;

-- Pausing apps; what was dropped.

-- An app is paused while paused_at is set and paused_until (null: no end) is to come. Rows of the outbox and of triggers
-- keep their own times: whoever looks for what is due leaves paused apps out. So nothing can be written too late to wait,
-- or too early to be found again.
alter table apps
  add column paused_at timestamptz,
  add column paused_until timestamptz,
  add constraint apps_paused_check check (paused_until is null or paused_at is not null);

-- What waited for triggers when they were disabled or deleted: of each trigger, and of each app.
alter table triggers add column dropped bigint not null default 0;
create table dropped_events (
  app_id uuid primary key references apps on delete cascade,
  dropped bigint not null
);

create or replace function drop_events() returns trigger language plpgsql as $$
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
end $$;

-- How the last run of each trigger went.
create index executions_trigger_idx on executions (app_id, trigger_id, created_at desc, id desc) where trigger_id is not null;


-- Schedules: who fires them.

-- Delivery: speed.
