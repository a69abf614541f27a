import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith, picloud } from "./support/picloud.ts";

const folder = folderWith({
  "good.rhai": "let x = ctx.request; x",
  "bad.rhai": "let a = 1;\nlet x = ;\n",
  "lib/deep/bad too.rhai": "1 +",
  "lib/good.rhai": "1",
  "lib/notes.txt": "let let",
});

test("says nothing on stdout when all is well", async () => {
  expect(await picloud(folder, ["check", "good.rhai", "lib/good.rhai"])).toEqual({
    exit: 0,
    stdout: "",
    stderr: "2 files checked, no errors\n",
  });
});

test("shows file, line, column and a caret, and checks the other files too", async () => {
  expect(await picloud(folder, ["check", "bad.rhai", "good.rhai"])).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "bad.rhai:2:9: Syntax error: Unexpected ';' (line 2, position 9)\n" +
      "  2 | let x = ;\n" +
      "    |         ^\n" +
      "2 files checked, 1 with errors\n",
  });
});

test("takes all scripts below a folder", async () => {
  const { exit, stderr } = await picloud(folder, ["check", "lib"]);
  expect(exit).toBe(1);
  expect(stderr).toContain("lib/deep/bad too.rhai:1:4: Syntax error: Script is incomplete");
  expect(stderr).toEndWith("2 files checked, 1 with errors\n");
});

test("reads stdin for -", async () => {
  expect((await picloud(folder, ["check", "-"], "40 + 2")).exit).toBe(0);
  const { exit, stderr } = await picloud(folder, ["check", "-"], "let");
  expect(exit).toBe(1);
  expect(stderr).toStartWith("(stdin):1:4: Syntax error: Expecting name of a variable");
});

test("names a file that is not there, and a folder without scripts", async () => {
  const { exit, stderr } = await picloud(folder, ["check", "nope.rhai", "good.rhai"]);
  expect(exit).toBe(1);
  expect(stderr).toBe("picloud: nope.rhai: there is no such file.\n2 files checked, 1 with errors\n");
  const empty = await picloud(folderWith({ "a.txt": "" }), ["check", "."]);
  expect(empty.exit).toBe(1);
  expect(empty.stderr).toContain("there is no .rhai file in this folder");
});

test("refuses what is not UTF-8", async () => {
  writeFileSync(join(folder, "latin1.rhai"), Buffer.from("'\xe9'", "latin1"));
  const { exit, stderr } = await picloud(folder, ["check", "latin1.rhai"]);
  expect(exit).toBe(1);
  expect(stderr).toStartWith("picloud: latin1.rhai: this is not UTF-8 text.\n");
});

test("is used wrongly without an argument", async () => {
  const { exit, stdout, stderr } = await picloud(folder, ["check"]);
  expect(exit).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain("missing required argument 'file'");
});
