import { expect, test } from "bun:test";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { folderWith, picloud } from "./support/picloud.ts";

const UGLY = "let   x=1;x";
const PRETTY = "let x = 1;\nx\n";

test("formats in place, and prints the names of what changed", async () => {
  const folder = folderWith({ "ugly.rhai": UGLY, "pretty.rhai": PRETTY, "lib/ugly.rhai": UGLY });
  chmodSync(join(folder, "ugly.rhai"), 0o640);
  expect(await picloud(folder, ["fmt", "ugly.rhai", "pretty.rhai", "lib"])).toEqual({
    exit: 0,
    stdout: "ugly.rhai\nlib/ugly.rhai\n",
    stderr: "",
  });
  expect(readFileSync(join(folder, "ugly.rhai"), "utf8")).toBe(PRETTY);
  expect(readFileSync(join(folder, "lib/ugly.rhai"), "utf8")).toBe(PRETTY);
  expect(statSync(join(folder, "ugly.rhai")).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).toSorted()).toEqual(["lib", "pretty.rhai", "ugly.rhai"]);
});

test("a file that is formatted already is not written", async () => {
  const folder = folderWith({ "pretty.rhai": PRETTY });
  const before = statSync(join(folder, "pretty.rhai"));
  expect((await picloud(folder, ["fmt", "pretty.rhai"])).stdout).toBe("");
  const after = statSync(join(folder, "pretty.rhai"));
  expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
});

test("a link stays one, and what it leads to is formatted", async () => {
  const folder = folderWith({ "real.rhai": UGLY });
  symlinkSync("real.rhai", join(folder, "link.rhai"));
  await picloud(folder, ["fmt", "link.rhai"]);
  expect(lstatSync(join(folder, "link.rhai")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "real.rhai"), "utf8")).toBe(PRETTY);
});

test("--check changes nothing and lists what would change", async () => {
  const folder = folderWith({ "ugly.rhai": UGLY, "pretty.rhai": PRETTY });
  expect(await picloud(folder, ["fmt", "--check", "."])).toEqual({
    exit: 1,
    stdout: "ugly.rhai\n",
    stderr: "",
  });
  expect(readFileSync(join(folder, "ugly.rhai"), "utf8")).toBe(UGLY);
  expect((await picloud(folder, ["fmt", "--check", "pretty.rhai"])).exit).toBe(0);
});

test("formats stdin to stdout", async () => {
  const folder = folderWith({});
  expect(await picloud(folder, ["fmt", "-"], UGLY)).toEqual({ exit: 0, stdout: PRETTY, stderr: "" });
});

test("leaves alone what does not parse, and tells why", async () => {
  const folder = folderWith({ "bad.rhai": "let  x = ;", "ugly.rhai": UGLY });
  const { exit, stdout, stderr } = await picloud(folder, ["fmt", "bad.rhai", "ugly.rhai", "nope.rhai"]);
  expect(exit).toBe(1);
  expect(stdout).toBe("ugly.rhai\n");
  expect(stderr).toStartWith("bad.rhai:1:10: Syntax error: Unexpected ';' (line 1, position 10)\n  1 | ");
  expect(stderr).toEndWith("picloud: nope.rhai: there is no such file.\n");
  expect(readFileSync(join(folder, "bad.rhai"), "utf8")).toBe("let  x = ;");
  expect((await picloud(folder, ["fmt"])).exit).toBe(2);
});
