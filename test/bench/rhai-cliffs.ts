import type { Engine } from "../../src/rhai/index.ts";
import { median, printTable } from "./support/table.ts";
import { threadTime } from "../support/thread-time.ts";

/**
 * That no program falls off a cliff: the same code on values of another kind, against itself; and work that must be
 * linear, at one size and at eight times that.
 */

interface Cliff {
  readonly name: string;
  readonly base: string;
  /** What is compared with it. */
  readonly other: string;
  /** How many times the work of `base` that is. */
  readonly work: number;
  /** Times slower that it may be, for the same work. */
  readonly most: number;
}

/** A program that crosses over may take this many times as long. */
const CROSSING = 20;
/** Per element at eight times the size: linear, with room for caches and the collector. */
const LINEAR = 3;
/** Something that must not depend on the size at all. */
const CONSTANT = 2;

const counting = (start: string): string => `let s = ${start}; for i in 0..200000 { s += i % 7; } s`;
const summing = (items: string): string =>
  `fn total(list) { let t = 0; for i in 0..list.len() { t += list[i]; } t } let a = ${items}; let r = 0; for i in 0..40 { r = total(a); } r`;
const switching = (first: string, second: string): string =>
  `fn twice(x) { x + x } let v = ${first}; for i in 0..200000 { v = if i % 2 == 0 { ${first} } else { ${second} }; v = twice(v); } 0`;
const indexing = (count: number, piece: string): string =>
  `let s = ""; for i in 0..${count} { s += "${piece}"; } let n = 0; for i in 0..50000 { if s[i % s.len] == 'x' { n += 1; } s[0] == 'y'; } n`;
const appending = (count: number): string => `let s = ""; for i in 0..${count} { s += "12345678"; } s.len`;
const pushing = (count: number): string => `let a = []; for i in 0..${count} { a.push(i); } a.len`;
const passing = (size: number): string =>
  `fn look(list) { list[0] } let a = []; a.pad(100000, 1); a.truncate(${size}); let t = 0; for i in 0..50000 { t += look(a); } t`;
const counted = (keys: number): string =>
  `let m = #{}; for i in 0..200000 { let k = "k" + (i % ${keys}); m[k] = i; } m.len()`;
const fields = (more: string): string =>
  `let m = #{x: 1, y: 2}; ${more} let t = 0; for i in 0..200000 { m.x += 1; t += m.x + m.y; } t`;

const CLIFFS: readonly Cliff[] = [
  crossing("small integers, then of 64 bits", counting("0"), counting("9007199254740000")),
  crossing("integers of 64 bits throughout", counting("0"), counting("9107199254740993")),
  crossing(
    "an array of integers, one of 64 bits",
    summing("[1, 2, 3, 4] + []"),
    summing("[1, 2, 3, 1 << 60]"),
  ),
  crossing("an array of integers, one a float", summing("[1, 2, 3, 4]"), summing("[1, 2, 3, 4.5]")),
  crossing("a variable of one type, of two", switching("1", "2"), switching("1", "2.5")),
  crossing("a variable that is also a string", switching("1", "2"), switching("1", '"a"')),
  crossing("a map that loses its first property", fields(""), fields("m.z = 1; m.remove(`z`);")),
  crossing("a map with 100 other keys", fields(""), fields("for i in 0..100 { m[`k${i}`] = i; }")),
  crossing(
    "a map that every round adds to and removes from",
    fields(""),
    fields("for i in 0..1000 { m.z = i; m.remove(`z`); }"),
  ),
  crossing("ten keys counted, 10,000 keys", counted(10), counted(10_000)),
  crossing("characters of 8 bytes, of 1 MiB", indexing(1, "12345678"), indexing(131_072, "12345678")),
  crossing("characters beyond ASCII, of 1 MiB", indexing(1, "12é45678"), indexing(131_072, "12é45678")),
  linear("appending to 128 KiB, to 1 MiB", appending(16_384), appending(131_072)),
  linear("pushing 12,500 elements, 100,000", pushing(12_500), pushing(100_000)),
  constant("passing an array of 10, of 100,000", passing(10), passing(100_000)),
];

function crossing(name: string, base: string, other: string): Cliff {
  return { name, base, other, work: 1, most: CROSSING };
}
function linear(name: string, base: string, other: string): Cliff {
  return { name, base, other, work: 8, most: LINEAR };
}
function constant(name: string, base: string, other: string): Cliff {
  return { name, base, other, work: 1, most: CONSTANT };
}

/** Prints the table, with a verdict each. */
export function measureCliffs(engine: Engine): void {
  const rows = CLIFFS.map((cliff) => {
    const runs = [cliff.base, cliff.other].map((source) => runner(engine, cliff.name, source));
    const times: number[][] = [[], []];
    for (let i = 0; i < 9; i++) for (const [side, once] of runs.entries()) times[side]?.push(once());
    const [base = 0, other = 0] = times.map((side) => median(side.slice(2)));
    const ratio = other / base / cliff.work;
    return [
      cliff.name,
      base.toFixed(2),
      other.toFixed(2),
      ratio.toFixed(1),
      `${cliff.most}`,
      ratio <= cliff.most ? "ok" : "CLIFF",
    ];
  });
  console.log("");
  printTable(["no cliff (ms)", "first", "second", "ratio", "goal", ""], rows);
}

/** Runs a program once, and answers the milliseconds of processor time. */
function runner(engine: Engine, name: string, source: string): () => number {
  const compiled = engine.compile(source);
  if (!compiled.ok) throw new Error(`${name}: ${compiled.diagnostics[0]?.message}`);
  return () => {
    const start = threadTime();
    const result = compiled.script.run({ deadline: performance.now() + 60_000 });
    const time = threadTime() - start;
    if (result instanceof Promise || !result.ok) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return time;
  };
}
