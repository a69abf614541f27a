import { afterAll, expect, test } from "bun:test";
import { startExecutor } from "../support/runs.ts";

const runs = startExecutor();
afterAll(() => runs.executor.stop(0));

/** Level, message and data of what a script logs. */
async function logged(source: string): Promise<unknown[]> {
  const { logs, error } = await runs.run(source);
  expect(error).toBeNull();
  return logs.map(({ ts: _, ...entry }) => entry);
}

test("has a function for each level", async () => {
  expect(await logged('log::trace("a"); log::info("b"); log::warn("c"); log::error("d");')).toEqual([
    { level: "trace", message: "a" },
    { level: "info", message: "b" },
    { level: "warn", message: "c" },
    { level: "error", message: "d" },
  ]);
});

test("shows any value as print does", async () => {
  expect(
    await logged("log::info(5); log::info(1.0); log::info('x'); log::info(()); log::info(#{ a: [1] });"),
  ).toEqual([
    { level: "info", message: "5" },
    { level: "info", message: "1.0" },
    { level: "info", message: "x" },
    { level: "info", message: "" },
    { level: "info", message: '#{"a": [1]}' },
  ]);
});

test("keeps data as JSON, () too", async () => {
  expect(
    await logged('log::info("a", #{ n: 1.5, b: () }); log::info("b", ()); log::info("c", |x| x);'),
  ).toEqual([
    { level: "info", message: "a", data: { n: 1.5, b: null } },
    { level: "info", message: "b", data: null },
    { level: "info", message: "c", data: "(not shown: the value is of type Fn, which JSON cannot hold)" },
  ]);
});

test("has no debug, which is a word of the language", async () => {
  const { error } = await runs.run('log::debug("x")');
  expect(error?.message).toContain("'debug' is a reserved keyword");
});

test("takes one or two values", async () => {
  for (const call of ["log::info()", 'log::info("a", "b", "c")']) {
    expect((await runs.run(call)).error?.message).toContain("Function not found: log::info");
  }
});
