import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isIncomplete } from "../../src/cli/repl-input.ts";
import { prettyJson } from "../../src/shared/pretty-json.ts";
import { ReplHistory } from "../../src/cli/repl-history.ts";
import { Engine } from "../../src/rhai/index.ts";
import { folderWith, picloud, type Ended } from "./support/picloud.ts";

const folder = folderWith({ "lib.rhai": "export const ONE = 1; fn twice(x) { x * 2 }" });
const repl = (...lines: string[]): Promise<Ended> => picloud(folder, ["repl"], lines.join("\n"));

test("shows values in debug form, and nothing for ()", async () => {
  expect(await repl('"a\\nb"', "'c'", "1.0", "()", "let x = 1;", "", "[x]")).toEqual({
    exit: 0,
    stdout: "\"a\\nb\"\n'c'\n1.0\n[1]\n",
    stderr: "",
  });
});

test("variables, constants, functions, closures and imports stay", async () => {
  const { stdout, stderr } = await repl(
    "let x = 1;",
    "x += 1;",
    "const K = 10;",
    "fn add(a) { a + global::K }",
    "let c = |y| { x += y; x };",
    'import "lib" as lib;',
    "add(x)",
    "c.call(5)",
    "lib::twice(x) + lib::ONE",
  );
  expect([stdout, stderr]).toEqual(["12\n7\n15\n", ""]);
});

test("an input goes on until it is complete", async () => {
  const { stdout, stderr } = await repl(
    "fn f(a) {",
    "",
    "  a + 1",
    "}",
    "`a",
    "b`",
    "f(",
    "1",
    ")",
    "/* 1",
    "*/ 2",
  );
  expect([stdout, stderr]).toEqual(['"a\\nb"\n2\n2\n', ""]);
});

test("errors have a caret, also in what was entered before, and the session goes on", async () => {
  expect(await repl("fn f() {", "  throw 1", "}", "let x = ;", "f()", "7")).toEqual({
    exit: 1,
    stdout: "7\n",
    stderr:
      "Syntax error: Unexpected ';' (line 4, position 9)\n" +
      "  4 | let x = ;\n" +
      "    |         ^\n" +
      "Runtime error: 1 (line 2, position 3)\n" +
      "  2 |   throw 1\n" +
      "    |   ^\n" +
      "in call to function 'f' (line 5, position 1)\n" +
      "  5 | f()\n" +
      "    | ^\n",
  });
});

test("an input that never becomes complete is an error", async () => {
  const { exit, stderr } = await repl("1 +");
  expect(exit).toBe(1);
  expect(stderr).toStartWith("Syntax error: Script is incomplete");
});

test("knows help and quit", async () => {
  const { exit, stdout } = await repl(":help", ":quit", "1");
  expect(exit).toBe(0);
  expect(stdout).toContain(":quit");
  expect(stdout).not.toContain("\n1\n");
  expect((await repl(":nope")).stderr).toBe("There is no command :nope; :help lists them.\n");
});

test("every input has the limits of a run", async () => {
  const { stdout, stderr } = await repl("loop {}", "1");
  expect(stdout).toBe("1\n");
  expect(stderr).toStartWith("Too many operations");
});

test("tells what is not complete from what is wrong", () => {
  const session = new Engine().session();
  const check = (text: string) => session.check(text);
  const incomplete = [
    "fn f(",
    "fn f()",
    "[1,",
    "#{ a: 1",
    "if x",
    "x.",
    "let a =",
    "`a",
    "`${ 1",
    "/* a",
    "{ 1",
  ];
  const rest = ["1", "let x = ;", '"abc', "'a", "1 )", "}", "// {", '"/*"', "0x", "let x = 1; /* a */"];
  expect(incomplete.filter((text) => !isIncomplete(text, 1, check))).toEqual([]);
  expect(rest.filter((text) => isIncomplete(text, 1, check))).toEqual([]);
});

test("the history has the latest lines of earlier sessions, latest first", () => {
  const path = join(folder, "state/picloud/repl-history");
  const first = new ReplHistory(path);
  expect(first.lines).toEqual([]);
  for (const line of ["let x = 1;", "  ", "x"]) first.add(line);
  expect(new ReplHistory(path).lines).toEqual(["x", "let x = 1;"]);
  writeFileSync(path, Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(""));
  const cut = new ReplHistory(path);
  expect([cut.lines.length, cut.lines[0], cut.lines.at(-1)]).toEqual([1000, "4999", "4000"]);
});

test("JSON for people keeps numbers and strings as they are", () => {
  expect(prettyJson('{"a":[1.0,9007199254740993],"b":{},"c":"{[\\",: "}')).toBe(
    '{\n  "a": [\n    1.0,\n    9007199254740993\n  ],\n  "b": {},\n  "c": "{[\\",: "\n}',
  );
});
