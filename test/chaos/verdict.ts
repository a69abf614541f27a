import type { Database } from "../../src/database/client.ts";
import type { Load, Sent } from "./load.ts";
import { TICKS, type Tick } from "./workload.ts";

export interface Violation {
  readonly rule: string;
  /** Ids, at most a few. */
  readonly evidence: readonly string[];
  readonly count: number;
}

export interface Verdict {
  /** What was looked at, and how many of it there were. */
  readonly figures: readonly (readonly [what: string, count: number])[];
  readonly violations: readonly Violation[];
  /** Milliseconds from an accepted request to the end of the run that it caused. */
  readonly delaysMs: readonly number[];
  /** Milliseconds of the longest time in which no event at all was handled. */
  readonly longestSilenceMs: number;
}

const MOST_EVIDENCE = 10;

interface Letter {
  readonly id: string;
  readonly source: string;
  /** In the words of the evidence: `source:id`. */
  readonly name: string | null;
  readonly resolution: string | null;
  readonly scheduled_at: string | null;
  readonly script: string;
  readonly last_error: string | null;
}

/** Compares what was accepted with what has happened. Nothing may be waiting any more. */
export async function judge(db: Database, load: Load): Promise<Verdict> {
  const violations: Violation[] = [];
  const rule = (name: string, evidence: readonly string[]): void => {
    if (evidence.length > 0)
      violations.push({ rule: name, evidence: evidence.slice(0, MOST_EVIDENCE), count: evidence.length });
  };
  const entries = async (collection: string): Promise<Map<string, unknown>> => {
    const rows = await db<{ key: string; value: unknown }[]>`
      select key, value from kv_entries where collection = ${collection}`;
    return new Map(rows.map(({ key, value }) => [key, value]));
  };
  const [seen, began, done, sentByKv, published, wholeSent, whole, chain, linked, buried] = await Promise.all(
    ["events", "began", "done", "in", "sent:pubsub", "in-whole", "whole", "chain", "linked", "buried"].map(
      entries,
    ),
  );
  if (
    !seen ||
    !began ||
    !done ||
    !sentByKv ||
    !published ||
    !wholeSent ||
    !whole ||
    !chain ||
    !linked ||
    !buried
  )
    throw new Error("no evidence");
  const documents = await db<{ id: string }[]>`select data->>'id' as id from docs where collection = 'in'`;
  const letters = await db<Letter[]>`
    select l.id, l.source, s.name as script, l.resolution, l.last_error, l.payload->'cron'->>'scheduled_at' as scheduled_at,
      l.source || ':' || case l.source
        when 'http' then convert_from(decode(l.payload->'body'->>'base64', 'base64'), 'UTF8')::jsonb->>'id' when 'kv' then l.payload->'kv'->>'key'
        when 'docs' then l.payload->'docs'->'data'->>'id' when 'pubsub' then l.payload->'pubsub'->'message'->>'id'
      end as name
    from dead_letters l join scripts s on s.app_id = l.app_id and s.id = l.script_id`;
  const dead = new Set(letters.map(({ name }) => name));

  // What a commit left is what was accepted, whether or not the answer arrived; what was answered must be among it.
  const of = (...ways: string[]): Sent[] =>
    [...load.accepted.values()].filter(({ way }) => ways.includes(way));
  const documentIds = new Set(documents.map(({ id }) => id));
  const missing = (sent: readonly Sent[], there: { has(id: string): boolean }): string[] =>
    sent.filter(({ id }) => !there.has(id)).map(({ id, way }) => `${way}:${id}`);
  rule("a change that was answered is not there", [
    ...missing(of("kv", "all"), sentByKv),
    ...missing(of("docs", "all"), documentIds),
    ...missing(of("pubsub", "all"), published),
    ...missing(of("whole"), wholeSent),
  ]);
  const expected = [
    ...[...sentByKv.keys()].map((id) => `kv:${id}`),
    ...[...documentIds].map((id) => `docs:${id}`),
    ...[...published.keys()].map((id) => `pubsub:${id}`),
    ...of("async").map(({ id }) => `http:${id}`),
  ];
  rule(
    "an accepted event has neither run nor become a dead letter",
    expected.filter((name) => !done.has(name) && !dead.has(name)),
  );
  const known = new Set([...load.accepted.keys(), ...load.unknown.keys()]);
  rule(
    "an event ran that nobody sent",
    [...began.keys()].filter((name) => !known.has(name.slice(name.indexOf(":") + 1))),
  );
  const events = [...seen.keys()].map((key) => key.slice(0, key.indexOf("|")));
  rule(
    "one change was delivered as two events",
    events.filter((name, index) => events.indexOf(name) !== index),
  );

  rule(
    "an event of a transactional trigger has neither run nor become a dead letter",
    [...wholeSent.keys()].filter((id) => !whole.has(id) && !dead.has(`kv:${id}`)),
  );
  const chained = Map.groupBy([...chain.keys()], (key) => key.slice(0, key.indexOf("|")));
  rule(
    "an effect of a transactional run is there twice",
    [...whole].filter(([, count]) => count !== 1).map(([id, count]) => `${id}: ${String(count)}`),
  );
  rule("a transactional run has two outcomes", [
    ...[...chained].filter(([, runs]) => runs.length > 1).map(([id]) => id),
    ...[...whole.keys()].filter((id) => !chained.has(id) || dead.has(`kv:${id}`)),
  ]);
  const links = [...linked.keys()].map((key) => key.slice(0, key.lastIndexOf("|")));
  rule("what a run caused was lost, or came twice", [
    ...[...chain.keys()].filter((key) => !links.includes(key) && !dead.has(`kv:${key}`)),
    ...links.filter((key, index) => links.indexOf(key) !== index),
  ]);

  rule(
    "a dead letter that no handler saw",
    letters
      .filter(
        ({ id, resolution }) =>
          resolution === null || (resolution === "handled_by_script" && !buried.has(id)),
      )
      .map(({ id, resolution }) => `${id}: ${resolution}`),
  );

  const figures: [string, number][] = [];
  for (const tick of TICKS) {
    const fired = await firings(db, tick, letters);
    figures.push([`firings of cron, missed: ${tick.name}`, fired.length]);
    for (const { name, evidence } of scheduleFaults(tick, fired))
      rule(`cron, missed: ${tick.name}: ${name}`, evidence);
  }
  rule("the counters of usage differ from the data", await usageFaults(db));
  const waiting = await db<
    { id: string; source_kind: string }[]
  >`select id, source_kind from outbox where source_kind <> 'cron'`;
  rule(
    "something still waits",
    waiting.map(({ id, source_kind }) => `${source_kind} ${id}`),
  );

  const delaysMs = of("kv", "docs", "pubsub", "async", "all")
    .filter(({ mood }) => mood === "fine")
    .flatMap(({ id, way, at }) => {
      const end = done.get(`${way === "async" ? "http" : way === "all" ? "pubsub" : way}:${id}`);
      return typeof end === "number" ? [end - at] : [];
    });
  return {
    figures: [
      ["requests answered", load.accepted.size],
      ["requests of unknown outcome", load.unknown.size],
      ...[...load.answers].toSorted().map(([status, count]) => [`  answers: ${status}`, count] as const),
      ["events of kv, docs, pubsub and async routes", expected.length],
      ["of them run more than once", [...began.values()].filter((count) => Number(count) > 1).length],
      ["events of transactional triggers", wholeSent.size],
      ["dead letters", letters.length],
      ...figures,
    ],
    violations,
    delaysMs,
    longestSilenceMs: longestGap([...done.values()].map(Number)),
  };
}

