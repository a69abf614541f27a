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


-- Schedules: who fires them.

-- Delivery: speed.
