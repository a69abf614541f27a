import type { Client } from "../e2e/support/picloud.ts";

/**
 * What is deployed before the killing begins: scripts that send events of each kind, and handlers that leave evidence in
 * `kv` from which the verdict is made.
 *
 * What an event's handler does is said by the event's mood: `fine`; `moody` fails at the first attempt, after its
 * effects; `poison` fails at each; `slow` takes some tenths of a second; `hot` counts in an entry that others want too.
 */
export type Mood = "fine" | "moody" | "poison" | "slow" | "hot";
export const MOODS: Readonly<Record<Mood, number>> = { fine: 80, moody: 8, poison: 3, slow: 5, hot: 4 };

/** How events come about, besides the times of cron triggers. Each is the path that is called for it, too. */
export const WAYS = ["kv", "docs", "pubsub", "all", "async", "whole"] as const;
export type Way = (typeof WAYS)[number];

/** An event that a cron trigger has to send, and what becomes of those that nobody was there for. */
export interface Tick {
  readonly name: "once" | "all" | "skip";
  readonly everySeconds: number;
  readonly overlap: "allow" | "queue" | "skip";
}
export const TICKS: readonly Tick[] = [
  { name: "once", everySeconds: 1, overlap: "allow" },
  { name: "all", everySeconds: 2, overlap: "queue" },
  { name: "skip", everySeconds: 1, overlap: "skip" },
];

/** What came is found out from the event; `source:id` is its name in the evidence. */
const WHAT = `
  let source = "http";
  let what = ctx.request.body;
  if "event" in ctx {
    source = ctx.event.source;
    if source == "kv" { what = #{ id: ctx.event.kv.key, mood: ctx.event.kv.value }; }
    if source == "docs" { what = ctx.event.docs.data; }
    if source == "pubsub" { what = ctx.event.pubsub.message; }
  }
  let key = source + ":" + what.id;
  let mood = what.mood;`;

const MOODILY = `
  if mood == "slow" { for i in 0..60 { kv::collection("nothing").get("k" + i); } }
  if mood == "hot" { kv::collection("hot").incr("n"); }
  if mood == "poison" || (mood == "moody" && ctx.attempt == 1) { throw "as it was meant to"; }`;

const EMIT: Readonly<Record<Exclude<Way, "async">, string>> = {
  kv: `let b = ctx.request.body; kv::collection("in").set(b.id, b.mood); b.id`,
  docs: `let b = ctx.request.body; docs::collection("in").create(b); b.id`,
  // That it was sent stands where nobody listens.
  pubsub: `let b = ctx.request.body;
    tx::run(|| { kv::collection("sent:pubsub").set(b.id, b.mood); pubsub::publish_durable("work." + b.mood, b); }); b.id`,
  all: `let b = ctx.request.body;
    tx::run(|| {
      kv::collection("in").set(b.id, b.mood);
      docs::collection("in").create(b);
      kv::collection("sent:pubsub").set(b.id, b.mood);
      pubsub::publish_durable("work.all", b);
    }); b.id`,
  whole: `let b = ctx.request.body; kv::collection("in-whole").set(b.id, b.mood); b.id`,
};

