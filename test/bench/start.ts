import { rmSync } from "node:fs";
import { Installation } from "../e2e/support/picloud.ts";
import { median, printTable } from "./support/table.ts";

const ROUNDS = 5;
/** First 200 of a user's route after the process was started, in milliseconds. */
const GOAL_MS = { fresh: 4000, existing: 1000 };

/** Cold start of the binary to the first 200 of a route, on a fresh data directory and on an existing one. */
export async function run(): Promise<void> {
  const installation = new Installation();
  try {
    const baseline: number[] = [];
    const fresh: number[] = [];
    const existing: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      await installation.run(["version"]);
      baseline.push(performance.now() - started);
      rmSync(installation.dataDir, { recursive: true, force: true });
      fresh.push(await firstAnswer(installation));
      existing.push(await firstAnswer(installation));
    }
    const unit = median(baseline);
    printTable(
      ["start", "median ms", "x `picloud version`", "goal ms", "met"],
      [
        ["picloud version (baseline)", unit.toFixed(0), "1.0", "", ""],
        row("serve, existing data", existing, unit, GOAL_MS.existing),
        row("serve, fresh data", fresh, unit, GOAL_MS.fresh),
      ],
    );
  } finally {
    await installation.remove();
  }
}

const row = (name: string, samples: readonly number[], unit: number, goal: number) => [
  name,
  median(samples).toFixed(0),
  (median(samples) / unit).toFixed(1),
  goal,
  median(samples) < goal ? "yes" : "NO",
];

async function firstAnswer(installation: Installation): Promise<number> {
  const started = performance.now();
  const server = await installation.serve();
  while ((await fetch(`${server.url}/hello`)).status !== 200) await Bun.sleep(5);
  const took = performance.now() - started;
  await server.stop();
  return took;
}
