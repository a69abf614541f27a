import { NONE, type Pos } from "../syntax/position.ts";
import { invoke } from "./calls.ts";
import { display } from "./format.ts";
import type { Run } from "./run.ts";
import { Entries } from "./entries.ts";
import { RhaiArray, RhaiMap, type Value } from "./values.ts";

/** Literals with parts that are evaluated, and interpolated text. */

export function array(run: Run, items: Value[], positions: readonly Pos[]): Value {
  run.allocate(32 + items.length * 8);
  const value = new RhaiArray(items);
  if (run.sized && positions.length > 0)
    checkLiteral(run, value, positions, (count) => new RhaiArray(items.slice(0, count)));
  return value;
}

/** A map of entries that become its own. */
export function map(run: Run, entries: Entries, positions: readonly Pos[]): Value {
  run.allocate(64 + entries.size * 64);
  const value = new RhaiMap(entries);
  if (run.sized && positions.length > 0)
    checkLiteral(run, value, positions, (count) => RhaiMap.of(new Map([...entries].slice(0, count))));
  return value;
}

/** The entries of a literal that is too large for a record. */
export function manyEntries(keys: readonly string[], values: readonly Value[]): Entries {
  return Entries.of(new Map(keys.map((key, i) => [key, values[i]])));
}

/** The position of a literal that is too large is that of the part that made it so. */
export function checkLiteral(
  run: Run,
  value: Value,
  positions: readonly Pos[],
  part: (count: number) => Value,
): void {
  try {
    run.checkSizeAt(value, NONE);
  } catch (error) {
    for (let count = 1; count <= positions.length; count++)
      run.checkSizeAt(part(count), positions[count - 1] ?? NONE);
    throw error;
  }
}

/** The text of an interpolated value. */
export function text(run: Run, value: Value, pos: Pos): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  const overload =
    typeof value === "object" ? (run.program.natives.group("to_string", 1)?.find1(value) ?? null) : null;
  if (overload !== null && overload.tags[0] !== 0) return invoke(run, overload, [value], pos) as string;
  return display(value, run.limits.maxStringSize);
}

export function join(run: Run, parts: readonly string[], positions: readonly Pos[]): string {
  let result = parts[0] ?? "";
  if (run.sized) run.checkSizeAt(result, positions[0] ?? NONE);
  for (let i = 1; i < parts.length; i++) result = run.concat(result, parts[i] ?? "", positions[i] ?? NONE);
  return result;
}