const SCRIPTS: Readonly<Record<string, { readonly source: string; readonly query: string }>> = {
  ...Object.fromEntries(
    Object.entries(EMIT).map(([way, source]) => [
      `emit-${way}`,
      { source, query: `?route=/${way}&method=POST` },
    ]),
  ),
  work: {
    source: `${WHAT}
      // The same event has the same request id at each attempt; another one would be the same event twice.
      kv::collection("events").set(key + "|" + ctx.request_id, ctx.attempt);
      kv::collection("began").incr(key);
      ${MOODILY}
      kv::collection("done").set(key, time::now_ms());`,
    query: "?route=/async&method=POST&dispatch=async",
  },
  // The run is one transaction with the end of its event: what it counts it counts once, and so does what it causes.
  whole: {
    source: `let key = ctx.event.kv.key; let mood = ctx.event.kv.value;
      kv::collection("whole").incr(key);
      kv::collection("chain").set(key + "|" + ctx.execution_id, mood);
      ${MOODILY}`,
    query: "",
  },
  link: { source: `kv::collection("linked").set(ctx.event.kv.key + "|" + ctx.request_id, 1);`, query: "" },
  undertaker: {
    source: `kv::collection("buried").set(ctx.event.dead_letter.dead_letter_id, 1);`,
    query: "",
  },
  // Ended from outside, in the middle of a transaction that has an entry others want, too.
  loop: {
    source: `tx::run(|| { kv::collection("hot").incr("n"); loop { } });`,
    query: "?route=/loop&method=POST&dispatch=async",
  },
  bomb: {
    source: `let hoard = []; loop { let x = []; x.pad(100, hoard.len()); hoard.push(|| x.len()); }`,
    query: "?route=/bomb&method=POST&dispatch=async",
  },
};

/** Of an app for which nothing else waits: how soon is it served again? */
export const PROBE_HOST = "probe.test";
const PROBES: typeof SCRIPTS = {
  ping: { source: '"pong"', query: "?route=/ping" },
  probe: {
    source: `kv::collection("probes").set(ctx.request.body.id, 1);`,
    query: "?route=/probe&method=POST&dispatch=async",
  },
  probed: { source: `kv::collection("probes").get(ctx.request.query.id) != ()`, query: "?route=/probed" },
};

/** Those that never end get this far. */
const LONG: Readonly<Record<string, object>> = {
  loop: { timeout_seconds: 1, sandbox: { max_operations: 1_000_000_000 } },
  bomb: { timeout_seconds: 20, sandbox: { max_operations: 1_000_000_000 } },
};

export async function deploy(client: Client): Promise<void> {
  const apps = "/api/v1/admin/apps";
  await expectStatus(client.fetch(apps, json("POST", { slug: "probe", name: "Probe" })), 201);
  await expectStatus(client.fetch(`${apps}/probe/domains`, json("POST", { pattern: PROBE_HOST })), 201);
  for (const [app, scripts] of [
    ["default", SCRIPTS],
    ["probe", PROBES],
  ] as const)
    for (const [name, { source, query }] of Object.entries(scripts)) {
      const path = `${apps}/${app}/scripts/${name}${query}`;
      await expectStatus(client.fetch(path, json("PUT", { source, ...LONG[name] })), 201);
    }
  const often = { retry_max_attempts: 12, retry_backoff: "constant", retry_base_ms: 200 };
  const trigger = (kind: string, body: object) =>
    expectStatus(client.fetch(`${apps}/default/triggers/${kind}`, json("POST", { ...often, ...body })), 201);
  await trigger("kv", { script_id: "work", collection_glob: "in", ops: ["insert"] });
  await trigger("docs", { script_id: "work", collection_glob: "in", ops: ["create"] });
  await trigger("pubsub", { script_id: "work", topic_pattern: "work.*" });
  await trigger("kv", { script_id: "whole", collection_glob: "in-whole", transactional: true });
  await trigger("kv", { script_id: "link", collection_glob: "chain" });
  await trigger("dead_letter", { script_id: "undertaker" });
  for (const { name, everySeconds, overlap } of TICKS) {
    const source = `let cron = ctx.event.cron;
      kv::collection("tick:${name}").set(cron.scheduled_at + "|" + ctx.request_id, cron);`;
    await expectStatus(client.deploy(`tick-${name}`, source), 201);
    const schedule = `*/${everySeconds} * * * * *`;
    await trigger("cron", { script_id: `tick-${name}`, schedule, missed: name, overlap });
  }
}

export const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

async function expectStatus(answer: Promise<Response>, status: number): Promise<void> {
  const response = await answer;
  const text = await response.text();
  if (response.status !== status)
    throw new Error(`${response.url} answered ${response.status}, not ${status}: ${text}`);
}
