import { expect, test } from "bun:test";
import { run } from "./run.ts";

/** What is copied, and what not: the run counts the memory that copies on write take. */

/** Counted bytes of a program on an array of this many elements, but for those of making it. */
function copiedBytes(rest: string, size = 100_000): number {
  const make = `fn look(list) { list[0] } fn change(list) { list[0] = 2; list[0] } let a = []; a.pad(${size}, 1); `;
  const [made, all] = [make, make + rest].map((source) => {
    const result = run(source);
    if (!result.ok) throw new Error(result.error.message);
    return result.memory;
  });
  return (all ?? 0) - (made ?? 0);
}

const WHOLE = 100_000 * 8;

test.each([
  ["passing an array to a function that reads it", "for i in 0..1000 { look(a); }"],
  ["assigning it to another variable", "let b = a; let c = b; c[0]"],
  ["putting it into a map and reading it there", "let m = #{list: a}; m.list[5] + m.list.len"],
  ["capturing it in a closure", "let f = || a[0]; f.call()"],
  ["changing an array that nobody shares", "for i in 0..1000 { a[i] = i; }"],
  ["looking at its elements in a loop", "let t = 0; for x in a { t += x; } t"],
])("%s copies nothing", (_, rest) => {
  expect(copiedBytes(rest)).toBeLessThan(WHOLE / 4);
});

test("a function that changes its parameter copies it once, and the caller's stays", () => {
  const once = copiedBytes("change(a); a[0]");
  expect(once).toBeGreaterThanOrEqual(WHOLE);
  expect(once).toBeLessThan(2 * WHOLE);
});

test("the first change after an assignment copies, further ones do not", () => {
  const bytes = copiedBytes("let b = a; for i in 0..1000 { b[i] = i; }");
  expect(bytes).toBeGreaterThanOrEqual(WHOLE);
  expect(bytes).toBeLessThan(2 * WHOLE);
});
