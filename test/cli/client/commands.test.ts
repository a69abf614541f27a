import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTerminal } from "../support/picloud.ts";
import { workplace } from "../support/server.ts";

const place = workplace({
  "hello.rhai": '`Hello, ${ctx.request.params.name ?? "you"}!`',
  "echo.rhai": '#{ body: ctx.request.body, header: ctx.request.headers["x-a"] }',
  "bad.rhai": "let a = 1;\nlet x = ;\n",
  "many/one.rhai": "1",
  "twins/a/same.rhai": "1",
  "twins/b/same.rhai": "1",
  "many/two.rhai": "2",
  "mixed/bad.rhai": "let x = ;",
  "mixed/good.rhai": "1",
});

/** The rows of TSV as objects. */
function rowsOf(tsv: string): Record<string, string>[] {
  const [header = "", ...lines] = tsv.trimEnd().split("\n");
  const names = header.split("\t");
  return lines.map((line) =>
    Object.fromEntries(line.split("\t").map((text, index) => [names[index] ?? "", text])),
  );
}

const run = async (...args: string[]) => place.run(args);
/** A command that must succeed. @returns its stdout */
async function ok(...args: string[]): Promise<string> {
  const ended = await place.run(args);
  expect(ended).toEqual({ exit: 0, stdout: ended.stdout, stderr: expect.any(String) });
  return ended.stdout;
}

describe("deploy", () => {
  test("prints version and URLs, and the URL answers", async () => {
    const [first] = rowsOf(await ok("deploy", "hello.rhai", "--route", "/hi", "--route", "/hi/:name"));
    const urls = (first?.["urls"] ?? "").split(",");
    expect(urls).toContain(`${place.url}/hi`);
    expect(await (await fetch(`${place.url}/hi/Ada`)).text()).toBe("Hello, Ada!");
    writeFileSync(join(place.folder, "hello.rhai"), "`Hi, ${ctx.request.params.name}!`");
    const [second] = rowsOf(await ok("scripts", "deploy", "hello.rhai", "--app", "default"));
    expect(Number(second?.["version"])).toBe(Number(first?.["version"]) + 1);
    expect(await (await fetch(`${place.url}/hi/Ada`)).text()).toBe("Hi, Ada!");
  });

  test("a source that does not compile: exit code 5, the place and the caret", async () => {
    expect(await run("deploy", "bad.rhai")).toEqual({
      exit: 5,
      stdout: "",
      stderr:
        "picloud: bad.rhai: HTTP 422: The script does not compile: Unexpected ';' (line 2, column 9).\nlet x = ;\n        ^\n",
    });
  });

  test("a folder deploys each of its scripts", async () => {
    expect(rowsOf(await ok("deploy", "many")).map(({ name }) => name)).toEqual(["one", "two"]);
  });

  test("a script that is refused keeps the others of its folder not back", async () => {
    const { exit, stdout, stderr } = await run("deploy", "mixed");
    expect(exit).toBe(5);
    expect(rowsOf(stdout).map(({ name }) => name)).toEqual(["good"]);
    expect(stderr).toContain("mixed/bad.rhai: HTTP 422: ");
    expect(stderr).toEndWith("picloud: 1 of 2 scripts were refused, see above.\n");
  });

  test("from stdin, under a name", async () => {
    const ended = await place.run(["deploy", "-", "--name", "piped"], { stdin: "40 + 2" });
    expect(ended.exit).toBe(0);
    expect(await ok("invoke", "piped")).toBe("42");
    expect((await place.run(["deploy", "-"], { stdin: "1" })).exit).toBe(2);
  });

  test("what cannot be meant is a usage error", async () => {
    expect((await run("deploy", "many", "--name", "x")).exit).toBe(2);
    expect((await run("deploy")).exit).toBe(2);
    const twins = await run("deploy", "twins");
    expect([twins.exit, twins.stderr]).toEqual([
      2,
      'picloud: twins/a/same.rhai and twins/b/same.rhai would both be the script "same".\n',
    ]);
    const missing = await run("deploy", "missing.rhai");
    expect([missing.exit, missing.stderr]).toEqual([1, "picloud: missing.rhai: there is no such file.\n"]);
  });
});

