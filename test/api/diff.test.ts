import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { differences } from "../../src/manager/scripts/diff.ts";
import { startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";
import { expectProblem, runScenarios, viewersGet } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let id = "";
beforeAll(async () => {
  plane = await startControlPlane();
  id = (await save("let a = 1;\nlet b = 2;\na + b\n")).json.script.id;
  await plane.call("editor", "PUT", `/scripts/${id}`, {
    body: {
      source: "let a = 1;\nlet b = 3;\na + b\n",
      timeout_seconds: 7,
      sandbox: { max_operations: 500 },
    },
  });
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const save = (raw: string) => plane.call("editor", "PUT", "/apps/blog/scripts/post", { raw });
const diff = (query: string) => plane.call("viewer", "GET", `/scripts/${id}/diff${query}`);

const EXPECTED = `# timeout_seconds: 30 -> 7
# sandbox.max_operations: default -> 500
--- a/post.rhai\tversion 1
+++ b/post.rhai\tversion 2
@@ -1,3 +1,3 @@
 let a = 1;
-let b = 2;
+let b = 3;
 a + b
`;

describe("GET /scripts/{id}/diff", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /scripts/{id}/diff",
        method: "GET",
        path: () => `/scripts/${id}/diff?from=1&to=2`,
        expect: viewersGet(200),
        check: ({ text, headers }) => {
          expect(text).toBe(EXPECTED);
          expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
        },
      },
    ],
  );

  test("the other way round, and between a version and itself", async () => {
    const { text } = await diff("?from=2&to=1");
    expect(text).toContain("# timeout_seconds: 7 -> 30\n# sandbox.max_operations: 500 -> default\n");
    expect(text).toContain("-let b = 3;\n+let b = 2;\n");
    expect(await diff("?from=2&to=2")).toMatchObject({ status: 200, text: "" });
  });

  test("versions that are not there are 404, numbers that are none 422", async () => {
    expectProblem(await diff("?from=1&to=9"), "not_found");
    for (const query of [
      "",
      "?from=1",
      "?from=a&to=1",
      "?from=0&to=1",
      "?from=1&to=1.5",
      "?from=1&to=99999999999",
    ]) {
      expect(expectProblem(await diff(query)).status).toBe(422);
    }
  });
});

describe("a diff", () => {
  const version = (number: number, source: string) => ({
    version: number,
    source,
    timeout_seconds: 30,
    memory_limit_mb: 64,
    sandbox: {},
  });

  test.each([
    ["small changes", "a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nX\nd\ne\nf\ng\nh\ni\n"],
    ["no newline at the end", "a\nb", "a\nb\n"],
    ["a carriage return", "a\r\nb\r\n", "a\nb\n"],
    ["all of it", lines("x", 6000), lines("y", 6000)],
    ["all of it, without newlines at the end", lines("x", 6000).trim(), lines("y", 5000).trim()],
  ])("of %s is one that patch applies", async (_name, before, after) => {
    const directory = await mkdtemp(join(tmpdir(), "picloud-diff-"));
    try {
      const file = join(directory, "s.rhai");
      await Bun.write(file, before);
      const patch = differences("s.rhai", version(1, before), version(2, after));
      const git = Bun.spawn(["git", "apply", "--unsafe-paths", "-p1", "-"], {
        cwd: directory,
        stdin: new Blob([patch]),
        stderr: "pipe",
      });
      expect(await new Response(git.stderr).text()).toBe("");
      expect(await Bun.file(file).text()).toBe(after);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("of sources that have nothing in common says so instead of searching long", () => {
    const text = differences("s.rhai", version(1, lines("x", 30_000)), version(2, lines("y", 30_000)));
    expect(text).toStartWith("# too different to be compared line by line");
    expect(text).toContain("@@ -1,30000 +1,30000 @@");
  });
});

const lines = (word: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${word}${index}\n`).join("");
