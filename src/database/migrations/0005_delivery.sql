-- Events, the second part.

-- Documents: building indexes.

-- Runs as a whole: the event ends in the transaction of its run.

-- Inbound e-mail.

-- Pausing apps; what was dropped.

-- Schedules: who fires them.

-- Delivery: speed.