describe("invoke", () => {
  beforeAll(async () => {
    writeFileSync(join(place.folder, "body.json"), '{"n": 1}');
    await ok("deploy", "echo.rhai");
  });

  test("sends text, a file or stdin as the body, and headers", async () => {
    const bodies: [string[], unknown, string?][] = [
      [["--body", '{"a": [1]}'], { a: [1] }],
      [["--body", "plain"], "plain"],
      [["--body", "@body.json"], { n: 1 }],
      [["--body", "@-"], "from stdin", "from stdin"],
    ];
    for (const [args, body, stdin] of bodies) {
      const { exit, stdout } = await place.run(["invoke", "echo", ...args, "--header", "X-A: b"], {
        stdin: stdin ?? "",
      });
      expect([exit, JSON.parse(stdout)]).toEqual([0, { body, header: "b" }]);
    }
  });

  test("bytes that are no text arrive as they are", async () => {
    await Bun.write(join(place.folder, "bytes.bin"), new Uint8Array([0xff, 0, 1]));
    writeFileSync(
      join(place.folder, "size.rhai"),
      'type_of(ctx.request.body) + " " + ctx.request.body.len()',
    );
    await ok("deploy", "size.rhai");
    expect(await ok("invoke", "size", "--body", "@bytes.bin")).toBe("blob 3");
  });

  test("by id as well as by name", async () => {
    const { id } = JSON.parse(await ok("scripts", "show", "echo", "--output", "json")) as { id: string };
    expect(JSON.parse(await ok("invoke", id))).toHaveProperty("body");
  });

  test("a script that fails: exit code 1, with its error and the execution on stderr", async () => {
    writeFileSync(join(place.folder, "fails.rhai"), 'throw "broken"');
    await ok("deploy", "fails.rhai");
    const { exit, stdout, stderr } = await run("invoke", "fails");
    expect([exit, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^HTTP 502: .*broken.*\nexecution [0-9a-f-]{36}\n$/s);
  });

  test("an answer of the script's own that is no success: its body on stdout, the status on stderr", async () => {
    writeFileSync(join(place.folder, "teapot.rhai"), '#{ statusCode: 418, body: "short" }');
    await ok("deploy", "teapot.rhai");
    const { exit, stdout, stderr } = await run("invoke", "teapot");
    expect([exit, stdout]).toEqual([1, "short"]);
    expect(stderr).toStartWith("HTTP 418: ");
  });

  test("a script that is not there is exit code 4", async () => {
    expect(await run("invoke", "nobody")).toEqual({
      exit: 4,
      stdout: "",
      stderr: "HTTP 404: Script not found.\n",
    });
  });
});

describe("versions", () => {
  test("rollback goes one back, or to a version; diff shows the change", async () => {
    for (const source of ["1", "2", "3"]) {
      writeFileSync(join(place.folder, "counted.rhai"), source);
      await ok("deploy", "counted.rhai", "--message", `to ${source}`);
    }
    expect(
      rowsOf(await ok("versions", "counted")).map((row) => [row["version"], row["live"], row["message"]]),
    ).toEqual([
      ["3", "true", "to 3"],
      ["2", "false", "to 2"],
      ["1", "false", "to 1"],
    ]);
    expect(await ok("rollback", "counted")).toBe("name\tcounted\nversion\t2\nbefore\t3\n");
    expect(await ok("invoke", "counted")).toBe("2");
    await ok("rollback", "counted", "3");
    expect(await ok("invoke", "counted")).toBe("3");
    await ok("rollback", "counted", "1");
    const nothing = await run("rollback", "counted");
    expect([nothing.exit, nothing.stderr]).toEqual([
      4,
      "picloud: The script counted has no version before 1.\n",
    ]);
    const diff = await ok("diff", "counted", "1", "2");
    expect(diff).toContain("\n-1\n");
    expect(diff).toContain("\n+2\n");
    expect((await run("diff", "counted", "1", "99")).exit).toBe(4);
    expect((await run("rollback", "counted", "99")).exit).toBe(4);
    expect((await run("rollback", "counted", "zero")).exit).toBe(2);
  });
});

describe("output", () => {
  test("TSV has a header line, JSON is an array of the same", async () => {
    const tsv = rowsOf(await ok("apps", "ls"));
    const json = JSON.parse(await ok("apps", "ls", "--output", "json")) as Record<string, string>[];
    expect(tsv).toEqual(json);
    expect(tsv[0]).toMatchObject({ slug: "default" });
    expect(JSON.parse(await ok("-o", "json", "apps", "show", "default"))).toMatchObject({
      slug: "default",
      my_role: "app_admin",
    });
  });

  test("on a terminal it is a table that fits", async () => {
    const dialogue = onTerminal(place.folder, ["apps", "ls"]);
    expect(await dialogue.exited).toBe(0);
    await dialogue.until("SLUG");
    await dialogue.until("default");
    for (const line of dialogue.shown().split("\r\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
    dialogue.kill();
  });

  test("nobody has to read all of it", async () => {
    const child = place.start(["--help"]);
    await child.stdout.cancel();
    expect(await child.exited).toBe(0);
    const listing = place.start(["audit", "--limit", "200"]);
    await listing.stdout.cancel();
    expect([await listing.exited, await new Response(listing.stderr).text()]).toEqual([0, ""]);
  });

  test("commands without a server refuse what is for a server", async () => {
    const { exit, stderr } = await run("check", "hello.rhai", "--output", "json");
    expect([exit, stderr]).toEqual([
      2,
      "picloud: --output is for the commands that talk to a server; check does not.\n",
    ]);
    expect((await run("apps", "ls", "--output", "xml")).exit).toBe(2);
  });
});

describe("apps, routes, domains", () => {
  test("an app from its creation to its end", async () => {
    expect((await run("apps", "create", "Not A Slug")).exit).toBe(5);
    await ok("apps", "create", "shop", "--name", "Shop", "--description", "sells\tthings");
    expect((await run("apps", "create", "shop")).stderr).toStartWith("HTTP 409: ");
    expect(rowsOf(await ok("apps", "ls")).map(({ slug }) => slug)).toEqual(["default", "shop"]);
    await ok("deploy", "hello.rhai", "--app", "shop");
    const refused = await run("apps", "delete", "shop");
    expect([refused.exit, refused.stderr.startsWith("HTTP 409: ")]).toEqual([5, true]);
    expect(refused.stderr).toContain("or send --force.");
    await ok("apps", "delete", "shop", "--force");
    expect((await run("apps", "show", "shop")).exit).toBe(4);
  });

  test("an app and a trigger are paused and resumed", async () => {
    expect(await ok("apps", "pause", "default")).toContain("paused\ttrue\n");
    expect((await fetch(`${place.url}/hello`)).status).toBe(503);
    expect(await ok("apps", "pause", "default", "--until", "2099-01-01T00:00:00Z")).toContain(
      "paused_until\t2099-01-01T00:00:00.000Z\n",
    );
    expect((await run("apps", "pause", "default", "--until", "soon")).exit).toBe(5);
    expect(await ok("apps", "resume", "default")).toContain("paused\tfalse\n");
    expect((await fetch(`${place.url}/hello`)).status).toBe(200);
    const [made] = rowsOf(await ok("triggers", "add", "kv", "hello", "--collection", "a"));
    const id = made?.["id"] ?? "";
    const pausedUntil = async (...args: string[]) =>
      rowsOf(await ok("triggers", ...args))[0]?.["paused_until"];
    expect(await pausedUntil("pause", id, "--until", "2099-01-01T00:00:00Z")).toBe(
      "2099-01-01T00:00:00.000Z",
    );
    expect(await pausedUntil("pause", id)).toStartWith("9999-12-31");
    expect(await pausedUntil("resume", id)).toBe("");
    await ok("triggers", "rm", id);
    writeFileSync(join(place.folder, "circle.rhai"), 'kv::collection("circle").incr("n")');
    await ok("deploy", "circle.rhai");
    const circle = await run("triggers", "add", "kv", "circle", "--collection", "circle", "--disabled");
    expect([circle.exit, circle.stderr]).toEqual([0, ""]);
    const said =
      'warning: A loop of triggers, unless a run decides otherwise: script "circle" writes kv "circle" → trigger → script "circle".\n';
    const circleId = rowsOf(circle.stdout)[0]?.["id"] ?? "";
    expect((await run("triggers", "enable", circleId)).stderr).toBe(said);
    expect((await run("deploy", "circle.rhai")).stderr).toBe(`circle.rhai: ${said}`);
    await ok("triggers", "rm", circleId);
  });

  test("routes are added, found, checked and deleted", async () => {
    await ok("deploy", "echo.rhai", "--name", "routed");
    await ok("routes", "add", "routed", "/things/*", "--method", "post", "--idempotent");
    expect(rowsOf(await ok("routes", "ls", "routed"))).toMatchObject([
      { script: "routed", method: "POST", path: "/things/*", dispatch_mode: "sync" },
    ]);
    expect(await ok("routes", "match", "/things/7", "--method", "POST")).toStartWith(
      "script\trouted\npath\t/things/*\n",
    );
    expect((await run("routes", "match", "/things/7")).exit).toBe(4);
    expect((await run("routes", "check", "/things/*", "--method", "POST")).exit).toBe(5);
    expect(await ok("routes", "check", "/other")).toStartWith("ok\ttrue\n");
    await ok("routes", "rm", "routed", "/things/*");
    expect(rowsOf(await ok("routes", "ls", "routed"))).toEqual([]);
    expect((await run("routes", "rm", "routed", "/things/*")).exit).toBe(4);
    expect((await run("routes", "rm", "routed")).exit).toBe(2);
  });

  test("domains are claimed and given up", async () => {
    await ok("domains", "add", "pi.example.com");
    expect(rowsOf(await ok("domains", "ls")).map(({ pattern }) => pattern)).toContain("pi.example.com");
    expect((await run("domains", "add", "pi.example.com")).exit).toBe(5);
    await ok("domains", "rm", "pi.example.com");
    expect((await run("domains", "rm", "pi.example.com")).exit).toBe(4);
  });
});

describe("people", () => {
  test("users and members, by their names", async () => {
    const password = "a password of some length";
    const created = await place.run(
      ["users", "create", "grace", "--role", "member", "--email", "g@example.com"],
      {
        stdin: `${password}\n`,
      },
    );
    expect([created.exit, created.stdout]).toEqual([0, expect.stringContaining("username\tgrace\n")]);
    expect(created.stdout).not.toContain(password);
    await ok("members", "add", "grace", "--role", "editor");
    expect(rowsOf(await ok("members", "ls"))).toMatchObject([{ username: "grace", role: "editor" }]);
    await ok("members", "add", "grace", "--role", "viewer");
    expect(rowsOf(await ok("members", "ls"))).toMatchObject([{ username: "grace", role: "viewer" }]);
    await ok("members", "rm", "grace");
    expect((await run("members", "rm", "grace")).exit).toBe(4);
    expect((await run("members", "add", "nobody")).stderr).toBe(
      'picloud: There is no user who could become a member, "nobody".\n',
    );
    const changed = await place.run(["users", "reset-password", "grace"], {
      stdin: "another long password\n",
    });
    expect(changed).toEqual({ exit: 0, stdout: "", stderr: "Changed the password of grace.\n" });
    await ok("users", "delete", "grace");
    expect(rowsOf(await ok("users", "ls")).map(({ username }) => username)).toEqual(["admin"]);
  });
});

describe("secrets", () => {
  const VALUE = "a value that nobody may see";

  test("are set from stdin, listed by name and deleted; a value is never shown", async () => {
    const set = await place.run(["secrets", "set", "API_KEY"], { stdin: `${VALUE}\n` });
    expect([set.exit, rowsOf(set.stdout)]).toMatchObject([0, [{ name: "API_KEY" }]]);
    const listed = await ok("secrets", "ls");
    expect(rowsOf(listed).map(({ name }) => name)).toEqual(["API_KEY"]);
    for (const text of [set.stdout, set.stderr, listed]) expect(text).not.toContain(VALUE);
    await ok("secrets", "rm", "API_KEY");
    expect((await run("secrets", "rm", "API_KEY")).exit).toBe(4);
    expect((await run("secrets", "set", "not a name", "--value", "x")).exit).toBe(5);
  });

  test("on a terminal the value is asked for and not shown", async () => {
    const dialogue = onTerminal(place.folder, ["secrets", "set", "TYPED"]);
    try {
      await dialogue.until("Value of TYPED: ");
      dialogue.type(`${VALUE}\r`);
      expect(await dialogue.exited).toBe(0);
      expect(dialogue.shown()).not.toContain(VALUE);
    } finally {
      dialogue.kill();
    }
  });
});

describe("api-keys and audit", () => {
  test("a key's text is printed once, and the key is of no use when it is revoked", async () => {
    const minted = await ok(
      "api-keys",
      "mint",
      "--name",
      "ci",
      "--scope",
      "script:read",
      "--scope",
      "log:read",
      "--expires",
      "30d",
      "--output",
      "json",
    );
    const { raw_token: token } = JSON.parse(minted) as { raw_token: string };
    expect(token).toStartWith("pic_");
    const listed = await ok("api-keys", "ls");
    expect(rowsOf(listed)).toMatchObject([{ name: "ci", scopes: "script:read,log:read" }]);
    expect(listed).not.toContain(token);
    const asKey = { env: { PICLOUD_URL: place.url, PICLOUD_TOKEN: token } };
    expect((await place.runAnonymously(["scripts", "ls"], asKey)).exit).toBe(0);
    const forbidden = await place.runAnonymously(["apps", "create", "nope"], asKey);
    expect([forbidden.exit, forbidden.stderr.startsWith("HTTP 403: ")]).toEqual([1, true]);
    await ok("api-keys", "rm", "ci");
    expect((await place.runAnonymously(["scripts", "ls"], asKey)).exit).toBe(3);
    expect((await run("api-keys", "rm", "ci")).exit).toBe(4);
    expect((await run("api-keys", "mint", "--name", "x")).exit).toBe(2);
    expect(
      (await run("api-keys", "mint", "--name", "x", "--scope", "log:read", "--expires", "soon")).exit,
    ).toBe(2);
  });

  test("audit tells who did what", async () => {
    const rows = rowsOf(await ok("audit", "--limit", "200"));
    expect(rows).toContainEqual(
      expect.objectContaining({ action: "key.revoke", actor: "admin", target: "ci" }),
    );
    const keys = rowsOf(await ok("audit", "--actor", "admin", "--action", "key"));
    expect(keys.map(({ action }) => action)).toEqual(["key.revoke", "key.create"]);
    const ofApp = rowsOf(await ok("audit", "--app", "default", "--limit", "1"));
    expect(ofApp).toHaveLength(1);
  });
});

test("help lists the commands by where they work, and a noun without a verb shows its own", async () => {
  const { exit, stdout } = await run("--help");
  expect(exit).toBe(0);
  expect(stdout).toMatch(/On this machine:\n {2}serve .*With a server:\n {2}login /s);
  const noun = await run("apps");
  expect([noun.exit, noun.stderr]).toEqual([2, expect.stringContaining("Usage: picloud apps ")]);
});
