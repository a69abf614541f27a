import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Engine, type EngineLimits, Float, type NativeContext } from "../../src/rhai/index.ts";
import { analyse } from "../../src/rhai/compile/inference.ts";
import { ScriptWriter } from "../../src/rhai/compile/script-writer.ts";
import type { Ident, Stmt } from "../../src/rhai/syntax/ast.ts";
import { parse } from "../../src/rhai/syntax/parser.ts";
import { walkStmt } from "../../src/rhai/compile/walk.ts";
import { toDebugValue } from "../../src/rhai/runtime/format.ts";
import { typeName } from "../../src/rhai/runtime/type-name.ts";
import { readCases } from "./conformance.ts";
import { mutate, random } from "./mutation.ts";

const COUNT = Number(process.env["RHAI_FUZZ"] ?? 2000);
const SEED = Number(process.env["RHAI_SEED"] ?? 3);

const engine = new Engine();
const plain = new Engine({ inferTypes: false });

/** What a script does, as text. */
async function outcome(on: Engine, source: string, limits: Partial<EngineLimits>): Promise<string> {
  const compiled = on.compile(source, { limits });
  if (!compiled.ok) return `syntax: ${compiled.diagnostics[0]?.message}`;
  const output: string[] = [];
  const result = await compiled.script.run({ print: (text) => output.push(text) });
  if (!result.ok && result.fault !== undefined) throw result.fault;
  const end = result.ok ? toDebugValue(result.value) : `${result.error.message} at ${result.error.pos}`;
  return [end, `${result.operations} operations`, ...output]
    .join("\n")
    .replaceAll(/anon\$[0-9a-f]+/g, "anon");
}

/** Fails unless a script does the same with and without knowledge of types. */
async function compare(source: string, limits: Partial<EngineLimits> = {}): Promise<void> {
  const expected = await outcome(plain, source, limits);
  const got = await outcome(engine, source, limits);
  if (got !== expected) throw new Error(`${source}\nexpected ${expected}\ngot ${got}`);
}

test(
  "programs give the same result whether or not types are inferred",
  async () => {
    const cases = readCases().filter((item) => !/timestamp|sleep|parse_json|rand/.test(item.script));
    const next = random(SEED);
    for (let i = 0; i < COUNT; i++) await compare(mutate(cases, next), { maxOperations: 20_000 });
  },
  1000 * 60 * 60,
);

