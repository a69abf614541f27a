import { Engine } from "../../src/rhai/index.ts";
import { measureCliffs } from "./rhai-cliffs.ts";
import { officialRelease, type OfficialTimes } from "./official.ts";
import { pathOf, type Program, PROGRAMS, sourceOf } from "./rhai-programs.ts";
import { median, printTable } from "./support/table.ts";
import { threadTime } from "../support/thread-time.ts";

/**
 * The speed of compiled scripts: per program the time to compile, the first run, the median of later runs, and the
 * same for JavaScript written by hand. Limits are set as a host would, so metering is on. All is told in the processor
 * time of the thread, so that a busy machine changes little; compilers and collectors in threads of their own, which an
 * idle core takes, do not count. With `--official` the same files are run by the official release as well.
 */

const ROUNDS = 15;

const LIMITS = {
  maxOperations: 1_000_000_000,
  maxStringSize: 16_000_000,
  maxArraySize: 16_000_000,
  maxMapSize: 1_000_000,
  maxMemory: 512 * 1024 * 1024,
};

interface Row {
  readonly name: string;
  readonly compile: number;
  readonly first: number;
  readonly steady: number;
  readonly byHand: number;
}

export async function run(flags: ReadonlySet<string> = new Set()): Promise<void> {
  const engine = new Engine({ limits: LIMITS });
  engine.compile("1");
  const rows = PROGRAMS.map((program) => measure(engine, program));
  printTable(
    ["program (ms)", "compile", "first run", "steady", "by hand", "ratio"],
    rows.map((row) => [
      row.name,
      row.compile.toFixed(1),
      row.first.toFixed(1),
      row.steady.toFixed(2),
      row.byHand.toFixed(2),
      (row.steady / row.byHand).toFixed(1),
    ]),
  );
  const ratios = rows.map((row) => row.steady / row.byHand);
  console.log(`geometric mean of the ratios: ${geometricMean(ratios).toFixed(2)} (goal: 4, none beyond 15)`);
  compileTimes(engine);
  measureCliffs(engine);
  if (flags.has("--official")) await compare(rows);
}

function measure(engine: Engine, program: Program): Row {
  const source = sourceOf(program);
  const before = threadTime();
  const compiled = engine.compile(source);
  const compile = threadTime() - before;
  if (!compiled.ok) throw new Error(`${program.name}: ${compiled.diagnostics[0]?.message}`);
  const times: number[] = [];
  const hand: number[] = [];
  const expected = program.byHand();
  // Both in turn, so that what else the machine does hits both.
  for (let i = 0; i <= ROUNDS; i++) {
    const start = threadTime();
    const result = compiled.script.run({ deadline: performance.now() + 60_000 });
    times.push(threadTime() - start);
    if (result instanceof Promise || !result.ok)
      throw new Error(`${program.name}: ${JSON.stringify(result)}`);
    if (result.value !== expected)
      throw new Error(`${program.name}: ${String(result.value)} instead of ${expected}`);
    const startByHand = threadTime();
    program.byHand();
    hand.push(threadTime() - startByHand);
  }
  const [first = 0, ...rest] = times;
  return {
    name: program.name,
    compile,
    first,
    steady: median(rest),
    byHand: median(hand.slice(1)),
  };
}

function compileTimes(engine: Engine): void {
  const twenty = Array.from(
    { length: 5 },
    (_, i) => `fn f${i}(x) {\n  if x > ${i} { x - 1 } else { x + 1 }\n}\nf${i}(3);`,
  );
  const thousand = Array.from(
    { length: 200 },
    (_, i) => `fn f${i}(x) {\n  let m = #{a: x, b: [1, 2]};\n  m.a += ${i};\n  m.a * 2\n}`,
  );
  const warm: number[] = [];
  for (let i = 0; i < 30; i++) {
    const start = threadTime();
    const compiled = engine.compile(twenty.join("\n"));
    if (compiled.ok) compiled.script.run();
    warm.push(threadTime() - start);
  }
  const large: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = threadTime();
    engine.compile(thousand.join("\n"));
    large.push(threadTime() - start);
  }
  console.log(
    `20 lines, source to result, warm: ${median(warm).toFixed(2)} ms (goal: 2); ` +
      `1,000 lines compiled: ${median(large).toFixed(1)} ms (goal: 25)`,
  );
}

/** The official release in the same minutes, each program in a process of its own. */
async function compare(rows: readonly Row[]): Promise<void> {
  const release = await officialRelease();
  if (typeof release === "string") {
    console.log(`\nthe official release was NOT RUN: ${release}`);
    return;
  }
  const cells: string[][] = [];
  const steady: number[] = [];
  const slower: string[] = [];
  for (const [i, program] of PROGRAMS.entries()) {
    const row = rows[i];
    if (row === undefined) continue;
    const times = release(pathOf(program), 3);
    if (times.result !== String(program.byHand()))
      throw new Error(`${program.name}: the official release answers ${times.result}`);
    const official = median(times.runs);
    const once = onceThrough(times);
    steady.push(official / row.steady);
    if (row.compile + row.first > once) slower.push(program.name);
    cells.push([
      program.name,
      official.toFixed(1),
      row.steady.toFixed(2),
      (official / row.steady).toFixed(1),
      once.toFixed(1),
      (row.compile + row.first).toFixed(1),
      (once / (row.compile + row.first)).toFixed(1),
    ]);
  }
  console.log("");
  printTable(
    ["program (ms)", "official", "steady", "times", "official once", "compile + first run", "times"],
    cells,
  );
  console.log(`steady state is ${geometricMean(steady).toFixed(1)} times as fast, geometric mean (goal: 20)`);
  const verdict = slower.length === 0 ? "none" : slower.join(", ");
  console.log(`slower than the official release, compile and first run included: ${verdict} (goal: none)`);
}

const onceThrough = ({ compile, runs }: OfficialTimes): number => compile + (runs[0] ?? 0);

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

if (import.meta.main) await run(new Set(process.argv.slice(2)));
