import type { Queryable } from "../../database/client.ts";

/**
 * How many deliveries there are of each kind, waiting or under way, and for how many seconds the oldest one is due; what
 * a paused app has waiting is not.
 */
export async function outboxFigures(sql: Queryable): Promise<{
  readonly pending: readonly (readonly [kind: string, count: number])[];
  readonly oldestSeconds: number;
}> {
  const rows = await sql<{ kind: string; count: number; oldest: number }[]>`
    select source_kind as kind, count(*)::int as count,
      greatest(0, extract(epoch from now() - min(o.due_at) filter (where a.paused_at is null or a.paused_until <= now())))
        ::double precision as oldest
    from outbox o join apps a on a.id = o.app_id group by source_kind order by source_kind`;
  return {
    pending: rows.map(({ kind, count }) => [kind, count] as const),
    oldestSeconds: Math.max(0, ...rows.map(({ oldest }) => oldest)),
  };
}

/** How many dead letters of each app nobody has dealt with. */
export async function deadLetterFigures(
  sql: Queryable,
): Promise<readonly (readonly [app: string, count: number])[]> {
  const rows = await sql<{ slug: string; count: number }[]>`
    select a.slug, count(*)::int as count from dead_letters l join apps a on a.id = l.app_id
    where l.resolved_at is null group by a.slug order by a.slug`;
  return rows.map(({ slug, count }) => [slug, count] as const);
}

/** How many events of each app waited for triggers that were disabled or deleted, ever. */
export async function droppedFigures(
  sql: Queryable,
): Promise<readonly (readonly [app: string, count: number])[]> {
  const rows = await sql<{ slug: string; dropped: number }[]>`
    select a.slug, d.dropped from dropped_events d join apps a on a.id = d.app_id order by a.slug`;
  return rows.map(({ slug, dropped }) => [slug, dropped] as const);
}
