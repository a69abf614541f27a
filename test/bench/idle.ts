import { statSync } from "node:fs";
import { runningTarget } from "../../src/database/embedded/index.ts";
import { isMet } from "../../src/cli/idle-proof/budget.ts";
import { measure, untilAtRest } from "../../src/cli/idle-proof/measure.ts";
import { memoryOf, usageOf, usedBetween } from "../../src/cli/idle-proof/processes.ts";
import { Client, Installation, type PiCloud } from "../e2e/support/picloud.ts";
import { printTable } from "./support/table.ts";

const WINDOW_SECONDS = 60;
const GOAL_BINARY_MB = 135;

/** PiCloud and its Postgres at rest after some use, as `picloud idle-proof` sees them, beside a bare Bun server. */
export async function run(): Promise<void> {
  const installation = new Installation();
  const bare = Bun.spawn(
    [process.execPath, "-e", "Bun.serve({ port: 0, fetch: () => new Response('ok') })"],
    {
      stdio: ["ignore", "ignore", "ignore"],
    },
  );
  try {
    const server = await installation.serve();
    await use(server);
    const target = await runningTarget(installation.dataDir);
    const subject = { server: server.pid, target, embedded: true };
    const reasons = await untilAtRest(subject, () => {});

    const before = usageOf([bare.pid]);
    const startedAt = performance.now();
    const { findings, notes } = await measure(subject, WINDOW_SECONDS);
    const elapsed = (performance.now() - startedAt) / 1000;
    const { cpuMs, contextSwitches } = usedBetween(before, usageOf([bare.pid]));
    const baselines: Readonly<Record<string, string>> = {
      CPU: (cpuMs / 10 / elapsed).toFixed(3),
      "context switches of PiCloud": (contextSwitches / elapsed).toFixed(2),
      "memory of PiCloud": mega(memoryOf([bare.pid]).resident),
    };
    const binary = statSync(installation.binary).size;

    printTable(
      [`at rest, ${WINDOW_SECONDS} s`, "measured", "bare Bun server", "goal", "met"],
      [
        ...findings.map((finding) => [
          `${finding.name}, ${finding.unit}`,
          finding.measured,
          baselines[finding.name] ?? "",
          finding.budget ?? "",
          isMet(finding) ? "yes" : "NO",
        ]),
        ["binary, MB", mega(binary), "", GOAL_BINARY_MB, binary / 1e6 < GOAL_BINARY_MB ? "yes" : "NO"],
      ],
    );
    for (const note of [...reasons, ...notes]) console.log(note);
    await server.stop();
  } finally {
    bare.kill();
    await installation.remove();
  }
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Some life before the rest: saves and runs. */
async function use(server: PiCloud): Promise<void> {
  if (server.login === null) throw new Error(server.output());
  const client = new Client(server.url, server.login);
  for (let round = 0; round < 20; round++) {
    await client.deploy("used", `"round ${round}"`, "?route=/used");
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        (await fetch(`${server.url}/used`, { headers: { Connection: "close" } })).text(),
      ),
    );
  }
}
