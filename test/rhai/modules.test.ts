import { describe, expect, test } from "bun:test";
import { Engine, type ModuleResolver, RhaiError } from "../../src/rhai/index.ts";
import { toDebugValue } from "../../src/rhai/runtime/format.ts";

const SOURCES: Readonly<Record<string, string>> = {
  tools: `
    export const LIMIT = 10;
    export let names = ["a", "b"];
    const HIDDEN = 1;
    fn double(x) { x * 2 }
    fn quad(x) { double(double(x)) }
    fn limit() { global::LIMIT }
    fn make() { |x| double(x) + 1 }
    private fn secret() { 42 }
    fn fails() { throw "inside" }
  `,
  outer: 'import "tools" as tools; export const BASE = tools::LIMIT; fn twice(x) { tools::double(x) }',
  broken: "let x = ;",
  throwing: 'throw "at load";',
  loop: 'import "loop" as again; export const X = 1;',
  counting: 'print("loaded"); export const N = 1;',
};

const resolver: ModuleResolver = {
  resolve: (name) => {
    if (name === "native") {
      return {
        name: "native",
        functions: [
          {
            name: "add",
            params: ["i64", "i64"],
            pure: true,
            returns: "i64",
            call: (_: unknown, a: number, b: number) => a + b,
          },
        ] as never,
        constants: { ONE: 1 },
      };
    }
    const source = SOURCES[name];
    return source === undefined ? undefined : { source };
  },
};

const engine = new Engine();

async function outcome(source: string): Promise<string> {
  const compiled = engine.compile(source);
  if (!compiled.ok) return `syntax: ${compiled.diagnostics[0]?.message}`;
  const output: string[] = [];
  const result = await compiled.script.run({ resolver, print: (text) => output.push(text) });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  return [result.ok ? toDebugValue(result.value) : result.error.message, ...output].join("\n");
}

describe("import", () => {
  const cases: Readonly<Record<string, string>> = {
    'import "tools" as t; t::double(4)': "8",
    'import "tools" as t; t::quad(4)': "16",
    'import "tools" as t; t::LIMIT + t::names.len': "12",
    'import "tools" as t; t::limit()': "10",
    'import "tools" as t; let f = t::make(); f.call(3)': "7",
    'import "tools" as t; [1, 2].map(|x| t::double(x))': "[2, 4]",
    'import "tools" as t; fn f(x) { t::double(x) } f(2)': "4",
    'import "tools" as t; t::secret()': "Function not found: t::secret () (line 1, position 25)",
    'import "tools" as t; t::HIDDEN': "Variable not found: t::HIDDEN (line 1, position 22)",
    'import "tools" as t; t::nope(1, "a")':
      "Function not found: t::nope (i64, &str | ImmutableString | String) (line 1, position 25)",
    '{ import "tools" as t; } t::double(1)': "Module not found: t (line 1, position 26)",
    'import "outer" as o; o::BASE + o::twice(3)': "16",
    'import "outer" as o; o::tools::double(3)': "6",
    'import "native" as n; n::add(n::ONE, 2)': "3",
    'import "missing" as m;': "Module not found: missing (line 1, position 8)",
    'import "tools" as t; try { t::fails() } catch (e) { print(e); }': "()\ninside",
    'import "counting" as a; import "counting" as b; a::N + b::N': "2\nloaded",
    'let m = "tools"; import m as t; t::LIMIT': "10",
  };
  for (const [source, expected] of Object.entries(cases)) {
    test(source, async () => {
      expect(await outcome(source)).toBe(expected);
    });
  }

  test("problems of a module name it", async () => {
    expect(await outcome('import "throwing" as t;')).toBe(
      "Runtime error: at load (line 1, position 1)\nin module 'throwing' (line 1, position 8)",
    );
    expect(await outcome('import "broken" as b;')).toContain("in module 'broken'");
  });

  test("a module that imports itself ends", async () => {
    expect(await outcome('import "loop" as l; l::X')).toContain("Stack overflow");
  });

  test("literal names are told without running", () => {
    const compiled = engine.compile(
      'import "a" as a; fn f() { import "b" as b; } let g = || { import "c" as c; };',
    );
    expect(compiled.ok && compiled.script.links.imports).toEqual(["a", "c", "b"]);
  });
});

