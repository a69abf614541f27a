import { afterAll, beforeAll, expect, test } from "bun:test";
import { Client, Installation, type Login, type PiCloud } from "./support/picloud.ts";

const installation = new Installation();
let server: PiCloud;
let login: Login;
let client: Client;
beforeAll(async () => {
  server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  login = server.login;
  client = new Client(server.url, login);
}, 60_000);
afterAll(() => installation.remove());

const get = async (path: string): Promise<string> => (await fetch(server.url + path)).text();

test("a file deployed with curl is live at its route", async () => {
  await Bun.write(`${installation.folder}/hello.rhai`, "`Hello, ${ctx.request.params.name}!`\n");
  const curl = Bun.spawnSync([
    "curl",
    "-sS",
    "-u",
    `${login.username}:${login.password}`,
    "-X",
    "PUT",
    "--data-binary",
    `@${installation.folder}/hello.rhai`,
    `${server.url}/api/v1/admin/apps/default/scripts/hello?route=/hello/:name`,
  ]);
  expect(curl.exitCode).toBe(0);
  const answer = JSON.parse(curl.stdout.toString()) as { version: number; urls: string[] };
  expect(answer.urls).toContain(`${server.url}/hello/:name`);
  expect(await get("/hello/Ada")).toBe("Hello, Ada!");
});

test("every save is live for the very next request, 50 times in a row", async () => {
  for (let round = 0; round < 50; round++) {
    const saved = await client.deploy("counter", `"round ${round}"`, "?route=/counter");
    expect(saved.status).toBe(round === 0 ? 201 : 200);
    expect(await get("/counter")).toBe(`round ${round}`);
  }
});

test("a script that does not parse is refused with line, column and a caret; the old version keeps serving", async () => {
  await client.deploy("steady", '"old"', "?route=/steady");
  const refused = await client.deploy("steady", "let x = 1;\nlet y = ;\n");
  expect(refused.status).toBe(422);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await refused.json()) as { details: { line: number; column: number; excerpt: string } };
  expect(problem.details.line).toBe(2);
  expect(problem.details.column).toBe(9);
  expect(problem.details.excerpt).toContain("^");
  expect(await get("/steady")).toBe("old");
});

test("the source reads back byte for byte, and a deleted script is gone from its route", async () => {
  const source = '// häuser 🏠\n"gone soon"\n';
  await client.deploy("brief", source, "?route=/brief");
  const read = await client.fetch("/api/v1/admin/apps/default/scripts/brief/source");
  expect(await read.text()).toBe(source);
  expect((await client.fetch("/api/v1/admin/apps/default/scripts/brief", { method: "DELETE" })).status).toBe(
    204,
  );
  expect((await fetch(`${server.url}/brief`)).status).toBe(404);
});

test("a script answers with status, headers and body of its own", async () => {
  await client.deploy(
    "teapot",
    '#{ statusCode: 418, headers: #{ "x-pot": "brown" }, body: #{ tea: 1.0, cups: 2 } }',
    "?route=/tea",
  );
  const answer = await fetch(`${server.url}/tea`);
  expect(answer.status).toBe(418);
  expect(answer.headers.get("x-pot")).toBe("brown");
  expect(await answer.text()).toBe('{"cups":2,"tea":1.0}');
});

test("direct execution runs a script for its owner and hides it from strangers", async () => {
  const { script } = (await (await client.deploy("direct", "ctx.request.body.n * 2")).json()) as {
    script: { id: string };
  };
  const call = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"n":4611686018427387903}',
  };
  const mine = await client.fetch(`/api/v1/execute/${script.id}`, call);
  expect(mine.status).toBe(200);
  expect(await mine.text()).toBe("9223372036854775806");
  expect((await fetch(`${server.url}/api/v1/execute/${script.id}`, call)).status).toBe(404);
});

test("what a run logged can be read, newest first", async () => {
  const saved = await client.deploy(
    "chatty",
    'log::info("one", #{ n: 1 }); print("two"); "done"',
    "?route=/chatty",
  );
  const { script } = (await saved.json()) as { script: { id: string } };
  await get("/chatty");
  let rows: { status: string; logs: { level: string; message: string }[] }[] = [];
  for (let attempt = 0; attempt < 50 && rows.length === 0; attempt++) {
    await Bun.sleep(100);
    rows = (await (await client.fetch(`/api/v1/admin/scripts/${script.id}/logs`)).json()) as typeof rows;
  }
  expect(rows[0]?.status).toBe("success");
  expect(rows[0]?.logs.map((entry) => entry.message)).toEqual(["one", "two"]);
});
