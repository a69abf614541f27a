/**
 * `npm run chaos [-- --seed N --kills N]`: kills PiCloud, its PostgreSQL and its workers under load, and tells whether an
 * event was lost or came twice. A seed repeats the kills, not the moments that the machine adds.
 */
import { parseArgs } from "node:util";
import { printTable, quantile } from "../bench/support/table.ts";
import { RECOVERY_MS, runChaos, type ChaosReport } from "./chaos.ts";
import { KILLS, type Kill } from "./kills.ts";

const DEFAULT_KILLS = 50;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    kills: { type: "string" },
    only: { type: "string" },
    log: { type: "string" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const kills = Number(values.kills ?? DEFAULT_KILLS);
const only = values.only?.split(";").map((name) => name.trim());
if (
  !Number.isSafeInteger(seed) ||
  !Number.isSafeInteger(kills) ||
  kills < 0 ||
  only?.some((name) => !Object.hasOwn(KILLS, name)) === true
) {
  console.error(
    `Use: npm run chaos -- [--seed N] [--kills N] [--only "HOW;HOW"] [--log FILE]\nHOW: ${Object.keys(KILLS).join("; ")}.`,
  );
  process.exit(2);
}
console.log(`seed ${seed}, ${kills} kills\n`);
const report = await runChaos({
  seed,
  kills,
  onProgress: console.log,
  ...(only && { only: only as Kill[] }),
});
if (values.log !== undefined) await Bun.write(values.log, report.output);
print(report);
process.exit(report.violations.length > 0 ? 1 : 0);

function print({ recoveries, figures, delaysMs, longestSilenceMs, violations }: ChaosReport): void {
  console.log("");
  printTable(
    ["recovery after", "times", "answer p50", "max", "event p50", "max"],
    ["all", ...Object.keys(KILLS)].flatMap((how) => {
      const of = recoveries.filter((one) => how === "all" || one.how === how);
      if (of.length === 0) return [];
      const answered = of.map(({ answeredMs }) => answeredMs);
      const handled = of.map(({ handledMs }) => handledMs);
      return [
        [
          how,
          of.length,
          ...[answered, handled].flatMap((each) => [ms(quantile(each, 0.5)), ms(Math.max(...each))]),
        ],
      ];
    }),
  );
  console.log("");
  printTable(["", "count"], figures);
  console.log(
    `\nfrom the request to the end of its event, where nothing was meant to fail: p50 ${ms(quantile(delaysMs, 0.5))}, ` +
      `p99 ${ms(quantile(delaysMs, 0.99))}, max ${ms(Math.max(...delaysMs))}; longest time without any: ${ms(longestSilenceMs)}\n`,
  );
  for (const { rule, count, evidence } of violations) {
    console.log(`VIOLATION: ${rule} (${count})`);
    for (const one of evidence) console.log(`  ${one}`);
  }
  console.log(
    violations.length === 0
      ? `verdict: nothing was lost, nothing came twice, every recovery within ${RECOVERY_MS / 1000} s (seed ${seed})`
      : `verdict: ${violations.length} rules are broken; again with: npm run chaos -- --seed ${seed} --kills ${kills}`,
  );
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
