import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Expr,
  parse,
  parseEval,
  type ParseOptions,
  type Script,
  type Stmt,
} from "../../../src/rhai/syntax/index.ts";
import { treeText } from "./tree-text.ts";

const script = (source: string, options?: ParseOptions): Script => {
  const result = parse(source, options);
  if (!result.ok) throw new Error(`${source}: ${result.diagnostics[0].message}`);
  return result.script;
};

const stmt = (source: string): Stmt => {
  const [first] = script(source).body;
  if (first === undefined) throw new Error(`${source} has no statement`);
  return first;
};

const expr = (source: string): Expr => {
  const first = stmt(source);
  if (first.kind !== "Expr") throw new Error(`${source} is no expression`);
  return first.expr;
};

describe("trees recorded from the official parser", () => {
  const lines = readFileSync(join(import.meta.dir, "trees.jsonl"), "utf8")
    .trim()
    .split("\n");
  for (const line of lines) {
    const { script: source, tree }: { script: string; tree: string } = JSON.parse(line);
    test(JSON.stringify(source), () => expect(treeText(script(source))).toBe(tree));
  }
});

describe("chains", () => {
  test("parentheses do not break a chain", () => {
    expect(expr("(a.b)[0].c()")).toMatchObject({
      kind: "Chain",
      root: { kind: "Var", name: "a" },
      steps: [{ kind: "Property" }, { kind: "Index" }, { kind: "Method", name: "c" }],
    });
  });

  test("an index keeps its question mark only as the last of its row, before no period", () => {
    const optional = (source: string): boolean[] => {
      const chain = expr(source);
      return chain.kind === "Chain" ? chain.steps.map((step) => step.optional) : [];
    };
    expect(optional("a?[0]")).toEqual([true]);
    expect(optional("a?[0][1]")).toEqual([false, false]);
    expect(optional("a[0]?[1]")).toEqual([true, true]);
    expect(optional("a?[0].b")).toEqual([false, false]);
    expect(optional("a?.b?.c")).toEqual([true, true]);
  });
});

describe("closures", () => {
  const captures = (source: string): string[] => {
    const last = script(source).body.at(-1);
    const value = last?.kind === "Let" ? last.value : last?.kind === "Expr" ? last.expr : null;
    return value?.kind === "Closure" ? value.captures.map(({ name }) => name) : ["no closure"];
  };

  test("capture outer variables in the order of first mention, those of inner closures included", () => {
    expect(captures("let f = |x| b + x + a + b;")).toEqual(["b", "a"]);
    expect(captures("|x| { let l = a; |y| l + b + x + y }")).toEqual(["a", "b"]);
  });

  test("capture no properties, called names, namespaces or functions defined above", () => {
    expect(captures("|| a.b.c")).toEqual(["a"]);
    expect(captures("|| f(1)")).toEqual([]);
    expect(captures("|| m::x")).toEqual([]);
    expect(captures("fn f() {} || f")).toEqual([]);
    expect(captures("|| f; ")).toEqual(["f"]);
  });
});

describe("documentation", () => {
  test("goes to the function behind it and to the script", () => {
    const { comments, functions } = script("//! a\n//! b\n/// one\n/// two\nprivate fn f() {}\nfn g() {}");
    expect(comments).toEqual(["//! a", "//! b"]);
    expect(functions.map((fn) => fn.comments)).toEqual([["/// one\n/// two"], []]);
  });
});

describe("eval", () => {
  test("cuts white space off before it counts places", () => {
    const result = parseEval("\n \u2003 a b\u00a0");
    expect(result.ok ? null : [result.diagnostics[0].line, result.diagnostics[0].column]).toEqual([1, 3]);
  });

  test("takes neither functions nor closures, and tells no place", () => {
    for (const source of ["fn f() {}", "let f = |x| x;", "1 + (|| 2).call()"]) {
      const result = parseEval(source);
      expect(result.ok ? null : result.diagnostics[0]).toMatchObject({
        code: "WrongFnDefinition",
        line: null,
      });
    }
  });

  test("may be empty", () => {
    expect(parseEval("  ")).toEqual({ ok: true, script: { body: [], functions: [], comments: [] } });
  });
});

describe("limits", () => {
  const code = (source: string, options: ParseOptions): string => {
    const result = parse(source, options);
    return result.ok ? "ok" : result.diagnostics[0].code;
  };

  test("functions and closures count together", () => {
    expect(code("fn f() {} || 1", { maxFunctions: 2 })).toBe("ok");
    expect(code("fn f() {} || 1; || 2", { maxFunctions: 2 })).toBe("TooManyFunctions");
    expect(code("|| 1; fn f() {} fn g() {}", { maxFunctions: 2 })).toBe("TooManyFunctions");
  });

  test("a full array literal is too large, a full map literal is not", () => {
    expect(code("[1, 2]", { maxArraySize: 3 })).toBe("ok");
    expect(code("[1, 2, 3]", { maxArraySize: 3 })).toBe("LiteralTooLarge");
    expect(code("#{a: 1, b: 2}", { maxMapSize: 2 })).toBe("ok");
    expect(code("#{a: 1, b: 2, c: 3}", { maxMapSize: 2 })).toBe("LiteralTooLarge");
  });

  test("functions have a depth of their own, closures that of their surroundings", () => {
    const deep = (depth: number) => `${"(".repeat(depth)}1${")".repeat(depth)}`;
    expect(code(deep(29), {})).toBe("ok");
    expect(code(`fn f() { ${deep(29)} }`, {})).toBe("ExprTooDeep");
    expect(code(`fn f() { ${deep(12)} }`, {})).toBe("ok");
    expect(code(`|| ${deep(25)}`, {})).toBe("ok");
  });

  test("every operator of a flat row is a level", () => {
    expect(code(`1${"+1".repeat(61)}`, {})).toBe("ok");
    expect(code(`1${"+1".repeat(64)}`, {})).toBe("ExprTooDeep");
  });
});