function longestGap(times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((time, index) => time - (sorted[index] ?? time)));
}

interface Fired {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event: string;
  readonly missed: boolean;
  readonly missedCount: number;
}

/** By time. */
async function firings(db: Database, { name }: Tick, letters: readonly Letter[]): Promise<Fired[]> {
  const rows = await db<{ key: string; value: Readonly<Record<string, unknown>> }[]>`
    select key, value from kv_entries where collection = ${`tick:${name}`}`;
  const ran = rows.map(({ key, value }) => ({
    at: Date.parse(key.slice(0, key.indexOf("|"))),
    event: key.slice(key.indexOf("|") + 1),
    missed: value["missed"] === true,
    missedCount: Number(value["missed_count"] ?? 0),
  }));
  const died = letters
    .filter(({ script }) => script === `tick-${name}`)
    .map(({ id, scheduled_at }) => ({
      at: Date.parse(scheduled_at ?? ""),
      event: id,
      missed: true,
      missedCount: 0,
    }));
  return [...ran, ...died].toSorted((a, b) => a.at - b.at);
}

function* scheduleFaults(
  { name, everySeconds }: Tick,
  fired: readonly Fired[],
): Generator<{ readonly name: string; readonly evidence: readonly string[] }> {
  const pairs = fired.slice(1).map((later, index) => ({ earlier: fired[index] ?? later, later }));
  const told = ({ at, event, missed, missedCount }: Fired): string =>
    `${new Date(at).toISOString()} (${event}${missed ? `, missed ${missedCount}` : ""})`;
  yield {
    name: "an instant was fired twice",
    evidence: pairs.filter(({ earlier, later }) => earlier.at === later.at).map(({ later }) => told(later)),
  };
  const instants = ({ earlier, later }: { earlier: Fired; later: Fired }): number =>
    (later.at - earlier.at) / (everySeconds * 1000);
  if (name === "all")
    yield {
      name: "an instant was not fired",
      evidence: pairs.filter((pair) => instants(pair) > 1).map(({ later }) => `before ${told(later)}`),
    };
  // What was missed is told by one firing: the last of those missed, or the first that is on time again.
  if (name === "once")
    yield {
      name: "missed instants are not what the firing tells",
      evidence: pairs
        .filter(({ later }) => later.event.length > 0)
        .filter((pair) => {
          const { missed, missedCount } = pair.later;
          return missed ? ![missedCount, missedCount + 1].includes(instants(pair)) : instants(pair) > 1;
        })
        .map(({ earlier, later }) => `${told(earlier)} to ${told(later)}`),
    };
}

