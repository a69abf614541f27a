import { Client, Installation } from "../e2e/support/picloud.ts";
import { printTable, quantile } from "./support/table.ts";

const ROUNDS = 500;
const GOAL_P99_MS = 50;

/** From the start of a save to the first answer of the new version, over loopback; each save changes the answer. */
export async function run(): Promise<void> {
  const installation = new Installation();
  try {
    const server = await installation.serve();
    if (server.login === null) throw new Error(server.output());
    const client = new Client(server.url, server.login);
    await client.deploy("saved", '"start"', "?route=/saved");
    const plain: number[] = [];
    const saves: number[] = [];
    const total: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const asked = performance.now();
      await (await fetch(`${server.url}/saved`)).text();
      plain.push(performance.now() - asked);

      const started = performance.now();
      await (await client.deploy("saved", `"round ${round}"`)).text();
      saves.push(performance.now() - started);
      const answer = await (await fetch(`${server.url}/saved`)).text();
      total.push(performance.now() - started);
      if (answer !== `round ${round}`) throw new Error(`the request after save ${round} got ${answer}`);
    }
    printTable(
      ["step", "p50 ms", "p95 ms", "p99 ms", "x baseline p50"],
      [
        row("a request (baseline)", plain, plain),
        row("save acknowledged", saves, plain),
        row("save to new answer", total, plain),
      ],
    );
    const p99 = quantile(total, 0.99);
    console.log(
      `goal: p99 of save to new answer under ${GOAL_P99_MS} ms: ${p99 < GOAL_P99_MS ? "met" : "NOT MET"}`,
    );
    await server.stop();
  } finally {
    await installation.remove();
  }
}

const row = (name: string, samples: readonly number[], baseline: readonly number[]) => [
  name,
  quantile(samples, 0.5).toFixed(2),
  quantile(samples, 0.95).toFixed(2),
  quantile(samples, 0.99).toFixed(2),
  (quantile(samples, 0.5) / quantile(baseline, 0.5)).toFixed(1),
];
