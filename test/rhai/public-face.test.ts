import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import * as rhai from "../../src/rhai/index.ts";

const FILE = join(import.meta.dir, "../../src/rhai/index.ts");

/** The code of the examples in the docstring of the library's face. */
function examples(): string[] {
  const [docs = ""] = readFileSync(FILE, "utf8").split("*/\n", 1);
  return docs
    .split("@example\n")
    .slice(1)
    .map((part) =>
      part
        .split("\n")
        .map((line) => line.replace(/^ \* ?/, ""))
        .join("\n")
        .replaceAll("*\\/", "*/"),
    );
}

describe("the examples of the public face work as written", () => {
  for (const code of examples()) {
    test(code.split("\n")[0]?.replace("// ", "") ?? "", async () => {
      const names = Object.keys(rhai);
      const run = new Function(...names, "expect", `return (async () => {\n${code}\n})();`);
      await run(...Object.values(rhai), expect);
      expect.hasAssertions();
    });
  }

  test("there are as many as the docstring begins", () => {
    expect(examples().length).toBeGreaterThan(9);
  });
});
