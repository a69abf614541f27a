import type { Database } from "../../../src/database/client.ts";

/** A trigger whose events are made by hand. */
export interface Source {
  readonly appId: string;
  readonly triggerId: string;
  readonly scriptId: string;
}

export interface Backlog {
  readonly rows: number;
  /** How long until they are due; negative: for how long they have been. */
  readonly dueInSeconds?: number;
  /** Keys of an ordered trigger that the rows are spread over; absent: they are in no order. */
  readonly keys?: number;
}

/** Writes events as they wait after a burst of changes, oldest first. Nobody is woken. */
export async function pile(db: Database, source: Source, backlog: Backlog): Promise<void> {
  const { rows, dueInSeconds = 0, keys = 0 } = backlog;
  await db`
    insert into outbox (app_id, id, source_kind, op, trigger_id, script_id, payload, trigger_depth, root_execution_id,
      retry_max_attempts, retry_backoff, retry_base_ms, ordering_key, due_at, created_at)
    select ${source.appId}, e.id, 'kv', 'update', ${source.triggerId}, ${source.scriptId},
      jsonb_build_object('source', 'kv', 'op', 'update', 'kv', jsonb_build_object('collection', 'bench', 'key', e.i,
        'value', jsonb_build_object('name', 'Ada Lovelace', 'number', e.i), 'prev_value', null)),
      1, e.id, 3, 'exponential', 1000, case when ${keys}::int > 0 then 'bench' || e'\n' || e.i % ${keys || 1}::int end,
      now() + make_interval(secs => ${dueInSeconds}), clock_timestamp() + e.i * interval '1 microsecond'
    from (select i, gen_random_uuid() as id from generate_series(1, ${rows}::int) i) e`;
}

/** The first event of each key waits for another attempt in an hour; what is behind it waits for that. */
export async function postponeHeads(db: Database): Promise<void> {
  await db`
    update outbox set due_at = now() + interval '1 hour', attempt_count = 1
    where id in (
      select distinct on (app_id, trigger_id, ordering_key) id from outbox where ordering_key is not null
      order by app_id, trigger_id, ordering_key, created_at, id)`;
}

export interface Probes {
  /** Milliseconds until they were all delivered. @param wake has the server look */
  delivered(wake: () => Promise<void>): Promise<number>;
}

/** Events that are due before all others. */
export async function pileProbes(db: Database, source: Source, rows: number): Promise<Probes> {
  await pile(db, source, { rows, dueInSeconds: -3600 });
  const ids = await db<{ id: string }[]>`
    select id from outbox where due_at < now() - interval '50 minutes' order by due_at, created_at`;
  const all = ids.map(({ id }) => id);
  const left = async (some: readonly string[]): Promise<number> => {
    const [row] = await db<{ left: number }[]>`
      select count(*)::int as left from outbox where app_id = ${source.appId} and id = any(${some as string[]}::uuid[])`;
    return row?.left ?? 0;
  };
  return {
    async delivered(wake) {
      const begun = performance.now();
      await wake();
      // Asking after all of them each time would be work that is measured too.
      while ((await left(all.slice(-32))) > 0) await Bun.sleep(10);
      while ((await left(all)) > 0) await Bun.sleep(2);
      return performance.now() - begun;
    },
  };
}
