import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Installation, type PiCloud } from "./support/picloud.ts";

const installation = new Installation();
let server: PiCloud;
beforeAll(async () => {
  server = await installation.serve();
}, 60_000);
afterAll(() => installation.remove());

const CREDENTIALS = join(installation.folder, ".config/picloud/credentials.toml");

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await installation.run(args);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  return stdout;
}

test("the binary signs in to the server that it is itself, deploys and invokes", async () => {
  if (server.login === null) throw new Error(server.output());
  const answer = await new Client(server.url, server.login).fetch("/api/v1/admin/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(server.login),
  });
  const { token } = (await answer.json()) as { token: string };
  await ok("login", "--url", server.url, "--token", token);
  expect(statSync(CREDENTIALS).mode & 0o777).toBe(0o600);
  expect(await ok("whoami")).toContain(`url\t${server.url}\nusername\tadmin\n`);

  writeFileSync(join(installation.folder, "hello.rhai"), 'log::info("called"); "Hello!"');
  expect(await ok("deploy", "hello.rhai", "--route", "/hi")).toContain(`${server.url}/hi`);
  expect(await ok("invoke", "hello")).toBe("Hello!");
  expect(await (await fetch(`${server.url}/hi`)).text()).toBe("Hello!");
});

test("an app in a folder is applied; a fault in its file is shown with its place", async () => {
  const folder = join(installation.folder, "shop");
  mkdirSync(folder);
  writeFileSync(join(folder, "one.rhai"), "1");
  writeFileSync(join(folder, "picloud.toml"), '[app]\nslug = "shop"\n\n[scripts.one]\nroutes = ["/one"]\n');
  expect(await ok("apply", "shop")).toContain("create\troute\t/one of one");
  expect(await ok("apply", "shop")).not.toContain("create");
  writeFileSync(join(folder, "picloud.toml"), "[app]\nslug = \n");
  const refused = await installation.run(["apply", "shop"]);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("shop/picloud.toml:2:8: ")]);
  writeFileSync(join(folder, "picloud.toml"), '[app]\nslug = "shop"\nname = 1\n');
  const wrong = await installation.run(["apply", "shop"]);
  expect([wrong.code, wrong.stderr]).toEqual([5, "picloud: shop/picloud.toml: app.name must be a text.\n"]);
});

test("secrets, keys and completions work in the binary too", async () => {
  await ok("secrets", "set", "KEY", "--value", "v");
  expect(await ok("secrets", "ls")).toMatch(/^name\tupdated_at\nKEY\t/);
  expect(await ok("rotate-key", "--data-dir", installation.dataDir)).toBe("");
  expect(await ok("completions", "bash")).toContain("complete -F _picloud picloud pic\n");
  expect((await installation.run(["apps", "show", "missing"])).code).toBe(4);
});

test("through a link named pic it goes by that name", async () => {
  const link = join(installation.folder, "pic");
  symlinkSync(installation.binary, link);
  const help = Bun.spawnSync([link, "--help"]);
  expect(help.stdout.toString()).toStartWith("Usage: pic [options] [command]");
});
