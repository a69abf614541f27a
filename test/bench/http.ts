import { join } from "node:path";
import { Client, Installation } from "../e2e/support/picloud.ts";
import { firstLine } from "./support/first-line.ts";
import { load, type LoadResult } from "./support/load.ts";
import { median, printTable } from "./support/table.ts";

const ROUNDS = 5;
const CONNECTIONS = 48;
const GOAL_RATIO = 0.5;

/** A hello script through route, gate and worker, against a bare Elysia handler; measured by turns, medians compared. */
export async function run(): Promise<void> {
  const installation = new Installation();
  const bare = Bun.spawn([process.execPath, join(import.meta.dir, "support/bare-server.ts")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const bareUrl = `http://127.0.0.1:${await firstLine(bare.stdout)}`;
    const server = await installation.serve();
    if (server.login === null) throw new Error(server.output());
    await new Client(server.url, server.login).deploy(
      "hello",
      "#{ hello: ctx.request.params.name }",
      "?route=/hello/:name",
    );

    const results: { readonly bare: LoadResult[]; readonly picloud: LoadResult[] } = {
      bare: [],
      picloud: [],
    };
    const measure = (url: string) =>
      load({ url: `${url}/hello/Ada`, connections: CONNECTIONS, warmUpMs: 1000, measureMs: 3000 });
    for (let round = 0; round < ROUNDS; round++) {
      results.bare.push(await measure(bareUrl));
      results.picloud.push(await measure(server.url));
    }
    const baseline = median(results.bare.map((result) => result.requestsPerSecond));
    printTable(
      [`${CONNECTIONS} connections`, "requests/s", "p50 ms", "p99 ms", "ratio", "not 200"],
      [row("bare Elysia handler", results.bare, baseline), row("hello script", results.picloud, baseline)],
    );
    const ratio = median(results.picloud.map((result) => result.requestsPerSecond)) / baseline;
    console.log(`goal: at least ${GOAL_RATIO} of the baseline: ${ratio >= GOAL_RATIO ? "met" : "NOT MET"}`);
    await server.stop();
  } finally {
    bare.kill();
    await installation.remove();
  }
}

const row = (name: string, results: readonly LoadResult[], baseline: number) => {
  const rate = median(results.map((result) => result.requestsPerSecond));
  return [
    name,
    rate.toFixed(0),
    median(results.map((result) => result.p50)).toFixed(2),
    median(results.map((result) => result.p99)).toFixed(2),
    (rate / baseline).toFixed(2),
    results
      .flatMap((result) => Object.entries(result.statuses))
      .reduce((sum, [status, count]) => (status === "200" ? sum : sum + count), 0),
  ];
};
