import { Engine } from "../../src/rhai/index.ts";
import { PROGRAMS } from "./rhai-programs.ts";

/**
 * The speed of compiled scripts: per program the time to compile, the first run, the median of later runs, and the
 * same for JavaScript written by hand. Limits are set as a host would, so metering is on.
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

export async function run(): Promise<void> {
  const engine = new Engine({ limits: LIMITS });
  engine.compile("1");
  const rows = PROGRAMS.map((program) => measure(engine, program));
  const cells = rows.map((row) => [
    row.name,
    row.compile.toFixed(1),
    row.first.toFixed(1),
    row.steady.toFixed(2),
    row.byHand.toFixed(2),
    (row.steady / row.byHand).toFixed(1),
  ]);
  table(["program (ms)", "compile", "first run", "steady", "by hand", "ratio"], cells);
  const mean = Math.exp(rows.reduce((sum, row) => sum + Math.log(row.steady / row.byHand), 0) / rows.length);
  console.log(`geometric mean of the ratios: ${mean.toFixed(2)}`);
  compileTimes(engine);
}

function measure(engine: Engine, program: (typeof PROGRAMS)[number]): Row {
  const before = performance.now();
  const compiled = engine.compile(program.source);
  const compile = performance.now() - before;
  if (!compiled.ok) throw new Error(`${program.name}: ${compiled.diagnostics[0]?.message}`);
  const times: number[] = [];
  const expected = program.byHand();
  for (let i = 0; i <= ROUNDS; i++) {
    const start = performance.now();
    const result = compiled.script.run({ deadline: performance.now() + 60_000 });
    times.push(performance.now() - start);
    if (result instanceof Promise || !result.ok)
      throw new Error(`${program.name}: ${JSON.stringify(result)}`);
    if (result.value !== expected)
      throw new Error(`${program.name}: ${String(result.value)} instead of ${expected}`);
  }
  const hand: number[] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const start = performance.now();
    program.byHand();
    hand.push(performance.now() - start);
  }
  const [first = 0, ...rest] = times;
  return { name: program.name, compile, first, steady: median(rest), byHand: median(hand.slice(1)) };
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
    const start = performance.now();
    const compiled = engine.compile(twenty.join("\n"));
    if (compiled.ok) compiled.script.run();
    warm.push(performance.now() - start);
  }
  const large: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    engine.compile(thousand.join("\n"));
    large.push(performance.now() - start);
  }
  console.log(
    `20 lines, source to result, warm: ${median(warm).toFixed(2)} ms; 1,000 lines compiled: ${median(large).toFixed(1)} ms`,
  );
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    );
  }
}

if (import.meta.main) await run();
