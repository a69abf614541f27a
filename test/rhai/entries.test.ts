import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Entries } from "../../src/rhai/runtime/entries.ts";
import type { Value } from "../../src/rhai/runtime/values.ts";
import { Engine } from "../../src/rhai/index.ts";

/** The entries of a map behave as those of a Map, whichever way they are kept. */

const HOSTILE = ["__proto__", "constructor", "size", "table", "get", "$size", "$", "", "0", "toString", "\0"];

const key = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 2 }));
const step = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    key,
    value: fc.oneof(fc.integer(), fc.constant(undefined)),
  }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constant("clone" as const) }),
);

const same = (entries: Entries, model: ReadonlyMap<string, Value>): void => {
  expect(entries.size).toBe(model.size);
  expect([...entries]).toEqual([...model]);
  expect(entries.keys()).toEqual([...model.keys()]);
  expect([...entries.values()]).toEqual([...model.values()]);
};

test("any row of changes leaves what a Map would hold", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let entries = new Entries();
      const model = new Map<string, Value>();
      for (const change of steps) {
        if (change.kind === "clone") entries = entries.clone((value) => value);
        else if (change.kind === "delete") {
          entries.delete(change.key);
          model.delete(change.key);
        } else {
          entries[change.kind](change.key, change.value);
          model.set(change.key, change.value);
        }
        for (const name of HOSTILE) {
          expect(entries.has(name)).toBe(model.has(name));
          expect(entries.get(name)).toBe(model.get(name));
        }
      }
      same(entries, model);
      same(Entries.of(new Map(model)), model);
    }),
  );
});

test("a clone and its original do not see each other's changes", () => {
  const entries = Entries.of(new Map([["a", 1]]));
  const clone = entries.clone((value) => value);
  clone.set("a", 2);
  clone.set("b", 3);
  same(entries, new Map([["a", 1]]));
});

test("no key is answered that was not set", () => {
  const entries = new Entries();
  for (const name of HOSTILE) expect([entries.has(name), entries.get(name)]).toEqual([false, undefined]);
});

describe("a map that grows out of a record through code keeps all", () => {
  const run = (source: string): unknown => {
    const compiled = new Engine().compile(source);
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
    const result = compiled.script.run();
    if (result instanceof Promise || !result.ok) throw new Error(JSON.stringify(result));
    return result.value;
  };
  const names = Array.from({ length: 60 }, (_, i) => `p${i}`);

  test.each([
    ["named one by one", `let m = #{}; ${names.map((name, i) => `m.${name} = ${i};`).join(" ")}`],
    ["in a literal", `let m = #{${names.map((name, i) => `${name}: ${i}`).join(", ")}};`],
    ["by computed keys", "let m = #{p0: 0}; for i in 1..60 { m[`p${i}`] = i; }"],
    ["and is entered again by name", "let m = #{p0: 5}; for i in 1..60 { m[`p${i}`] = i; } m.p0 = 0;"],
    ["after one was removed", "let m = #{x: 1, p0: 0}; m.remove(`x`); for i in 1..60 { m[`p${i}`] = i; }"],
  ])("%s", (_, build) => {
    const sum = names.map((name) => `m.${name}`).join(" + ");
    expect(run(`${build} m.p59 += 0; [m.len(), ${sum}, m.p60, m.keys().len()].to_string()`)).toBe(
      "[60, 1770, (), 60]",
    );
  });

  test("unit counts as an entry", () => {
    expect(run("let m = #{a: ()}; m.a = (); m.b = (); m.b = 1; m.b = (); m.len()")).toBe(2);
  });
});
