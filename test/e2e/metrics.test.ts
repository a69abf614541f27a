import { afterAll, beforeAll, expect, test } from "bun:test";
import { parseExposition } from "../services/metrics/parse.ts";
import { Client, Installation, type PiCloud } from "./support/picloud.ts";

const installation = new Installation();
let server: PiCloud;
beforeAll(async () => {
  server = await installation.serve();
}, 60_000);
afterAll(() => installation.remove());

test("runs, requests and the process are in the metrics, from the first scrape on", async () => {
  if (server.login === null) throw new Error(server.output());
  const client = new Client(server.url, server.login);
  await client.deploy("good", '"fine"', "?route=/good");
  await client.deploy("bad", 'throw "no"', "?route=/bad");
  for (const path of ["/good", "/good", "/bad", "/nowhere"]) await (await fetch(server.url + path)).text();

  const answer = await fetch(`${server.url}/metrics`);
  expect(answer.status).toBe(200);
  const families = parseExposition(await answer.text());
  const runs = families.get("picloud_executions_total")?.samples ?? [];
  expect(runs.map(({ labels, value }) => [Object.values(labels).join(" "), value])).toEqual([
    ["default good http success", 2],
    ["default bad http error", 1],
  ]);
  const durations = families.get("picloud_execution_duration_seconds")?.samples ?? [];
  expect(durations.find(({ name }) => name.endsWith("_count"))).toMatchObject({
    labels: { app: "default" },
    value: 3,
  });
  const requests = families.get("picloud_http_requests_total")?.samples ?? [];
  expect(requests.find(({ labels }) => labels["plane"] === "data")?.value).toBe(4);
  expect(requests.find(({ labels }) => labels["plane"] === "control")?.value).toBe(2);
  expect(families.get("process_resident_memory_bytes")?.samples[0]?.value).toBeGreaterThan(1e7);
}, 30_000);

test("a proxy on this machine does not open them to others", async () => {
  const answer = await fetch(`${server.url}/metrics`, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  expect(answer.status).toBe(403);
  expect(((await answer.json()) as { detail: string }).detail).toContain("PICLOUD_METRICS_TOKEN");
});
