import { describe, expect, test } from "bun:test";
import { createMetrics, type Metrics, type MetricsDeps } from "../../../src/services/metrics/index.ts";
import { Exposition } from "../../../src/services/metrics/exposition.ts";
import { MAX_SCRIPTS, RunMetrics, type EndedRun } from "../../../src/services/metrics/runs.ts";
import { parseExposition } from "./parse.ts";

const run = (scriptId: string, given: Partial<EndedRun> = {}): EndedRun => ({
  appId: "app",
  scriptId,
  triggerKind: "http",
  status: "success",
  durationMs: 3,
  ...given,
});

function write(metrics: RunMetrics, gone: readonly string[] = []) {
  const out = new Exposition();
  metrics.write(out, (id) =>
    gone.includes(id) ? undefined : { app: /^s\d/.test(id) ? `app-${id}` : "blog", script: id },
  );
  return parseExposition(out.toString());
}
const executions = (families: ReturnType<typeof write>) =>
  (families.get("picloud_executions_total")?.samples ?? []).map(({ labels, value }) => [
    ...Object.values(labels),
    value,
  ]);

describe("the figures of runs", () => {
  test("are counted by app, script, trigger and status", () => {
    const metrics = new RunMetrics();
    for (const one of [run("a"), run("a"), run("a", { status: "error" }), run("b", { triggerKind: "cron" })])
      metrics.observe(one);
    expect(executions(write(metrics))).toEqual([
      ["blog", "a", "http", "success", 2],
      ["blog", "a", "http", "error", 1],
      ["blog", "b", "cron", "success", 1],
    ]);
  });

  test("have durations in seconds, each in the first bucket that holds it", () => {
    const metrics = new RunMetrics();
    for (const durationMs of [0.5, 1, 2, 400_000]) metrics.observe(run("a", { durationMs }));
    const samples = write(metrics).get("picloud_execution_duration_seconds")?.samples ?? [];
    const bucket = (le: string) => samples.find(({ labels }) => labels["le"] === le)?.value;
    expect([bucket("0.001"), bucket("0.0025"), bucket("300"), bucket("+Inf")]).toEqual([2, 3, 3, 4]);
    expect(samples.find(({ name }) => name.endsWith("_sum"))?.value).toBeCloseTo(400.0035);
  });

  test("have series for so many scripts and no more; the rest is counted together", () => {
    const metrics = new RunMetrics();
    for (let n = 0; n < MAX_SCRIPTS + 50; n++) metrics.observe(run(`s${n}`, { appId: `app${n}` }));
    const counted = executions(write(metrics));
    expect(counted).toHaveLength(MAX_SCRIPTS + 1);
    expect(counted.at(-1)).toEqual(["(other)", "(other)", "http", "success", 50]);
  });

  test("of scripts that are gone are dropped, and leave room for others", () => {
    const metrics = new RunMetrics(2);
    for (const script of ["a", "b"]) metrics.observe(run(script));
    expect(executions(write(metrics, ["a"]))).toEqual([["blog", "b", "http", "success", 1]]);
    metrics.observe(run("c"));
    expect(executions(write(metrics)).map(([, script]) => script)).toEqual(["b", "c"]);
  });

  test("name whatever a script is called", () => {
    const metrics = new RunMetrics();
    metrics.observe(run('a"b\\c\nd,e="f"}'));
    expect(executions(write(metrics))[0]).toEqual(["blog", 'a"b\\c\nd,e="f"}', "http", "success", 1]);
  });
});

