import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { waitFor } from "./support/wait.ts";
import { PASSWORD, USERNAME, workplace } from "./cli/support/server.ts";

setDefaultTimeout(60_000);

const place = workplace();
const readme = readFileSync(resolve(import.meta.dir, "../README.md"), "utf8");
const written = /^## Write scripts\n(.*?)^## /ms.exec(readme)?.[1] ?? "";

/** Scripts say in their first line what they are called, and where they answer or that they are modules. */
const SCRIPT = /^```rhai\n(\/\/ (\w+)\.rhai, (?:at (\S+)|a module)\n.*?)^```$/gms;
/** Commands after a dollar sign, each with what it prints below it. */
const CONSOLE = /^```console\n(.*?)^```$/gms;

async function deploy(name: string, source: string, query: string): Promise<number> {
  const answer = await fetch(`${place.url}/api/v1/admin/apps/default/scripts/${name}?${query}`, {
    method: "PUT",
    headers: { authorization: `Basic ${btoa(`${USERNAME}:${PASSWORD}`)}` },
    body: source,
  });
  return answer.status;
}

test("the scripts in the README can be deployed, and answer as it says", async () => {
  const scripts = [...written.matchAll(SCRIPT)];
  expect(scripts.length).toBeGreaterThan(5);
  for (const [, source = "", name = "", path] of scripts) {
    const query = path === undefined ? "kind=module" : `route=${encodeURIComponent(path)}`;
    expect([name, await deploy(name, source, query)]).toEqual([name, 201]);
  }

  const commands = [...written.matchAll(CONSOLE)].flatMap(([, block = ""]) => block.split(/^\$ /m).slice(1));
  expect(commands.length).toBeGreaterThan(5);
  for (const text of commands) {
    // A command goes on in the next line after a backslash.
    const [, command = "", expected = ""] = /^((?:.*\\\n)*.*)\n([^]*)$/.exec(text) ?? [];
    const here = command
      .replaceAll("http://127.0.0.1:8080", place.url)
      .replace("curl", "curl -sS")
      .replace("admin:PASSWORD", `"${USERNAME}:${PASSWORD}"`);
    // Not spawnSync: the server is in this process.
    const shell = Bun.spawn(["sh", "-c", here], { cwd: place.folder, stderr: "pipe" });
    const printed = (await shell.stderr.text()) + (await shell.stdout.text());
    await waitFor("no event waits", async () => {
      const metrics = await (await fetch(`${place.url}/metrics`)).text();
      return !metrics.includes("picloud_outbox_pending{");
    });
    expect(`${command}\n${printed}`).toBe(`${command}\n${expected.trimEnd()}`);
  }
});

test("its links lead somewhere", async () => {
  const anchors = new Set(
    [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
  for (const [, target = ""] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith("#")) expect(anchors).toContain(target.slice(1));
    else if (!/^https?:/.test(target)) {
      expect([target, await Bun.file(resolve(import.meta.dir, "..", target)).exists()]).toEqual([
        target,
        true,
      ]);
    }
  }
});