async function usageFaults(db: Database): Promise<string[]> {
  const rows = await db<{ kind: string; collection: string; counted: string; real: string }[]>`
    with counted as (
      select app_id, kind, collection, sum(entries)::bigint as entries, sum(bytes)::bigint as bytes from data_usage group by 1, 2, 3
    ), real as (
      select app_id, 'kv' as kind, collection, count(*) as entries, sum(bytes)::bigint as bytes from kv_entries group by 1, 2, 3
      union all
      select app_id, 'docs', collection, count(*), sum(bytes)::bigint from docs group by 1, 2, 3
    )
    select coalesce(c.kind, r.kind) as kind, coalesce(c.collection, r.collection) as collection,
      coalesce(c.entries, 0) || ' entries, ' || coalesce(c.bytes, 0) || ' bytes' as counted,
      coalesce(r.entries, 0) || ' entries, ' || coalesce(r.bytes, 0) || ' bytes' as real
    from counted c full join real r on r.app_id = c.app_id and r.kind = c.kind and r.collection = c.collection
    where (coalesce(c.entries, 0), coalesce(c.bytes, 0)) is distinct from (coalesce(r.entries, 0), coalesce(r.bytes, 0))`;
  return rows.map(
    ({ kind, collection, counted, real }) => `${kind} ${collection}: ${counted}; really ${real}`,
  );
}
