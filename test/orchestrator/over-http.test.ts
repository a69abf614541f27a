import { afterAll, beforeAll, expect, test } from "bun:test";
import { startDataPlane, type DataPlane } from "./support/data-plane.ts";

let plane: DataPlane;
let server: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
  plane = await startDataPlane();
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) =>
      plane.orchestrator.handle(request, { remoteAddress: self.requestIP(request)?.address ?? "" }),
  });
});
afterAll(async () => {
  await server.stop(true);
  await plane.stop();
});

/** Sends bytes as they are, and returns everything that comes back until the server closes or a moment has passed. */
async function raw(text: string): Promise<string> {
  const done = Promise.withResolvers<string>();
  let received = "";
  const timer = setTimeout(() => done.resolve(received), 1000);
  await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      open: (socket) => void socket.write(text),
      data: (_, bytes) => void (received += bytes.toString("utf8")),
      close: () => done.resolve(received),
      error: (_, error) => done.reject(error),
    },
  });
  const all = await done.promise;
  clearTimeout(timer);
  return all;
}

test("HEAD is answered by GET's route, with the headers and without a body", async () => {
  await plane.deploy(
    { path: "/head", method: "GET" },
    '#{statusCode: 200, headers: #{"x-a": "b"}, body: "12345"}',
  );
  const response = await raw("HEAD /head HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const [head = "", body] = response.split("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 200");
  expect(head.toLowerCase()).toContain("x-a: b");
  expect(head.toLowerCase()).toContain("content-length: 5");
  expect(body).toBe("");
});

test("a request without a host, as HTTP/1.0 allows, goes to the fallback app", async () => {
  await plane.deploy("/no-host/*", "ctx.request.path + ctx.request.host");
  const response = await raw("GET /no-host//x?y=1 HTTP/1.0\r\n\r\n");
  expect(response.split("\r\n\r\n")[1]).toBe("/no-host//x");
});

test("204 and 304 have no body and no length of one", async () => {
  for (const status of [204, 304]) {
    await plane.deploy(`/s${status}`, `#{statusCode: ${status}, body: "x"}`);
    const response = await raw(`GET /s${status} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    expect(response).toStartWith(`HTTP/1.1 ${status}`);
    expect(response.split("\r\n\r\n")[1]).toBe("");
  }
});

test("repeated headers arrive joined, and answers repeat theirs", async () => {
  await plane.deploy(
    "/multi",
    '#{statusCode: 200, headers: #{"set-cookie": ["a=1", "b=2"]}, body: ctx.request.headers["x-a"]}',
  );
  const response = await raw(
    "GET /multi HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
  );
  expect(response.match(/^set-cookie: .*$/gim)).toHaveLength(2);
  expect(response.split("\r\n\r\n")[1]).toBe("1, 2");
});

test("a chunked body over the limit is cut off with 413", async () => {
  await plane.deploy("/chunked", "1");
  const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const response = await raw(
    `POST /chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk.repeat(6)}0\r\n\r\n`,
  );
  expect(response).toStartWith("HTTP/1.1 413");
});

test("chunked and announced bodies reach the script", async () => {
  await plane.deploy("/echo", "ctx.request.body");
  const chunked = await raw(
    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
  );
  expect(chunked.split("\r\n\r\n")[1]).toContain("abcde");
  const announced = await raw(
    "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
  );
  expect(announced.split("\r\n\r\n")[1]).toBe("abc");
});

test("a binary body and a binary answer arrive byte for byte", async () => {
  await plane.deploy("/bytes", "ctx.request.body");
  const bytes = new Uint8Array(2048).map((_, index) => 255 - (index % 256));
  const response = await fetch(`http://127.0.0.1:${server.port}/bytes`, { method: "POST", body: bytes });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
});

test("a thousand requests at once are all answered, each with its own answer", async () => {
  await plane.deploy("/n/:n", "ctx.request.params.n");
  const answers = await Promise.all(
    Array.from({ length: 1000 }, async (_, n) => {
      const response = await fetch(`http://127.0.0.1:${server.port}/n/${n}`);
      return [response.status, await response.text(), n] as const;
    }),
  );
  for (const [status, text, n] of answers) {
    if (status === 200) expect(text).toBe(String(n));
    else expect(status).toBe(503);
  }
  expect(answers.filter(([status]) => status === 200).length).toBeGreaterThan(100);
}, 15_000);
