import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
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
  await client.deploy("victim", '"intact"', "?route=/victim");
}, 60_000);
afterAll(() => installation.remove());

interface Problem {
  status: number;
  title: string;
  detail: string;
  error: string;
  code: string;
  details: Record<string, unknown>;
  request_id: string;
}

/** The problem document of an answer, checked for its form. */
async function problem(answer: Response): Promise<Problem> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const body = (await answer.json()) as Problem;
  expect(body.status).toBe(answer.status);
  expect(body.error).toBe(body.detail);
  expect(body.title.length).toBeGreaterThan(0);
  expect(answer.headers.get("x-request-id")).toBe(body.request_id);
  return body;
}

/** Nothing that a refused save did may show. */
async function intact(): Promise<void> {
  expect(await (await fetch(`${server.url}/victim`)).text()).toBe("intact");
}

test("an empty body", async () => {
  const refused = await problem(await client.deploy("victim", ""));
  expect(refused.status).toBe(422);
  await intact();
});

test("10 MB of source", async () => {
  const refused = await problem(await client.deploy("victim", "x".repeat(10_000_000)));
  expect(refused.status).toBe(413);
  expect(refused.detail).toContain("256");
  await intact();
});

test("10 MB of source without a Content-Length", async () => {
  const chunk = new TextEncoder().encode("// padding\n".repeat(1000));
  let left = 1000;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
  });
  const answer = await client.fetch("/api/v1/admin/apps/default/scripts/victim", { method: "PUT", body });
  expect(answer.status).toBe(413);
  await intact();
});

test("invalid UTF-8", async () => {
  const refused = await problem(await client.deploy("victim", new Uint8Array([0x22, 0xff, 0xfe, 0x22])));
  expect(refused.status).toBe(422);
  expect(refused.detail).toContain("UTF-8");
  await intact();
});

test("NUL bytes", async () => {
  const refused = await problem(await client.deploy("victim", new Uint8Array([0x22, 0x00, 0x22])));
  expect(refused.status).toBe(422);
  await intact();
});

test("a script that does not parse: line, column, excerpt, and the old version still serves", async () => {
  const refused = await problem(await client.deploy("victim", 'let a = "x";\nlet b = a +;\n'));
  expect(refused.status).toBe(422);
  expect(refused.details).toMatchObject({ line: 2, column: 12 });
  await intact();
});

test("a deeply nested source is refused, not a crash", async () => {
  expect((await problem(await client.deploy("victim", "(".repeat(100_000)))).status).toBe(422);
  expect((await problem(await client.deploy("victim", "[".repeat(50_000) + "]".repeat(50_000)))).status).toBe(
    422,
  );
  await intact();
});

test("a route that another script has: 409 naming the rival, and nothing half-written", async () => {
  const refused = await problem(await client.deploy("rival", '"rival"', "?route=/victim"));
  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.details)).toContain("/victim");
  expect((await client.fetch("/api/v1/admin/apps/default/scripts/rival")).status).toBe(404);
  await intact();
});

test("reserved and malformed routes", async () => {
  for (const route of [
    "/api/mine",
    "/admin/x",
    "/healthz",
    "/version",
    "/metrics",
    "nothing",
    "/a/:b:c",
    "",
  ]) {
    const answer = await client.deploy("odd", '"odd"', `?route=${encodeURIComponent(route)}`);
    expect([route, answer.status]).toEqual([route, 422]);
  }
  expect((await client.fetch("/api/v1/admin/apps/default/scripts/odd")).status).toBe(404);
});

test("wrong credentials: 401, then throttled with Retry-After", async () => {
  const wrong = new Client(server.url, { username: "nobody", password: "wrong" });
  for (let attempt = 0; attempt < 5; attempt++) {
    const refused = await problem(await wrong.fetch("/api/v1/admin/apps"));
    expect(refused.status).toBe(401);
  }
  const throttled = await wrong.fetch("/api/v1/admin/apps");
  expect(throttled.status).toBe(429);
  expect(Number(throttled.headers.get("retry-after"))).toBeGreaterThan(0);
  // Who signs in properly is not concerned.
  expect((await client.fetch("/api/v1/admin/apps")).status).toBe(200);
});

