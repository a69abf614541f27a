import { describe, expect, test } from "bun:test";
import { RhaiError } from "../../../src/rhai/runtime/errors.ts";
import { FnPtr, type RhaiArray, type Value } from "../../../src/rhai/runtime/values.ts";
import { callNative, map, rhai, shown, TestContext } from "./context.ts";

const double = (args: readonly Value[]): Value => Number(args[0]) * 2;

describe("callbacks of arrays", () => {
  test("get the element, or the element and its index, by their number of parameters", () => {
    const context = new TestContext();
    const one = context.callback(1, double);
    const two = context.callback(2, (args) => rhai([...args]));
    expect(shown(callNative(context, "map", [rhai([1, 2]), one]) as Value)).toBe("[2, 4]");
    expect(shown(callNative(context, "map", [rhai([7, 8]), two]) as Value)).toBe("[[7, 0], [8, 1]]");
  });

  test("without parameters find the element in `this` and may change it", () => {
    const context = new TestContext();
    const array = rhai([1, 2, 3]) as RhaiArray;
    const other = array.copy();
    const increment = context.callback(0, (_, self) => {
      self?.set(Number(self.get()) + 1);
      return self?.get() === 3;
    });
    expect(shown(callNative(context, "filter", [array, increment]) as Value)).toBe("[3]");
    expect(shown(array)).toBe("[2, 3, 4]");
    expect(shown(other)).toBe("[1, 2, 3]");
  });

  test("of for_each get the index as their only parameter", () => {
    const context = new TestContext();
    const seen: Value[] = [];
    const note = context.callback(1, (args, self) => {
      seen.push(args[0], self?.get());
      return undefined;
    });
    callNative(context, "for_each", [rhai(["a", "b"]), note]);
    expect(seen).toEqual([0, "a", 1, "b"]);
  });

  test("of reduce get what was combined, the element and its index", () => {
    const context = new TestContext();
    const list = context.callback(3, (args) => args.map(shown).join(" "));
    expect(callNative(context, "reduce", [rhai([5, 6]), list, ""])).toBe('"\\"\\" 5 0" 6 1');
    expect(callNative(context, "reduce_rev", [rhai([5, 6]), list, 0])).toBe('"0 6 1" 5 0');
  });

  test("known by name are tried with fewer arguments first, and reported with the most", () => {
    const context = new TestContext();
    expect(shown(callNative(context, "map", [rhai([-1, 2]), new FnPtr("abs")]) as Value)).toBe("[1, 2]");
    expect(shown(callNative(context, "map", [rhai(["a"]), "to_upper"]) as Value)).toBe('["A"]');
    try {
      callNative(context, "map", [rhai([1]), "nope"]);
      throw new Error("no error");
    } catch (error) {
      if (!(error instanceof RhaiError)) throw error;
      expect(error.kind).toBe("ErrorInFunctionCall");
      expect(error.text).toEndWith("in call to function 'map'");
    }
  });
});

describe("callbacks that suspend", () => {
  const names = ["map", "filter", "some", "all", "index_of", "find", "find_map", "drain", "retain"] as const;
  for (const name of names) {
    test(`${name} answers the same, as a promise`, async () => {
      const context = new TestContext();
      const isEven = (args: readonly Value[]): Value => Number(args[0]) % 2 === 0;
      const later = async (args: readonly Value[]): Promise<Value> => {
        await Promise.resolve();
        return isEven(args);
      };
      const [first, second] = [rhai([1, 3, 4, 5, 6]), rhai([1, 3, 4, 5, 6])];
      const direct = callNative(context, name, [first, context.callback(1, isEven)]);
      const delayed = callNative(context, name, [second, context.callback(1, later)]);
      expect(direct).not.toBeInstanceOf(Promise);
      expect(delayed).toBeInstanceOf(Promise);
      expect(shown(await delayed)).toBe(shown(direct as Value));
      expect(shown(second)).toBe(shown(first));
    });
  }

  test("only from the first suspension on make the loop wait", async () => {
    const context = new TestContext();
    const order: Value[] = [];
    const mixed = context.callback(1, (args) => {
      order.push(args[0]);
      return args[0] === 2 ? Promise.resolve(20) : args[0];
    });
    const result = callNative(context, "map", [rhai([1, 2, 3]), mixed]);
    expect(order).toEqual([1, 2]);
    expect(shown(await result)).toBe("[1, 20, 3]");
    expect(order).toEqual([1, 2, 3]);
  });

  test("sort as those that do not", async () => {
    const context = new TestContext();
    const items = Array.from({ length: 200 }, (_, i) => (i * 7919) % 211);
    const array = rhai(items);
    const later = context.callback(2, async (args) => Number(args[0]) - Number(args[1]));
    await callNative(context, "sort", [array, later]);
    expect(shown(array)).toBe(shown(rhai(items.toSorted((a, b) => a - b))));
  });

  test("fail as those that do not", async () => {
    const context = new TestContext();
    const array = rhai([1, 2, 3, 4]);
    const failing = context.callback(1, async (args) => {
      if (args[0] === 3) throw new RhaiError("ErrorRuntime", "Runtime error: no");
      return args[0] === 1;
    });
    expect(callNative(context, "drain", [array, failing])).rejects.toBeInstanceOf(RhaiError);
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(shown(array)).toBe("[2, 3, 4]");
  });
});

