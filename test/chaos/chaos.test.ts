import { expect, test } from "bun:test";
import { runChaos } from "./chaos.ts";

/** The short form of `npm run chaos`. How fast it recovers is measured there, on a machine that does nothing else. */
test("of what was accepted while PiCloud, PostgreSQL and workers are killed nothing is lost and nothing comes twice", async () => {
  const lines: string[] = [];
  const { recoveries, violations } = await runChaos({
    seed: 1,
    kills: 4,
    only: ["server", "postmaster", "worker, by a loop", "backend"],
    mostRecoveryMs: Number.POSITIVE_INFINITY,
    onProgress: (line) => lines.push(line),
  });
  expect({ violations, lines: violations.length > 0 ? lines : [] }).toEqual({ violations: [], lines: [] });
  expect(recoveries).toHaveLength(4);
}, 180_000);
