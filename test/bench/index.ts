/**
 * `npm run bench` runs all benchmarks, `npm run bench -- http idle` some;
 * `npm run bench -- rhai --official` compares with the official Rhai. Each prints tables; a ratio compares with a
 * baseline that was measured in the same run, because machines and their moods differ.
 */
export const BENCHES = {
  rhai: () => import("./rhai.ts"),
  start: () => import("./start.ts"),
  http: () => import("./http.ts"),
  save: () => import("./save.ts"),
  control: () => import("./control.ts"),
  sdk: () => import("./sdk.ts"),
  docs: () => import("./docs.ts"),
  events: () => import("./events.ts"),
  neighbour: () => import("./neighbour.ts"),
  idle: () => import("./idle.ts"),
} satisfies Record<string, () => Promise<{ run(flags: ReadonlySet<string>): Promise<void> }>>;

// `--docs 1000` is the flag `--docs=1000`.
const given: readonly string[] = process.argv
  .slice(2)
  .join(" ")
  .replaceAll(/(--\w+) (\d+)/g, "$1=$2")
  .split(" ")
  .filter((word) => word !== "");
const flags = new Set(given.filter((word) => word.startsWith("--")));
const names = given.filter((word) => !word.startsWith("--"));
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(
    `No benchmark is called ${unknown.join(", ")}. There are: ${Object.keys(BENCHES).join(", ")}.`,
  );
  process.exit(2);
}
for (const [name, load] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n== ${name} ==`);
  await (await load()).run(flags);
}
process.exit(0);