describe("GET /metrics", () => {
  const EVENTS = {
    counts: () => ({ underWay: 1, delivered: 2, failed: 3, deadLettered: 4, tooDeep: 5 }),
    leads: () => true,
    waiting: async () => ({
      pending: [["kv", 6] as const, ["http", 7] as const],
      oldestSeconds: 8.5,
      deadLetters: [["blog", 9] as const],
      dropped: [["blog", 10] as const],
    }),
    cronLagMs: () => 1500,
  };
  const make = (token: string | null, events: MetricsDeps["events"] = EVENTS): Metrics =>
    createMetrics({
      token,
      addressOf: (headers, peer) => headers.get("x-forwarded-for") ?? peer,
      namesOf: () => ({ app: "blog", script: "post" }),
      stats: () => ({ running: 1, waiting: 2, rejected: 3, rateLimited: 4 }),
      slots: 32,
      events,
      unlogged: () => 5,
      statements: () => 11,
      streams: () => 4,
      requests: () => ({ data: 5, control: 6, other: 7 }),
    });
  const ask = (
    metrics: Metrics,
    remoteAddress: string,
    headers: Record<string, string> = {},
    url = "http://localhost:8080/metrics",
  ) => metrics.handle(new Request(url, { headers }), { remoteAddress });

  test("is the text format of Prometheus", async () => {
    const metrics = make(null);
    metrics.observe(run("post"));
    const answer = await ask(metrics, "127.0.0.1");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parseExposition(await answer.text());
    const value = (name: string) => families.get(name)?.samples[0]?.value;
    expect(value("picloud_build_info")).toBe(1);
    expect(value("picloud_sse_clients")).toBe(4);
    expect(value("picloud_executions_unlogged_total")).toBe(5);
    expect(value("picloud_db_statements_total")).toBe(11);
    expect(value("picloud_gate_slots")).toBe(32);
    expect(value("picloud_gate_in_use")).toBe(1);
    expect(value("picloud_gate_waiting")).toBe(2);
    expect(value("picloud_gate_rejected_total")).toBe(3);
    expect(value("picloud_rate_limited_total")).toBe(4);
    expect(families.get("picloud_http_requests_total")?.samples).toHaveLength(3);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(Math.abs((value("process_start_time_seconds") ?? 0) - Date.now() / 1000)).toBeLessThan(3600);
    if (process.platform === "linux") {
      expect(value("process_open_fds")).toBeGreaterThan(3);
      expect(value("process_virtual_memory_bytes")).toBeGreaterThan(1e6);
      expect(value("process_max_fds")).toBeGreaterThan(100);
    }
  });

  test("tells of events, and leaves out what only the database knows when it is away", async () => {
    const told = async (metrics: Metrics) => {
      const answer = await ask(metrics, "127.0.0.1");
      expect(answer.status).toBe(200);
      const families = parseExposition(await answer.text());
      return (name: string) =>
        families.get(name)?.samples.map(({ labels, value }) => [...Object.values(labels), value]);
    };
    const all = await told(make(null));
    expect(all("picloud_outbox_pending")).toEqual([
      ["kv", 6],
      ["http", 7],
    ]);
    expect(all("picloud_outbox_oldest_seconds")).toEqual([[8.5]]);
    expect(all("picloud_dead_letters_unresolved")).toEqual([["blog", 9]]);
    expect(all("picloud_events_dropped_total")).toEqual([["blog", 10]]);
    expect(all("picloud_cron_lag_seconds")).toEqual([[1.5]]);
    expect(all("picloud_events_total")).toEqual([
      ["delivered", 2],
      ["failed", 3],
      ["too_deep", 5],
    ]);
    expect(all("picloud_scheduler_leader")).toEqual([[1]]);
    const away = await told(make(null, { ...EVENTS, waiting: () => Promise.reject(new Error("away")) }));
    expect(away("picloud_outbox_pending")).toBeUndefined();
    expect(away("picloud_scheduler_leader")).toEqual([[1]]);
    expect(away("picloud_events_dead_lettered_total")).toEqual([[4]]);
    expect(away("picloud_gate_slots")).toEqual([[32]]);
  });

  test("without a token is for this machine only, addressed as such", async () => {
    const metrics = make(null);
    for (const url of ["http://localhost/metrics", "http://127.0.0.1:1/metrics", "http://[::1]:1/metrics"])
      expect((await ask(metrics, "::1", {}, url)).status).toBe(200);
    expect((await ask(metrics, "192.168.1.7")).status).toBe(403);
    // Through a proxy on this machine, from elsewhere.
    expect((await ask(metrics, "127.0.0.1", { "x-forwarded-for": "192.168.1.7" })).status).toBe(403);
    // A web page whose own name leads here.
    expect((await ask(metrics, "127.0.0.1", {}, "http://evil.example/metrics")).status).toBe(403);
    expect((await ask(metrics, "")).status).toBe(403);
  });

  test("with a token is for those who show it, and nobody else", async () => {
    const metrics = make("s3cret");
    expect((await ask(metrics, "192.168.1.7", { authorization: "Bearer s3cret" })).status).toBe(200);
    for (const authorization of ["Bearer s3cre", "Bearer s3crets", "s3cret", "Basic s3cret", ""]) {
      const answer = await ask(metrics, "127.0.0.1", { authorization });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  test("answers GET and HEAD alone", async () => {
    const send = (method: string) =>
      make(null).handle(new Request("http://localhost/metrics", { method }), { remoteAddress: "127.0.0.1" });
    expect(await (await send("HEAD")).text()).toBe("");
    expect((await send("POST")).status).toBe(405);
  });
});