/** Statements over a few variables, as text. Divisions by zero, overflows and wrong types are as welcome as results. */
const program: fc.Arbitrary<string> = (() => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const literal = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("0", "1", "2", "7", "-3", "31", "2147483647") },
    { weight: 4, arbitrary: fc.constantFrom("0.0", "-0.0", "0.5", "1.0", "3.25", "-1e3", "1e300") },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        "4503599627370496",
        "9007199254740991",
        "-9007199254740991",
        "9223372036854775807",
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom("true", '"s"', "'c'", "()", "[1, 2.5]", "blob(3, 7)") },
  );
  const common = fc.oneof({ weight: 3, arbitrary: name }, { weight: 2, arbitrary: literal });
  const operator = fc.constantFrom(..."+ - * / % + - * & | ^ << >> ** == != < <= > >=".split(" "));
  const expression: fc.Memo<string> = fc.memo((depth) =>
    depth <= 1
      ? common
      : fc.oneof(
          { weight: 2, arbitrary: common },
          {
            weight: 5,
            arbitrary: fc
              .tuple(expression(), operator, expression())
              .map(([left, op, right]) => `(${left} ${op} ${right})`),
          },
          expression().map((value) => `-(${value})`),
          fc
            .tuple(expression(), expression(), expression())
            .map(([value, yes, no]) => `if ${value} == 1 { ${yes} } else { ${no} }`),
          expression().map((value) => `id(${value})`),
          fc
            .tuple(name, fc.constantFrom("to_float", "to_int", "abs", "sqrt"))
            .map(([at, fn]) => `${at}.${fn}()`),
          fc.tuple(name, expression()).map(([at, index]) => `${at}[${index}]`),
          name.map((at) => `${at}.len`),
          name.map((at) => `{ ${at} += 1; ${at} }`),
        ),
  );
  const assignment = fc
    .tuple(name, fc.constantFrom("=", "+=", "-=", "*=", "/=", "%=", "&=", "**="), expression(3))
    .map(([target, op, value]) => `${target} ${op} ${value};`);
  const statement: fc.Memo<string> = fc.memo((depth) =>
    depth <= 1
      ? assignment
      : fc.oneof(
          { weight: 4, arbitrary: assignment },
          fc.tuple(name, expression(2)).map(([target, value]) => `let ${target} = ${value};`),
          fc
            .tuple(name, expression(2), statement())
            .map(([item, end, body]) => `for ${item} in 0..${end} { ${body} if n > 9 { break; } n += 1; }`),
          statement().map((body) => `while n < 6 { n += 1; ${body} }`),
          fc
            .tuple(statement(), statement())
            .map(([first, second]) => `if a == 1 { ${first} } else { ${second} }`),
          fc.tuple(statement(), name).map(([body, at]) => `try { ${body} } catch { print(${at}); }`),
          fc.tuple(statement(), statement()).map(([first, second]) => `{ ${first} ${second} }`),
          fc.tuple(name, expression(2)).map(([at, value]) => `${at}.push(${value});`),
          fc.tuple(name, expression(2)).map(([at, value]) => `${at}[0] = ${value};`),
          name.map((at) => `let f = |x| x + ${at}; print(f.call(1));`),
        ),
  );
  const begin = fc
    .tuple(literal, literal, literal, literal, literal)
    .map((values) => values.map((value, i) => `let ${"abcde"[i]} = ${value};`).join(" "));
  // Most statements may fail without ending the program.
  const guarded = fc
    .tuple(statement(3), fc.integer({ min: 0, max: 3 }))
    .map(([body, chance]) => (chance > 0 ? `try { ${body} } catch (err) { print(err); }` : body));
  return fc.tuple(begin, fc.array(guarded, { minLength: 1, maxLength: 8 })).map(([start, body]) => {
    const lines = [`fn id(x) { x }`, `fn run() { let n = 0; ${start}`, ...body, "[a, b, c, d, e] }"];
    return `${lines.join("\n")}\nrun()`;
  });
})();

test(
  "formulas over integers and floats give the same result whether or not types are inferred",
  async () => {
    await fc.assert(
      fc.asyncProperty(program, (source) => compare(source, { maxOperations: 5000, maxStringSize: 10_000 })),
      { numRuns: COUNT, seed: SEED },
    );
  },
  1000 * 60 * 60,
);

test("standard functions answer the type that they declare", async () => {
  const wrong = new Set<string>();
  const checked = new Engine();
  for (const group of checked.natives.groups()) {
    for (const [i, overload] of group.overloads.entries()) {
      const { fn, call } = overload;
      if (!KNOWN_TYPES.has(fn.returns) || fn.callsBack === true) continue;
      group.overloads[i] = {
        ...overload,
        call: (context, ...args) => {
          const value = call(context, ...args);
          if (!(value instanceof Promise) && typeName(value) !== fn.returns)
            wrong.add(`${fn.name}(${fn.params.join(", ")}) answers ${typeName(value)}, not ${fn.returns}`);
          return value;
        },
      };
    }
  }
  for (const { script } of readCases()) await outcome(checked, script, { maxOperations: 20_000 });
  expect([...wrong]).toEqual([]);
}, 120_000);

const KNOWN_TYPES: ReadonlySet<string> = new Set(["i64", "f64", "bool", "string", "array", "blob", "()"]);