describe("callbacks of maps", () => {
  test("get the key with the value as `this`, or both", () => {
    const context = new TestContext();
    const both = context.callback(2, (args) => `${String(args[0])}${String(args[1])}`);
    const key = context.callback(1, (args, self) => `${String(args[0])}${String(self?.get())}`);
    expect(shown(callNative(context, "map", [map({ b: 2, a: 1 }), both]) as Value)).toBe(
      '#{"a": "a1", "b": "b2"}',
    );
    expect(shown(callNative(context, "map", [map({ b: 2, a: 1 }), key]) as Value)).toBe(
      '#{"a": "a1", "b": "b2"}',
    );
  });

  test("that fail midway lose what was removed before and the property at hand", () => {
    const context = new TestContext();
    const properties = map({ a: 1, b: 2, c: 3, d: 4 });
    const failing = context.callback(2, (args) => {
      if (args[1] === 3) throw new RhaiError("ErrorRuntime", "Runtime error: no");
      return args[1] === 1;
    });
    expect(() => callNative(context, "drain", [properties, failing])).toThrow(RhaiError);
    expect(shown(properties)).toBe('#{"b": 2, "d": 4}');
  });
});

describe("sorting", () => {
  test("is stable", () => {
    const context = new TestContext();
    const items = Array.from({ length: 100 }, (_, i) => [i % 3, i]);
    const array = rhai(items) as RhaiArray;
    const byFirst = context.callback(2, (args) => {
      const [x, y] = args as [RhaiArray, RhaiArray];
      return Number(x.items[0]) - Number(y.items[0]);
    });
    callNative(context, "sort", [array, byFirst]);
    expect(shown(array)).toBe(shown(rhai(items.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0)))));
  });

  test("ends, with every element still there, whatever the comparer answers", () => {
    const items = Array.from({ length: 300 }, (_, i) => i);
    let seed = 1;
    const answers: readonly (() => Value)[] = [
      () => 1,
      () => -1,
      () => true,
      () => "?",
      () => ((seed = (seed * 16807) % 2147483647) % 3) - 1,
    ];
    for (const body of answers) {
      const context = new TestContext();
      const array = rhai(items) as RhaiArray;
      let calls = 0;
      callNative(context, "sort", [
        array,
        context.callback(2, () => {
          calls++;
          return body();
        }),
      ]);
      expect(calls).toBeLessThan(10_000);
      expect(array.items.toSorted((a, b) => Number(a) - Number(b))).toEqual(items);
    }
  });

  test("passes over the failure of a comparer, but not over a limit", () => {
    const context = new TestContext();
    const array = rhai([3, 1, 2]);
    const failWith = (kind: "ErrorRuntime" | "ErrorTooManyOperations") =>
      context.callback(2, () => {
        throw new RhaiError(kind, "no");
      });
    callNative(context, "sort", [array, failWith("ErrorRuntime")]);
    expect(shown(array)).toBe("[3, 1, 2]");
    expect(() => callNative(context, "sort", [array, failWith("ErrorTooManyOperations")])).toThrow(RhaiError);
  });
});
