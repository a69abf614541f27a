import { expect, test } from "bun:test";
import { sdkReference } from "../../src/executor/sdk/reference/index.ts";
import { folderWith, picloud } from "./support/picloud.ts";

const folder = folderWith({
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

test("the small tools are there for scripts that run without a server", async () => {
  expect(await picloud(folder, ["run", "tools.rhai"])).toEqual({ exit: 0, stdout: "81\n", stderr: "" });
});
