import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { removeDataDirectory, temporaryDirectory } from "../support/test-server.ts";
import { folderWith, picloud } from "./support/picloud.ts";

const folder = folderWith({});
const FIRST = Buffer.alloc(32, 1).toString("base64");
const SECOND = Buffer.alloc(32, 2).toString("base64");

let dataDir = "";
beforeAll(async () => {
  dataDir = await temporaryDirectory();
});
afterAll(() => removeDataDirectory(dataDir), 60_000);

const start = (environment: Record<string, string>) =>
  startApp(
    loadConfig(
      { listen: "127.0.0.1:0", dataDir },
      { PICLOUD_ADMIN_USERNAME: "admin", PICLOUD_ADMIN_PASSWORD: "correct horse", ...environment },
      false,
    ),
    () => {},
  );

test("a changed secret key: the start is refused without the old one, and needs it no more after rotate-key", async () => {
  const app = await start({ PICLOUD_SECRET_KEY: FIRST });
  const set = await fetch(`${app.url}/api/v1/admin/apps/default/secrets`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa("admin:correct horse")}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "A", value: "x" }),
  });
  expect(set.status).toBe(201);
  const keyless = await picloud(folder, ["rotate-key", "--data-dir", dataDir]);
  expect([keyless.exit, keyless.stderr]).toEqual([
    1,
    expect.stringContaining("Set PICLOUD_SECRET_KEY as the server has it"),
  ]);
  await app.stop();

  await expect(start({ PICLOUD_SECRET_KEY: SECOND })).rejects.toThrow("PICLOUD_SECRET_KEYS_OLD");
  const without = await picloud(folder, ["rotate-key", "--data-dir", dataDir], "", {
    PICLOUD_SECRET_KEY: SECOND,
  });
  expect([without.exit, without.stderr]).toEqual([1, expect.stringContaining("PICLOUD_SECRET_KEYS_OLD")]);

  const keys = { PICLOUD_SECRET_KEY: SECOND, PICLOUD_SECRET_KEYS_OLD: FIRST };
  const running = await start(keys);
  const rotated = await picloud(folder, ["rotate-key", "--data-dir", dataDir], "", keys);
  expect([rotated.exit, rotated.stdout]).toEqual([0, ""]);
  expect(rotated.stderr).toEndWith(
    "1 of 1 app is sealed with the current key\nDone: 1 sealed anew.\nPICLOUD_SECRET_KEYS_OLD is of no use any more.\n",
  );
  await running.stop();
  const again = await picloud(folder, ["rotate-key", "--data-dir", dataDir], "", keys);
  expect(again.stderr).toContain("Nothing to do: everything is sealed with the current key.");

  const after = await start({ PICLOUD_SECRET_KEY: SECOND });
  await after.stop();
}, 120_000);

test("keys that are none are refused by name, and not repeated", async () => {
  const ended = await picloud(folder, ["rotate-key", "--data-dir", dataDir], "", {
    PICLOUD_SECRET_KEYS_OLD: `${FIRST}, c2hvcnQ=`,
  });
  expect(ended.exit).toBe(2);
  expect(ended.stderr).toStartWith(
    "picloud: PICLOUD_SECRET_KEYS_OLD: it is not the base64 text of exactly 32 bytes",
  );
  expect(ended.stderr).not.toContain("c2hvcnQ");
});