test("functions on bare numbers answer what those on values do", () => {
  const context = {} as NativeContext;
  for (const group of engine.natives.groups()) {
    for (const { fn, call } of group.overloads) {
      const { bare } = fn;
      if (bare === undefined) continue;
      const { params } = fn;
      const numbers = fc.array(fc.oneof(fc.double(), fc.integer()), {
        minLength: params.length,
        maxLength: params.length,
      });
      fc.assert(
        fc.property(numbers, (given) => {
          const whole = given.map((value, i) => (params[i] === "i64" ? Math.trunc(value) || 0 : value));
          fc.pre(whole.every((value, i) => params[i] !== "i64" || Number.isSafeInteger(value)));
          const values = whole.map((value, i) => (params[i] === "i64" ? value : new Float(value)));
          const answer = call(context, ...values);
          expect(bare(...whole)).toBe(answer instanceof Float ? answer.value : (answer as boolean));
        }),
      );
    }
  }
});

/** The types of all variables of a script, by name; the last of several with one name. */
function typesOf(source: string): Record<string, string> {
  const parsed = parse(source, engine.limits);
  if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message);
  const writer = new ScriptWriter({
    script: parsed.script,
    natives: engine.natives,
    limits: engine.limits,
    suspension: { any: false, main: false, suspends: () => false, pointerProperty: () => false },
    allowEval: false,
    constants: new Set(),
    inferTypes: true,
    usesGlobals: false,
    isEval: false,
  });
  const { types } = analyse(writer, [], parsed.script.body);
  const found: Record<string, string> = {};
  const note = (ident: Ident | null): void => {
    if (ident === null || types === null) return;
    const { type, bits } = types.variable(ident);
    found[ident.name] = type === "number" ? `number ${bits}` : type;
  };
  const stmt = (one: Stmt): void => {
    if (one.kind === "Let") note(one.name);
    if (one.kind === "Try") note(one.variable);
    if (one.kind === "For") [one.item, one.counter].forEach(note);
  };
  for (const one of parsed.script.body) walkStmt(one, { stmt });
  return found;
}

describe("the type of a variable", () => {
  const cases: Readonly<Record<string, Record<string, string>>> = {
    "let x = 7;": { x: "number 3" },
    "let x = 9007199254740993;": { x: "int" },
    "let x = 1.5; x = x * 2;": { x: "float" },
    "let x = 1; x = 1.5;": { x: "any" },
    "let x; x = 1;": { x: "any" },
    "let x = 1; x = x + 200;": { x: "int" },
    "let i = 0; while i < 5 { i += 1; }": { i: "number 52" },
    "let i = 0; i += 1; i *= 2;": { i: "int" },
    "let s = 0; for i in 0..100 { s += i; }": { s: "int", i: "number 7" },
    "for i in 0..blob(3, 0).len { let x = i + 1; }": { i: "number 48", x: "number 49" },
    "for i in 9007199254740993..9007199254740999 {}": { i: "int" },
    "for (x, i) in [1] {}": { x: "any", i: "number 52" },
    "let x = 1; let f = || x;": { x: "any", f: "other" },
    "let x = 1; x.bump();": { x: "any" },
    "let x = 1; x[3] = true;": { x: "any" },
    "let a = []; a.push(1); a[0] = 2;": { a: "array" },
    "let b = blob(9, 0); let x = b[1] & 3; let n = b.len;": { b: "blob", x: "number 9", n: "number 48" },
    "let x = 2.sqrt(); let y = 2.0.sqrt(); let z = 3.to_float();": { x: "any", y: "float", z: "float" },
    "let x = 1 < 2; let y = !x;": { x: "bool", y: "bool" },
    "let x = if true { 1 } else { 300 };": { x: "number 9" },
    "let x = if true { 1 };": { x: "any" },
    "let x = switch 1 { 1 => 2.5, _ => return 1 };": { x: "float" },
    "let x = 1; { let x = 2.5; x += 1; } x += 1;": { x: "float" },
    "try { throw 1 } catch (e) { let x = e + 1.0; }": { e: "any", x: "any" },
    "let x = 5; let y = x / 2; let z = 1000000007 % x;": { x: "number 3", y: "number 3", z: "number 3" },
    "fn f() { 1 } let x = f();": { x: "any" },
  };
  for (const [source, expected] of Object.entries(cases)) {
    test(source, () => expect(typesOf(source)).toEqual(expected));
  }
});
