import { Client, Installation } from "../e2e/support/picloud.ts";
import { load, type LoadResult } from "./support/load.ts";
import { printTable } from "./support/table.ts";

const LOOPS = 20;
const TIMEOUT_SECONDS = 5;
/** Another app's visitors: few, so that what is measured is the wait and not their own crowd. */
const CONNECTIONS = 4;

/** How another app's endpoint answers while twenty endless loops of one app run, and while none do. */
export async function run(): Promise<void> {
  const installation = new Installation();
  try {
    const server = await installation.serve();
    if (server.login === null) throw new Error(server.output());
    const client = new Client(server.url, server.login);
    await expectOk(
      client.fetch("/api/v1/admin/apps", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ slug: "victim", name: "Victim" }),
      }),
    );
    await expectOk(
      client.fetch("/api/v1/admin/apps/victim/domains", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ pattern: "victim.test" }),
      }),
    );
    await expectOk(
      client.fetch("/api/v1/admin/apps/victim/scripts/hello?route=/hello", {
        method: "PUT",
        body: '"hello"',
      }),
    );
    await expectOk(
      client.fetch("/api/v1/admin/apps/default/scripts/loop?route=/loop", {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          source: "while true {}",
          timeout_seconds: TIMEOUT_SECONDS,
          sandbox: { max_operations: 1_000_000_000 },
        }),
      }),
    );
    const measure = () =>
      load({
        url: `${server.url}/hello`,
        host: "victim.test",
        connections: CONNECTIONS,
        warmUpMs: 500,
        measureMs: 3000,
      });
    const calm = await measure();
    const attack = Array.from({ length: LOOPS }, async () => {
      const begun = performance.now();
      const { status } = await fetch(`${server.url}/loop`);
      return { status, ms: performance.now() - begun };
    });
    await Bun.sleep(500);
    const attacked = await measure();
    const ends = await Promise.all(attack);
    printTable(
      [
        `another app's endpoint, ${CONNECTIONS} connections`,
        "requests/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "not 200",
      ],
      [row("alone", calm), row(`beside ${LOOPS} endless loops`, attacked)],
    );
    const statuses = [...new Set(ends.map(({ status }) => status))].join(", ");
    const latest = Math.max(...ends.map(({ ms }) => ms)) - TIMEOUT_SECONDS * 1000;
    console.log(
      `the loops (limit ${TIMEOUT_SECONDS} s) ended with ${statuses}, the last ${latest.toFixed(0)} ms after its limit`,
    );
    await server.stop();
  } finally {
    await installation.remove();
  }
}

async function expectOk(response: Promise<Response>): Promise<void> {
  const { ok, status } = await response;
  if (!ok)
    throw new Error(`setting up the benchmark failed with ${status}: ${await (await response).text()}`);
}

const row = (name: string, result: LoadResult) => [
  name,
  result.requestsPerSecond.toFixed(0),
  result.p50.toFixed(2),
  result.p95.toFixed(2),
  result.p99.toFixed(2),
  Object.entries(result.statuses).reduce((sum, [status, count]) => (status === "200" ? sum : sum + count), 0),
];