describe("call", () => {
  const compiled = engine.compile(
    "fn add(a, b) { a + b } private fn hidden() { 1 } fn fails() { nope } print(1);",
  );
  if (!compiled.ok) throw new Error("does not compile");
  const { script } = compiled;

  test("runs one function without the statements", () => {
    const output: string[] = [];
    expect(script.call("add", [1, 2], { print: (text) => output.push(text) })).toMatchObject({
      ok: true,
      value: 3,
    });
    expect(output).toEqual([]);
  });

  test("refuses what is not there", () => {
    expect(script.call("add", [1])).toMatchObject({ ok: false, error: { kind: "ErrorFunctionNotFound" } });
    expect(script.call("hidden", [])).toMatchObject({ ok: false, error: { kind: "ErrorFunctionNotFound" } });
  });

  test("tells errors with their place", () => {
    const result = script.call("fails", []);
    expect(!(result instanceof Promise) && !result.ok && result.error.message).toStartWith(
      "Variable not found: nope (line 1, position 63)\nin call to function 'fails'",
    );
  });

  test("lists the functions", () => {
    expect(script.functions.map((fn) => `${fn.name}(${fn.params.join(", ")})`)).toEqual([
      "add(a, b)",
      "hidden()",
      "fails()",
    ]);
  });
});

describe("a module that suspends while it is loaded", () => {
  const slow = new Engine({
    modules: [
      {
        name: "slow",
        functions: [
          {
            name: "value",
            params: ["any"],
            pure: true,
            returns: "any",
            suspends: true,
            call: (async (_: unknown, value: number) => {
              await Promise.resolve();
              if (value === 13) throw new RhaiError("ErrorRuntime", "Runtime error: unlucky");
              return value;
            }) as never,
          },
        ],
      },
    ],
  });
  const sources: Readonly<Record<string, string>> = {
    config: "export const N = slow::value(20); fn plus(x) { slow::value(x) + 1 } fn quick(x) { x * 2 }",
    outer: 'import "config" as c; export const M = c::N + slow::value(2); fn down(x) { c::plus(x) }',
    unlucky: "let x = slow::value(13);",
    counting: 'print("loaded"); slow::value(1); print("done"); export const N = 1;',
  };
  async function result(source: string): Promise<string> {
    const compiled = slow.compile(source);
    if (!compiled.ok) return `syntax: ${compiled.diagnostics[0]?.message}`;
    const output: string[] = [];
    const ended = await compiled.script.run({
      print: (text) => output.push(text),
      resolver: {
        resolve: (name) => {
          const text = sources[name];
          return text === undefined ? undefined : { source: text };
        },
      },
    });
    if (!ended.ok && ended.fault !== undefined) throw ended.fault;
    return [ended.ok ? toDebugValue(ended.value) : ended.error.message, ...output].join("\n");
  }
  const cases: Readonly<Record<string, string>> = {
    'import "config" as c; [c::N, c::plus(1), c::quick(4)]': "[20, 2, 8]",
    'import "outer" as o; [o::M, o::down(5)]': "[22, 6]",
    'fn f() { import "config" as c; c::N } [f(), f()]': "[20, 20]",
    'let r = []; for i in 0..2 { import "counting" as c; r.push(c::N); } r': "[1, 1]\nloaded\ndone",
    'let n = 1; let f = || { import "config" as c; n += c::N; n }; [f.call(), n]': "[21, 21]",
    'import "unlucky" as u; 1':
      "Runtime error: unlucky (line 1, position 15)\nin module 'unlucky' (line 1, position 8)",
    'try { import "unlucky" as u; } catch (e) { import "config" as c; return c::N; }': "20",
  };
  for (const [source, expected] of Object.entries(cases)) {
    test(source, async () => expect(await result(source)).toBe(expected));
  }
});
