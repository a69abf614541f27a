import { describe, expect, test } from "bun:test";
import { charOf, Engine, type NativeModule, type RunOptions, type Value } from "../../src/rhai/index.ts";
import { toDebugValue } from "../../src/rhai/runtime/format.ts";
import { readCases } from "./conformance.ts";
import { mutate, random } from "./mutation.ts";

const COUNT = Number(process.env["RHAI_FUZZ"] ?? 2000);
const SEED = Number(process.env["RHAI_SEED"] ?? 2);

/** What a script does, as text. */
async function outcome(engine: Engine, source: string, options: RunOptions = {}): Promise<string> {
  const compiled = engine.compile(source, { limits: options.limits ?? {} });
  if (!compiled.ok) return `syntax: ${compiled.diagnostics[0]?.message}`;
  const output: string[] = [];
  const result = await compiled.script.run({ ...options, print: (text) => output.push(text) });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  // Names of closures differ from one compilation to the next.
  const end = result.ok ? toDebugValue(result.value) : result.error.message;
  return [end, ...output].join("\n").replaceAll(/anon\$[0-9a-f]+/g, "anon");
}

test(
  "programs give the same result whether or not functions are compiled as suspending ones",
  async () => {
    const cases = readCases().filter((item) => !/timestamp|sleep|parse_json|rand/.test(item.script));
    const next = random(SEED);
    const plain = new Engine({ allowEval: false });
    const suspending = new Engine({ allowEval: false, forceSuspension: true });
    for (let i = 0; i < COUNT; i++) {
      const source = mutate(cases, next);
      const limits = { maxOperations: 20_000 };
      const expected = await outcome(plain, source, { limits });
      const got = await outcome(suspending, source, { limits });
      if (got !== expected) throw new Error(`${JSON.stringify(source)}\nexpected ${expected}\ngot ${got}`);
    }
  },
  1000 * 60 * 60,
);

const services: NativeModule = {
  name: "",
  functions: [
    {
      name: "fetch_value",
      params: ["i64"],
      pure: true,
      suspends: true,
      returns: "i64",
      call: async (_, value: number) => {
        await Bun.sleep(1);
        return value * 2;
      },
    },
    {
      name: "fail_later",
      params: [],
      pure: true,
      suspends: true,
      returns: "()",
      call: async () => {
        await Bun.sleep(1);
        throw new TypeError("a host error");
      },
    },
  ] as NativeModule["functions"],
};

const kv: NativeModule = {
  name: "kv",
  functions: [
    {
      name: "get",
      params: ["string"],
      pure: true,
      suspends: true,
      returns: "any",
      call: async (_, key: string) => `<${key}>`,
    },
    { name: "size", params: [], pure: true, returns: "i64", call: () => 3 },
  ] as NativeModule["functions"],
  constants: { NAME: "store", INITIAL: charOf("k") },
};

describe("natives that suspend", () => {
  const engine = new Engine({ modules: [services, kv] });
  const cases: Readonly<Record<string, string>> = {
    "fetch_value(4) + 1": "9",
    "fn f(x) { fetch_value(x) } f(1) + f(2)": "6",
    "let x = 1; let y = x + { x = 5; fetch_value(x) }; [x, y]": "[5, 11]",
    "[1, 2, 3].map(|x| fetch_value(x))": "[2, 4, 6]",
    "[1, 2, 3].filter(|x| fetch_value(x) > 2)": "[2, 3]",
    "[3, 1, 2].reduce(|s, x| s + fetch_value(x), 0)": "12",
    "let a = [3, 1, 2]; a.sort(|x, y| fetch_value(x) - fetch_value(y)); a": "[1, 2, 3]",
    "let f = |x| fetch_value(x); f.call(3)": "6",
    "let o = #{n: 1, get: |k| { this.n += fetch_value(k); this.n }}; o.get(2) + o.n": "10",
    "let r = []; for i in 0..3 { r.push(fetch_value(i)); } r": "[0, 2, 4]",
    "let i = 0; while fetch_value(i) < 6 { i += 1; } i": "3",
    "fn f() { this + fetch_value(1) } 5.f()": "7",
    "fn f() { this += fetch_value(1); } let x = 1; x.f(); x": "3",
    "switch fetch_value(2) { 4 => fetch_value(8), _ => 0 }": "16",
    "let x = fetch_value(1) ?? 5; x": "2",
    "true && fetch_value(1) == 2": "true",
    "`a${fetch_value(2)}b`": '"a4b"',
    "let m = #{a: [1]}; m.a[0] += fetch_value(3); m": '#{"a": [7]}',
    'let f = Fn("fetch_value"); f.call(2)': "4",
    '[1, 2].map("fetch_value")': "[2, 4]",
    'kv::get("a") + kv::size() + kv::NAME': '"<a>3store"',
    "fn f(n) { if n == 0 { throw fetch_value(3) } f(n - 1) } let r = 0; try { f(3) } catch (e) { r = e; } r":
      "6",
  };
  for (const [source, expected] of Object.entries(cases)) {
    test(source, async () => {
      expect(await outcome(engine, source)).toBe(expected);
    });
  }

  test("scripts without them stay synchronous", () => {
    for (const source of [
      "1 + 1",
      "fn f(x) { x } [1].map(|x| f(x))",
      "kv::NAME",
      "kv::size()",
      'Fn("len").call("abc")',
      "#{f: |x| x}.f(1)",
    ]) {
      const compiled = engine.compile(source);
      if (!compiled.ok) throw new Error("does not compile");
      expect([source, compiled.script.suspends]).toEqual([source, false]);
      expect(compiled.script.run()).not.toBeInstanceOf(Promise);
    }
  });

  test("only functions that reach them become asynchronous", () => {
    const compiled = engine.compile("fn pure(x) { x * 2 } fn other() { pure(fetch_value(1)) } other()");
    if (!compiled.ok) throw new Error("does not compile");
    expect(compiled.script.javascript.match(/async function/g)).toHaveLength(2);
  });

  test("two runs at a time do not mix", async () => {
    const compiled = engine.compile("let s = 0; for i in 0..5 { s += fetch_value(n); } s", {
      constants: ["n"],
    });
    if (!compiled.ok) throw new Error("does not compile");
    const results = await Promise.all(
      [1, 2, 3].map((n) => compiled.script.run({ scope: { n: n as Value } })),
    );
    expect(results.map((result) => result.ok && result.value)).toEqual([10, 20, 30]);
  });

  test("what a native throws that is no script error ends the run as a fault of the host", async () => {
    const compiled = engine.compile("try { fail_later() } catch { 1 }");
    if (!compiled.ok) throw new Error("does not compile");
    const result = await compiled.script.run();
    if (result.ok) throw new Error("did not fail");
    expect(result.error.kind).toBe("ErrorSystem");
    expect(result.fault).toBeInstanceOf(TypeError);
  });

  test("an error inside carries the calls it went through", async () => {
    expect(await outcome(engine, "fn f(x) { fetch_value(x); [1][x] }\nfn g(x) { f(x) + 1 }\ng(5)")).toBe(
      "Array index 5 out of bounds: only 1 element in array (line 1, position 31)\n" +
        "in call to function 'f' (line 2, position 11)\nin call to function 'g' (line 3, position 1)",
    );
  });
});
