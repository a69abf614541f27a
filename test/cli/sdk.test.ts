import { expect, test } from "bun:test";
import { sdkReference } from "../../src/executor/sdk/reference/index.ts";
import { folderWith, picloud } from "./support/picloud.ts";

const folder = folderWith({
  "data.rhai": 'kv::collection("a").get("b")',
  "tools.rhai": 'hex::encode(hash::sha1("abc").to_blob()).len() + random::int(1, 1)',
});

test("prints what scripts can use as a page", async () => {
  const { exit, stdout } = await picloud(folder, ["sdk"]);
  expect(exit).toBe(0);
  expect(stdout).toStartWith("# What scripts can use\n");
  expect(stdout).toContain("#### `KvCollection.get(key: string) -> any`");
});

test("prints the same as data", async () => {
  const { stdout } = await picloud(folder, ["sdk", "--json"]);
  expect(JSON.parse(stdout)).toEqual(sdkReference());
});

test("a script that needs a server's data is told so without one", async () => {
  expect(await picloud(folder, ["run", "data.rhai"])).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "data.rhai:1:1: Module not found: kv (line 1, position 1)\n" +
      '  1 | kv::collection("a").get("b")\n' +
      "    | ^\n" +
      "kv:: is there on a server only, which keeps the data: deploy the script to run it.\n",
  });
});

test("the small tools are there for scripts that run without a server", async () => {
  expect(await picloud(folder, ["run", "tools.rhai"])).toEqual({ exit: 0, stdout: "81\n", stderr: "" });
});
