-- Events, the second part.

-- Documents: building indexes.

-- Runs as a whole: the event ends in the transaction of its run.

-- Inbound e-mail.

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