test("no credential", async () => {
  const refused = await fetch(`${server.url}/api/v1/admin/apps`);
  expect(refused.headers.get("www-authenticate")).toContain("Basic");
  expect((await problem(refused)).status).toBe(401);
});

test("an unknown app", async () => {
  const answer = await client.fetch("/api/v1/admin/apps/nowhere/scripts/x", { method: "PUT", body: '"x"' });
  expect((await problem(answer)).status).toBe(404);
});

test("malformed JSON", async () => {
  for (const body of ["{", '{"slug": }', "nul", "\u0000"]) {
    const answer = await client.fetch("/api/v1/admin/apps", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    expect((await problem(answer)).status).toBe(400);
  }
});

test("JSON of the wrong shape, and unknown fields, named", async () => {
  const post = (body: unknown) =>
    client.fetch("/api/v1/admin/apps", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  expect((await problem(await post({ slug: 7, name: "x" }))).status).toBe(422);
  expect((await problem(await post([]))).status).toBe(422);
  const unknown = await problem(await post({ slug: "fine", name: "Fine", colour: "red" }));
  expect(unknown.status).toBe(422);
  expect(JSON.stringify(unknown)).toContain("colour");
  expect((await client.fetch("/api/v1/admin/apps/fine")).status).toBe(404);
});

test("a wrong content type", async () => {
  const answer = await client.fetch("/api/v1/admin/apps", {
    method: "POST",
    headers: { "Content-Type": "text/plain" },
    body: '{"slug":"a","name":"a"}',
  });
  expect([415, 422]).toContain((await problem(answer)).status);
});

test("path traversal in names", async () => {
  for (const name of [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "a%2fb",
    "%00",
    "a%0ab",
    "%ff",
    "x".repeat(129),
  ]) {
    const status = await rawPut(`/api/v1/admin/apps/default/scripts/${name}`, '"x"');
    expect([name, status >= 400 && status < 500]).toEqual([name, true]);
  }
  await intact();
});

test("an unknown path of the API is a problem document, never the dashboard", async () => {
  expect((await problem(await fetch(`${server.url}/api/v2/things`))).status).toBe(404);
  expect((await problem(await fetch(`${server.url}/api/`))).status).toBe(404);
});

test("malformed JSON for a script is told before it runs", async () => {
  await client.deploy("echo", "ctx.request.body", "?route=/echo");
  const answer = await fetch(`${server.url}/echo`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"a": ',
  });
  expect((await problem(answer)).status).toBe(400);
});

test("a body over the limit for a script", async () => {
  const answer = await fetch(`${server.url}/echo`, { method: "POST", body: "x".repeat(3 * 1024 * 1024) });
  expect((await problem(answer)).status).toBe(413);
});

test("garbage on the socket does not disturb anybody", async () => {
  await exchange("\u0000\u0001\u0002 nonsense\r\n\r\n").catch(() => "");
  await intact();
});

test("a request without a Host header is told so; probes need none", async () => {
  expect(await exchange("GET /victim HTTP/1.1\r\nConnection: close\r\n\r\n")).toStartWith("HTTP/1.1 400");
  expect(await exchange("GET /healthz HTTP/1.0\r\n\r\n")).toContain(" 200 OK");
});

/** PUT with the path exactly as given: `fetch` would resolve dots. Answers the status. */
async function rawPut(path: string, body: string): Promise<number> {
  const answer = await exchange(
    `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${btoa(`${login.username}:${login.password}`)}\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 400);
}

/** Sends bytes over a connection of their own and reads until it closes. */
function exchange(request: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => void socket.write(request));
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.setTimeout(3000, () => socket.destroy());
  });
}
