import { afterEach, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { folderWith, onTerminal, type Dialogue } from "./support/picloud.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const UP = "\x1b[A";

let open: Dialogue | null = null;
afterEach(() => open?.kill());

test("the REPL edits lines, drops one on Ctrl-C, leaves on Ctrl-D and remembers", async () => {
  const folder = folderWith({});
  const first = (open = onTerminal(folder, ["repl"]));
  await first.until("1> ");
  first.type("fn f() {\r");
  await first.until(".. ");
  first.type(CTRL_C);
  await first.until("1> ");
  first.type("nonsense(");
  first.type(CTRL_C);
  await first.until("1> ");
  first.type("6 * 7\r");
  await first.until("42");
  await first.until("2> ");
  first.type(CTRL_D);
  expect(await first.exited).toBe(0);

  const history = join(folder, "state/picloud/repl-history");
  expect(readFileSync(history, "utf8")).toBe("fn f() {\n6 * 7\n");
  expect(statSync(history).mode & 0o777).toBe(0o600);

  const second = (open = onTerminal(folder, ["repl"]));
  await second.until("1> ");
  second.type(`${UP}\r`);
  await second.until("42");
  second.type(":quit\r");
  expect(await second.exited).toBe(0);
});

test("JSON is laid out for people on a terminal", async () => {
  const folder = folderWith({ "map.rhai": "#{ a: [1, 2.0] }" });
  const run = (open = onTerminal(folder, ["run", "map.rhai"]));
  expect(await run.exited).toBe(0);
  await run.until('{\r\n  "a": [\r\n    1,\r\n    2.0\r\n  ]\r\n}\r\n');
});
