import { expect, test } from "bun:test";
import { waitFor } from "../../support/wait.ts";
import { workplace } from "../support/server.ts";

const place = workplace({
  "inbox.rhai": 'if ctx.event != () { kv::collection("mail").incr("n"); } kv::collection("mail").get("n")',
});

interface Made {
  readonly id: string;
  readonly about: string;
  readonly inbound_secret?: string;
}

/** A command that must succeed. @returns its rows, and what it said besides */
async function ok(...args: string[]): Promise<{ readonly rows: readonly Made[]; readonly said: string }> {
  const { exit, stdout, stderr } = await place.run([...args, "--output", "json"]);
  expect([exit, stderr]).toEqual([0, stderr]);
  return { rows: JSON.parse(stdout), said: stderr };
}

/** What the example in a message prints when it is run. */
async function runExample(said: string): Promise<string> {
  const example = /posted like this:\n([^]*)$/.exec(said)?.[1] ?? "";
  // Not spawnSync: the server is in this process.
  const shell = Bun.spawn(["sh", "-c", example.replace("curl", "curl -sS")], { stderr: "pipe" });
  return (await shell.stderr.text()) + (await shell.stdout.text());
}
const count = async (): Promise<string> => (await fetch(`${place.url}/inbox`)).text();

test("a trigger for e-mail tells its secret once, and how a message is posted to it", async () => {
  await place.run(["deploy", "inbox.rhai", "--route", "/inbox"]);
  const { rows, said } = await ok("triggers", "add", "email", "inbox");
  const [made] = rows;
  const secret = made?.inbound_secret ?? "";
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(made?.about).toMatch(/^\/api\/v1\/email-inbound\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/);
  expect(said).toContain("it is not shown again");
  expect(await runExample(said)).toContain('"duplicate":false');
  await waitFor("the message is delivered", async () => (await count()) === "1");

  const listed = await place.run(["triggers", "ls", "--output", "json"]);
  expect(listed.stdout).not.toContain(secret);
  expect(listed.stdout).not.toContain("inbound_secret");
  const fresh = await ok("triggers", "new-secret", made?.id ?? "");
  expect(fresh.rows[0]?.inbound_secret).not.toBe(secret);
  // Signed with the secret of before.
  expect(await runExample(said)).toContain("signature_invalid");
  expect(await runExample(fresh.said)).toContain('"duplicate":false');
  await waitFor("the message is delivered", async () => (await count()) === "2");
  // Neither secret nor signature is anywhere.
  const places = ["/audit", "/apps/default/executions", "/apps/default/triggers", "/apps/default/secrets"];
  for (const path of places) {
    const text = await (await place.call("GET", path)).text();
    expect(text).not.toContain(secret);
    expect(text).not.toContain(fresh.rows[0]?.inbound_secret ?? "none");
  }
});

test("one without a secret says so", async () => {
  const { rows, said } = await ok("triggers", "add", "email", "inbox", "--no-secret");
  expect(rows[0]?.about).toMatch(/ unsigned$/);
  expect(said).not.toContain("Signature");
  expect(await runExample(said)).toContain('"duplicate":false');
});
